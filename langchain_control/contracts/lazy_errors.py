"""Errors of a JSON Schema that look behind a reference only when they are asked to.

`jsonschema-rs` lists the errors of every alternative at once, and where a schema refers to itself
those of the alternatives within: their number grows exponentially with the depth of a value. Its
plain yes or no does not. So each reference leads to a condition, which tells with a single error
that what is behind it is not met.

Where that cannot be done, all errors are listed at once, or none if the schema refers to itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import jsonschema_rs

from langchain_control.contracts.pointers import escaped, unescaped

__all__ = ["Error", "LazyErrors", "Path"]

Path = tuple[str | int, ...]

_URI = "urn:langchain-control:contract"
_ROOT = "#"
_REFERENCES = {"$ref": "$ref", "$dynamicRef": "$dynamicRef", "$recursiveRef": "$ref"}
"""Keywords that refer, and those that can refer to a condition in their place."""
_NAMES_TO_SCHEMAS = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)
"""Keywords with a schema for each name."""
_SCHEMAS = frozenset(
    {
        "additionalItems", "additionalProperties", "allOf", "anyOf", "contains", "contentSchema",
        "else", "if", "items", "not", "oneOf", "prefixItems", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
"""Keywords with a schema, or a list of them. What is below any other is data."""
_METASCHEMAS = ("http://json-schema.org/", "https://json-schema.org/")


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
        compiled: Callable[[dict[str, Any], jsonschema_rs.Registry | None], Any],
    ) -> None:
        """Put conditions behind the references.

        Args:
            schema: A valid one.
            compiled: Makes a validator of a schema, which may refer to one in a registry.
        """
        conditions = _Conditions(schema)
        self._mark = conditions.mark
        entries = {place: {"$ref": f"{_URI}{place}"} for place in (_ROOT, *conditions.places)}
        dialect = {"$schema": schema["$schema"]} if "$schema" in schema else {}
        self._is_lazy = True
        try:
            self._validator = compiled(
                dialect | {"properties": entries},
                jsonschema_rs.Registry([(_URI, conditions.document)]),
            )
        except (ValueError, jsonschema_rs.ReferencingError):
            self._is_lazy = False
            self._validator = None if conditions.may_recur else compiled(schema, None)

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
        if self._validator is None:
            return iter(())
        errors = self._validator.iter_errors({place: value} if self._is_lazy else value)
        return (self._error(raw, path) for raw in errors)

    def _error(self, raw: Any, base: Path) -> Error:
        details = raw.kind.as_dict()
        if "context" in details:
            details["context"] = [[self._error(e, base) for e in es] for es in details["context"]]
        denied = details.get("schema") if raw.kind.name == "not" else None
        behind = denied.get(self._mark) if isinstance(denied, dict) else None
        inside = raw.instance_path[1:] if self._is_lazy else raw.instance_path
        return Error(raw, details, (*base, *inside), behind)


class _Resource(NamedTuple):
    """What the references within are relative to: the document, or a part with an id."""

    place: str
    conditions: dict[str, Any]


class _Part(NamedTuple):
    """A part of a document and the steps to it."""

    place: str
    content: Any

    def inside(self, key: str | int) -> _Part:
        """Take a step. Where there is nothing, the content is `None`."""
        content = self.content
        if isinstance(content, Mapping):
            found = content.get(key)
        elif isinstance(content, list) and str(key).isdecimal() and int(key) < len(content):
            found = content[int(key)]
        else:
            found = None
        return _Part(f"{self.place}/{_step(str(key))}", found)

    def at(self, reference: str) -> _Part:
        """Follow a pointer, `#` or `#/...`."""
        part = self
        for step in unquote(reference).split("/")[1:]:
            part = part.inside(unescaped(step))
        return part


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
        self._schemas: dict[str, set[str]] = {}
        """Where schemas are, and where those are that each of them leads to."""
        self.may_recur = self._find_schemas(_Part("", schema)) or _has_cycle(self._schemas)
        """Whether the schema refers to itself, as far as can be told."""
        self.places: dict[str, None] = {}
        """Where the references went."""
        self.document: dict[str, Any] = self._copy(schema, "", _Resource("", {}))

    def _find_schemas(self, document: _Part) -> bool:
        """Walk from schema to schema, and say whether there are references that are no pointers."""
        pending, has_others = [(document, document)], False
        while pending:
            part, resource = pending.pop()
            if part.place in self._schemas or not isinstance(part.content, Mapping):
                continue
            if part.place and self._is_resource(part.content):
                resource = part
            inner = [*_schemas_in(part)]
            for reference in _references_in(part.content):
                if reference == _ROOT or reference.startswith("#/"):
                    inner.append(resource.at(reference))
                elif not reference.startswith(_METASCHEMAS):
                    has_others = True
            self._schemas[part.place] = {each.place for each in inner}
            pending += [(each, resource) for each in inner]
        return has_others

    def _copy(self, part: Any, place: str, resource: _Resource) -> Any:
        if isinstance(part, list):
            return [self._copy(each, f"{place}/{n}", resource) for n, each in enumerate(part)]
        if not isinstance(part, Mapping):
            return part
        is_schema = place in self._schemas
        if is_schema and place and self._is_resource(part):
            resource = _Resource(place, {})
        copy = {
            key: self._copy(value, f"{place}/{_step(key)}", resource) for key, value in part.items()
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
            reference = part.get(keyword)
            if not isinstance(reference, str) or reference.startswith(_METASCHEMAS):
                continue
            if keyword == instead or instead not in part:
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


def _schemas_in(schema: _Part) -> Iterator[_Part]:
    """Yield the schemas that a schema holds."""
    for keyword, value in schema.content.items():
        below = schema.inside(keyword)
        if keyword in _NAMES_TO_SCHEMAS and isinstance(value, Mapping):
            yield from (below.inside(name) for name in value)
        elif keyword in _SCHEMAS and isinstance(value, list):
            yield from (below.inside(n) for n in range(len(value)))
        elif keyword in _SCHEMAS:
            yield below


def _references_in(schema: Mapping[str, Any]) -> Iterator[str]:
    return (schema[each] for each in _REFERENCES if isinstance(schema.get(each), str))


def _has_cycle(graph: Mapping[str, set[str]]) -> bool:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


def _step(key: str) -> str:
    return quote(escaped(key), safe="~")
