"""Errors of a JSON Schema that look behind a reference only when they are asked to.

`jsonschema-rs` lists the errors of every alternative at once, and where a schema refers to itself
those of the alternatives within: their number grows exponentially with the depth of a value. Its
plain yes or no does not. So each reference leads to a condition, which tells with a single error
that what is behind it is not met.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import jsonschema_rs

__all__ = ["Error", "LazyErrors", "Path"]

Path = tuple[str | int, ...]

_URI = "urn:langchain-control:contract"
_ROOT = "#"
_REFERENCES = {"$ref": "$ref", "$dynamicRef": "$dynamicRef", "$recursiveRef": "$ref"}
"""Keywords that refer, and those that can refer to a condition in their place."""
_NAMES_TO_SCHEMAS = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)
_VALUES = frozenset({"const", "enum"})


class Error(NamedTuple):
    """What one keyword of a schema has against a value."""

    raw: Any
    """What `jsonschema-rs` makes of it."""
    details: dict[str, Any]
    """What it says about it. `context` holds the errors of each alternative."""
    path: Path
    behind: str | None = None
    """Where the schema is whose errors this one stands for, if it does."""

    @property
    def keyword(self) -> str:
        """Which one."""
        name: str = self.raw.kind.name
        return name


class LazyErrors:
    """Why values do not meet a schema."""

    def __init__(
        self,
        schema: dict[str, Any],
        compiled: Callable[[dict[str, Any], jsonschema_rs.Registry], Any],
    ) -> None:
        """Put conditions behind the references.

        Args:
            schema: A valid one.
            compiled: Makes a validator of a schema that refers to one in a registry.
        """
        conditions = _Conditions(schema)
        self._mark = conditions.mark
        entries = {place: {"$ref": f"{_URI}{place}"} for place in (_ROOT, *conditions.places)}
        dialect = {"$schema": schema["$schema"]} if "$schema" in schema else {}
        self._validator = compiled(
            dialect | {"properties": entries},
            jsonschema_rs.Registry([(_URI, conditions.document)]),
        )

    def of(self, value: Any) -> Iterator[Error]:
        """List what the schema has against a value."""
        return self._errors(_ROOT, value, ())

    def behind(self, error: Error) -> Iterator[Error]:
        """List what an error with `behind` stands for."""
        return self._errors(error.behind or _ROOT, error.raw.instance, error.path)

    def unfolded(self, errors: Iterable[Error], path: Path) -> Iterator[Error]:
        """Replace those that stand for others about the very place at `path`, each once."""
        pending, opened = [iter(errors)], set()
        while pending:
            error = next(pending[-1], None)
            if error is None:
                pending.pop()
            elif error.behind is None or error.path != path:
                yield error
            elif error.behind not in opened:
                opened.add(error.behind)
                pending.append(self.behind(error))

    def _errors(self, place: str, value: Any, path: Path) -> Iterator[Error]:
        return (self._error(raw, path) for raw in self._validator.iter_errors({place: value}))

    def _error(self, raw: Any, base: Path) -> Error:
        details = raw.kind.as_dict()
        if "context" in details:
            details["context"] = [[self._error(e, base) for e in es] for es in details["context"]]
        denied = details.get("schema") if raw.kind.name == "not" else None
        behind = denied.get(self._mark) if isinstance(denied, dict) else None
        return Error(raw, details, (*base, *raw.instance_path[1:]), behind)


class _Resource(NamedTuple):
    """What the references within are relative to: the document, or a part with an id."""

    place: str
    conditions: dict[str, Any]


class _Conditions:
    """A copy of a schema in which `{"$ref": x}` leads to `{"if": {"$ref": x}, "else": mark}`."""

    def __init__(self, schema: dict[str, Any]) -> None:
        draft = jsonschema_rs.validator_cls_for(schema)
        self._has_if = draft not in (jsonschema_rs.Draft4Validator, jsonschema_rs.Draft6Validator)
        self._id = "id" if draft is jsonschema_rs.Draft4Validator else "$id"
        self._has_keywords_beside = draft in (
            jsonschema_rs.Draft201909Validator,
            jsonschema_rs.Draft202012Validator,
        )
        self.mark = "behind"
        while self.mark in json.dumps(schema):
            self.mark += "-"
        self.places: dict[str, None] = {}
        """Where the references went."""
        self.document: dict[str, Any] = self._copy(schema, "", _Resource("", {}))

    def _copy(self, part: Any, place: str, resource: _Resource, *, is_schema: bool = True) -> Any:
        if isinstance(part, list):
            return [self._copy(each, f"{place}/{n}", resource) for n, each in enumerate(part)]
        if not isinstance(part, Mapping):
            return part
        if is_schema and place and self._is_resource(part):
            resource = _Resource(place, {})
        copy = {
            key: value
            if is_schema and key in _VALUES
            else self._copy(
                value,
                f"{place}/{_step(key)}",
                resource,
                is_schema=not (is_schema and key in _NAMES_TO_SCHEMAS),
            )
            for key, value in part.items()
        }
        if is_schema:
            self._redirect(copy, resource)
        if place == resource.place:
            copy[self.mark] = resource.conditions
        return copy

    def _is_resource(self, part: Mapping[str, Any]) -> bool:
        name = part.get(self._id)
        counts = self._has_keywords_beside or "$ref" not in part
        return counts and isinstance(name, str) and not name.startswith("#")

    def _redirect(self, part: dict[str, Any], resource: _Resource) -> None:
        for keyword, instead in _REFERENCES.items():
            if isinstance(part.get(keyword), str) and (keyword == instead or instead not in part):
                part[instead] = self._condition({keyword: part.pop(keyword)}, resource)

    def _condition(self, behind: dict[str, str], resource: _Resource) -> str:
        """Add a condition to a resource, and return the reference to it."""
        name = "".join(f"{keyword} {reference}" for keyword, reference in behind.items())
        condition = f"/{self.mark}/{_step(name)}"
        place = f"#{resource.place}{condition}/{'if' if self._has_if else 'not/not'}"
        self.places[place] = None
        resource.conditions[name] = (
            {"if": behind, "else": {"not": {self.mark: place}}}
            if self._has_if
            else {"not": {"not": behind, self.mark: place}}
        )
        return f"#{condition}"


def _step(key: str) -> str:
    return quote(key.replace("~", "~0").replace("/", "~1"), safe="~")
