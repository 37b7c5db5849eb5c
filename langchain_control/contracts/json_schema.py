"""Contracts written in JSON Schema, judged by `jsonschema-rs`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial
from itertools import islice
from typing import Any

import jsonschema_rs

from langchain_control._shortening import shortened
from langchain_control.contracts.alternatives import at_place, meant_by_constants
from langchain_control.contracts.conversion import Mistyped
from langchain_control.contracts.excluded_keys import excluded_by_schema
from langchain_control.contracts.lazy_errors import Error, LazyErrors, Path
from langchain_control.contracts.pointers import describe, pointer, property_name
from langchain_control.outcomes import Violation

__all__ = ["KEYWORDS", "MAX_VIOLATIONS", "JsonSchemaContract"]

MAX_VIOLATIONS = 32
"""How many violations of one answer are listed. A correction names three."""

BACKTRACK_LIMIT = 10_000
"""Steps for patterns with lookaround, as pydantic writes for `Decimal`. Others are linear."""

_TOO_DEEP = "Recursion limit reached"
"""What `jsonschema-rs` before 0.61 raises of a value that is nested more than 255 deep."""

_OPTIONS_CHARS = 200


class JsonSchemaContract:
    """A contract in JSON Schema: draft 4 to 2020-12, the latter where `$schema` says nothing."""

    def __init__(self, schema: Mapping[str, Any], *, asserts_formats: bool = True) -> None:
        """Compile the schema. References to other documents are not fetched.

        Args:
            schema: The schema.
            asserts_formats: Whether a string must have the `format` that the schema names.

        Raises:
            ValueError: It is not a JSON Schema.
        """
        self._schema = dict(schema)
        self._asserts_formats = asserts_formats
        self._validator = _compile(self._schema, asserts_formats=asserts_formats)

    def json_schema(self) -> dict[str, Any]:
        """Return a copy of the schema."""
        copied: dict[str, Any] = json.loads(json.dumps(self._schema))
        return copied

    def is_met_by(self, value: Any) -> bool:
        """Judge without saying why."""
        try:
            met: bool = self._validator.is_valid(value)
        except ValueError as exc:
            if str(exc) != _TOO_DEEP:
                raise
            return False
        return met

    def judge(self, value: Any, *, lax: bool = False) -> tuple[Violation, ...]:  # noqa: ARG002
        """List everything that is wrong, up to `MAX_VIOLATIONS`. No type is converted."""
        if self.is_met_by(value):
            return ()
        found = tuple(_violation(error) for error in islice(self._told(value), MAX_VIOLATIONS))
        return found or (Violation("schema", "what the schema demands", describe(value)),)

    def mistyped(self, value: Any) -> Iterator[Mistyped]:
        """Yield where another type is due than came, in the order of the alternatives."""
        for error in self._told(value):
            yield from _mistyped(error)

    def _told(self, value: Any) -> Iterator[Error]:
        lazy = self._errors
        with suppress(ValueError):  # nested deeper than `jsonschema-rs` tells of, which is 255
            yield from _explained(lazy.of(value), lazy, self._schema)

    def excludes(self, key: str) -> bool:
        """Whether it is certain that no object with this key meets the schema."""
        return excluded_by_schema(self._schema, key)

    def coerced(self, value: Any) -> Any:
        """Return the value as it is: JSON Schema says nothing about conversion."""
        return value

    def typed(self, value: Any, *, lax: bool = False) -> Any:  # noqa: ARG002
        """Return the value as it is: JSON Schema knows no Python types."""
        return value

    @cached_property
    def _errors(self) -> LazyErrors:
        compiled = partial(_compile, asserts_formats=self._asserts_formats)
        return LazyErrors(self._schema, lambda schema, others: compiled(schema, registry=others))

    def __eq__(self, other: object) -> bool:
        """Compare the schemas, and how they are taken."""
        return (
            isinstance(other, JsonSchemaContract)
            and self._schema == other._schema
            and self._asserts_formats == other._asserts_formats
        )

    def __hash__(self) -> int:
        """Hash the names in the schema: its values may be unhashable."""
        return hash(tuple(self._schema))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the schema, to be compiled again."""
        return partial(JsonSchemaContract, asserts_formats=self._asserts_formats), (self._schema,)


