"""Schemas to which OpenAI and others hold an answer: what `strict` asks of a schema itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["Strict", "strict"]


class Strict(NamedTuple):
    """A schema as a strict mode wants it: closed objects, all of whose properties are required."""

    schema: dict[str, Any]
    is_faithful: bool
    """Whether it asks for no more than the contract does, and the mode knows all its keywords."""


def strict(schema: Mapping[str, Any]) -> Strict:
    """Rewrite a schema for a strict mode.

    What meets the new schema meets the old one, except where `oneOf` has become `anyOf`. A faithful
    rewriting makes no optional property required, except those that take null and have it as their
    default.
    """
    rewriting = _Rewriting()
    return Strict(rewriting.of(schema), rewriting.is_faithful)


class _Rewriting:
    def __init__(self) -> None:
        self.is_faithful = True

    def of(self, schema: Any) -> Any:
        if not isinstance(schema, Mapping):
            self.is_faithful = False
            return schema
        if "$ref" in schema and len(schema) > 1:
            return self._beside_a_reference(schema)
        self.is_faithful &= _says_its_type(schema)
        rewritten: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword not in _ANNOTATIONS:
                rewritten[self._renamed(keyword, schema)] = self._part(keyword, value)
        return self._closed(rewritten, schema) if "properties" in schema else rewritten

    def _part(self, keyword: str, value: Any) -> Any:
        if keyword in _OF_SCHEMAS:
            return {name: self.of(part) for name, part in value.items()}
        if keyword in _LISTS_OF_SCHEMAS:
            return [self.of(part) for part in value]
        if keyword == "items":
            return self.of(value)
        self.is_faithful &= _is_known(keyword, value)
        return value

    def _renamed(self, keyword: str, schema: Mapping[str, Any]) -> str:
        """Write `oneOf` as `anyOf`, which the mode knows. A discriminator makes them equal."""
        if keyword == "oneOf":
            self.is_faithful &= "discriminator" in schema and "anyOf" not in schema
            return "anyOf"
        return keyword

    def _closed(self, rewritten: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
        properties, required = schema["properties"], set(schema.get("required", ()))
        optional = [part for name, part in properties.items() if name not in required]
        self.is_faithful &= required <= set(properties) and all(map(_is_null_by_default, optional))
        return {**rewritten, "required": [*properties], "additionalProperties": False}

    def _beside_a_reference(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Wrap a `$ref`, which must stand alone, in `anyOf` to keep what stands beside it."""
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        if not set(beside) <= _ANNOTATIONS | {"description", "title"}:
            self.is_faithful = False
            return dict(schema)
        return self.of({**beside, "anyOf": [{"$ref": schema["$ref"]}]})  # type: ignore[no-any-return]


def _says_its_type(schema: Mapping[str, Any]) -> bool:
    """Whether a schema states its type, and of an object or array what is in it."""
    said = schema.get("type")
    if said is None:
        return not _STAND_FOR_A_TYPE.isdisjoint(schema)
    kinds = said if isinstance(said, list) else [said]
    return all(_CONTENT[kind] in schema for kind in kinds if kind in _CONTENT)


def _is_known(keyword: str, value: Any) -> bool:
    match keyword:
        case "additionalProperties":
            return value is False
        case "format":
            return value in _FORMATS
        case "pattern":
            return "(?" not in value  # no looking around
    return keyword in _KNOWN


def _is_null_by_default(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("default", ...) is None and _takes_null(part)


def _takes_null(schema: Any) -> bool:
    """Whether a schema says so itself: what it refers to is not looked up."""
    match schema:
        case {"type": str(kind)}:
            return kind == "null"
        case {"type": [*kinds]}:
            return "null" in kinds
        case {"anyOf": choices} | {"oneOf": choices}:
            return any(map(_takes_null, choices))
    return False


_OF_SCHEMAS = frozenset(["$defs", "definitions", "properties"])
_LISTS_OF_SCHEMAS = frozenset(["anyOf", "oneOf"])
_CONTENT = {"array": "items", "object": "properties"}
"""Types that hold something, and the keywords for what it is."""
_STAND_FOR_A_TYPE = frozenset(["$ref", "anyOf", "oneOf"])
_ANNOTATIONS = frozenset(
    ["$comment", "$schema", "default", "deprecated", "discriminator", "examples", "readOnly"]
)
"""They say nothing about an answer, and a strict mode refuses them."""

_KNOWN = frozenset(
    [
        *("$ref", "const", "description", "enum", "required", "title", "type"),
        *("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
        *("maxItems", "maxLength", "minItems", "minLength"),
    ]
)
_FORMATS = frozenset(
    ["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"]
)
"""What OpenAI's strict mode keeps to, but for its fine-tuned models."""
