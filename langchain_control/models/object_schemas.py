"""A contract as providers take it: an object at the root, with its properties spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["Kind", "as_object", "kind_of"]

Kind = Literal["object", "array", "value"]
"""What a contract asks for: `value` is a scalar, or one of several kinds."""

_DEFINITIONS = ("$defs", "definitions")
_ALTERNATIVES = frozenset(["anyOf", "oneOf", "allOf", "enum", "const", "not", "if"])
"""No provider takes a root that is defined by one of these and has no properties."""


def as_object(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Say the same with the keywords that providers, and LangChain, look for.

    A root that only refers to a definition, as that of a recursive model does, becomes that
    definition; keys that are required without being described are described as anything. LangChain
    drops a schema without `properties`, and the name and description with a reference.

    Returns:
        `None` if the contract is no object, which is all that tools and schema modes take.
    """
    root = _dereferenced(schema)
    if root is None or not _is_object(root):
        return None
    if "properties" in root:
        return {"type": "object", **root}
    anything: dict[str, Any] = {key: {} for key in root.get("required", ())}
    return {"type": "object", "additionalProperties": True, **root, "properties": anything}


def kind_of(schema: Mapping[str, Any]) -> Kind:
    """Say what kind of JSON a contract asks for."""
    if as_object(schema) is not None:
        return "object"
    root = _dereferenced(schema)
    return "array" if root is not None and root.get("type") == "array" else "value"


def _dereferenced(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Put the definition in the place of a root that only refers to it."""
    root, seen = dict(schema), set()
    while (reference := root.get("$ref")) is not None:
        found = _definitions(schema).get(reference)
        if found is None or reference in seen:
            return None
        seen.add(reference)
        beside = {key: value for key, value in root.items() if key != "$ref"}
        root = {**found, **beside}
    return root


def _definitions(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        f"#/{place}/{name}": definition
        for place in _DEFINITIONS
        for name, definition in schema.get(place, {}).items()
        if isinstance(definition, Mapping)
    }


def _is_object(root: Mapping[str, Any]) -> bool:
    kind = root.get("type", "object" if {"properties", "required"} & set(root) else "anything")
    says_all = "properties" in root or _ALTERNATIVES.isdisjoint(root)
    return says_all and bool(kind == "object")