def _compile(
    schema: dict[str, Any],
    *,
    asserts_formats: bool,
    registry: jsonschema_rs.Registry | None = None,
) -> Any:
    """Match patterns in linear time, or where that cannot be done, within a limit of steps."""
    engines = (
        jsonschema_rs.RegexOptions(),
        jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_LIMIT),
    )
    reason = ""
    for engine in engines:
        try:
            return jsonschema_rs.validator_for(
                schema,
                validate_formats=asserts_formats,
                retriever=_refuse_to_fetch,
                registry=registry,
                pattern_options=engine,
            )
        except (jsonschema_rs.ValidationError, ValueError) as exc:
            reason = getattr(exc, "message", str(exc))
    msg = f"not a JSON Schema: {reason}"
    raise ValueError(msg)


def _mistyped(error: Error) -> Iterator[Mistyped]:
    if error.keyword == "type":
        for due in error.details["types"]:
            if due in _TYPES:
                yield Mistyped(error.path, _TYPES[due])
    elif error.keyword in ("anyOf", "oneOf"):
        for errors in error.details["context"]:
            for inner in errors:
                yield from _mistyped(inner)


_TYPES: dict[str, type] = {"boolean": bool, "integer": int, "number": float, "string": str}
"""Types of JSON that something may be converted to, by their names."""


def _refuse_to_fetch(uri: str) -> Any:
    msg = f"`{uri}` is another document; put what it defines under `$defs`"
    raise ValueError(msg)


def _explained(
    errors: Iterator[Error], lazy: LazyErrors, document: Mapping[str, Any]
) -> Iterator[Error]:
    """Look behind references. Of several alternatives, follow the one that was meant, if any."""
    pending, opened = [errors], set()
    while pending:
        error = next(pending[-1], None)
        if error is None:
            pending.pop()
        elif error.behind is not None:
            if (error.behind, error.path) not in opened:
                opened.add((error.behind, error.path))
                pending.append(lazy.behind(error))
        elif error.keyword in ("anyOf", "oneOf"):
            alternatives = error.details["context"]
            unfolded = [[*lazy.unfolded(each, error.path)] for each in alternatives]
            meant = _meant(unfolded, error, document)
            if meant is not None and unfolded[meant] and all(alternatives):
                pending.append(iter(alternatives[meant]))
            else:
                types = _types_due(unfolded, error.path)
                is_met = not all(alternatives)
                details = {"context": unfolded, "types": types, "is_met": is_met}
                yield error._replace(details=details)
        else:
            yield error


def _violation(error: Error) -> Violation:
    expected = _EXPECTED.get(error.keyword)
    found = _FOUND.get(error.keyword, _describe_instance)
    demands = f"what `{error.keyword}` of the schema demands"
    return Violation(
        rule=error.keyword,
        expected=expected(error.details) if expected else demands,
        found=found(error.details, error.raw.instance),
        path=pointer(error.path),
    )


def _meant(
    alternatives: list[list[Error]], error: Error, document: Mapping[str, Any]
) -> int | None:
    """Pick the alternative that fits in type or, of several, by its constants.

    What is wrong is inside it, unless several are met of which one should be.
    """
    fitting = [
        n
        for n, errors in enumerate(alternatives)
        if not any(_of_other_type(e, error.path) for e in errors)
    ]
    if len(fitting) == 1:
        return fitting[0]
    schemas = at_place(document, error.raw.schema_path)
    parts = {n: at_place(schemas, (n,)) for n in fitting}
    return meant_by_constants(error.raw.instance, parts, document)


def _types_due(alternatives: list[list[Error]], path: Path) -> list[str]:
    """List the types that alternatives ask for at the very place."""
    errors = (e for each in alternatives for e in each if e.keyword == "type" and e.path == path)
    return [kind for error in errors for kind in error.details["types"]]


def _of_other_type(error: Error, path: Path) -> bool:
    return error.keyword in ("type", "const", "enum") and error.path == path


def _describe_instance(details: dict[str, Any], instance: Any) -> str:  # noqa: ARG001
    return describe(instance)


def _nothing(details: dict[str, Any], instance: Any) -> str:  # noqa: ARG001
    return ""


def _surplus(details: dict[str, Any], instance: Any) -> str:  # noqa: ARG001
    return ", ".join(property_name(name) for name in details["unexpected"][:5])


def _options(details: dict[str, Any]) -> str:
    listed = ", ".join(json.dumps(option, ensure_ascii=False) for option in details["options"])
    return shortened(f"one of {listed}", _OPTIONS_CHARS)


def _alternatives(details: dict[str, Any]) -> str:
    """Name the types of the alternatives where that tells them apart and none is met."""
    if details["is_met"]:
        return f"exactly one of {len(details['context'])} alternatives, not several"
    if len(details["types"]) >= len(details["context"]):
        return " or ".join(dict.fromkeys(details["types"]))
    return f"one of {len(details['context'])} alternatives"


_EXPECTED: dict[str, Callable[[dict[str, Any]], str]] = {
    "additionalItems": lambda _: "no further items",
    "additionalProperties": lambda _: "no other properties",
    "anyOf": _alternatives,
    "const": lambda d: json.dumps(d["expected_value"], ensure_ascii=False),
    "contains": lambda _: "an item that the schema asks for",
    "enum": _options,
    "exclusiveMaximum": lambda d: f"less than {d['limit']}",
    "exclusiveMinimum": lambda d: f"more than {d['limit']}",
    "falseSchema": lambda _: "nothing here",
    "format": lambda d: _FORMATS.get(d["format"], f"the format `{d['format']}`"),
    "maxItems": lambda d: f"at most {d['limit']} items",
    "maxLength": lambda d: f"at most {d['limit']} characters",
    "maxProperties": lambda d: f"at most {d['limit']} properties",
    "maximum": lambda d: f"at most {d['limit']}",
    "minItems": lambda d: f"at least {d['limit']} items",
    "minLength": lambda d: f"at least {d['limit']} characters",
    "minProperties": lambda d: f"at least {d['limit']} properties",
    "minimum": lambda d: f"at least {d['limit']}",
    "multipleOf": lambda d: f"a multiple of {d['multiple_of']}",
    "oneOf": _alternatives,
    "pattern": lambda d: f"a string that matches `{d['pattern']}`",
    "propertyNames": lambda _: "other property names",
    "required": lambda d: f"the property {json.dumps(d['property'], ensure_ascii=False)}",
    "type": lambda d: " or ".join(sorted(d["types"])),
    "unevaluatedItems": lambda _: "no further items",
    "unevaluatedProperties": lambda _: "no other properties",
    "uniqueItems": lambda _: "every item once",
}
"""What a keyword demands, from the details that `jsonschema-rs` gives about it."""

KEYWORDS = frozenset(_EXPECTED)
"""Keywords whose demands are told in words of the schema alone."""

_FORMATS: dict[str, str] = {
    "date-time": "a date and time with a zone, such as 2024-01-01T10:00:00Z",
    "time": "a time with a zone, such as 10:00:00Z",
}
"""Formats whose names alone do not say what is due."""

_FOUND: dict[str, Callable[[dict[str, Any], Any], str]] = {
    "additionalProperties": _surplus,
    "required": _nothing,
    "unevaluatedProperties": _surplus,
}
"""What to say of the place, where its type and size would not help."""
