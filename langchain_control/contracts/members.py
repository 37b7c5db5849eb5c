"""Which members an object may have, where its contract names them all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_control.contracts.vocabulary import referred, subschemas_of

__all__ = ["all_members"]

_NAMES_FROM_ELSEWHERE = frozenset(
    ("patternProperties", "propertyNames", "dependentSchemas", "$dynamicRef", "$recursiveRef")
)
_OTHERS = ("additionalProperties", "unevaluatedProperties")
_SAYS_WHAT_IT_IS = frozenset(
    ("properties", "$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "enum", "const")
)


def all_members(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of all members that an object may have by a JSON Schema.

    A schema that names properties and says nothing of others is taken to name them all, as people
    and models read it.

    Returns:
        The names; empty if the schema invites others, or does not say.
    """
    named: set[str] = set()
    needed: set[str] = set()
    for part in subschemas_of(schema):
        if _invites_others(part, schema):
            return frozenset()
        named.update(part.get("properties", ()))
        needed.update(part.get("required") or ())
    return frozenset(named) if needed <= named else frozenset()


def _invites_others(part: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    if not _NAMES_FROM_ELSEWHERE.isdisjoint(part):
        return True
    if any(part.get(keyword, False) is not False for keyword in _OTHERS):
        return True
    reference = part.get("$ref")
    if reference is not None and not isinstance(referred(schema, str(reference)), Mapping):
        return True
    return _may_be_an_object(part) and _SAYS_WHAT_IT_IS.isdisjoint(part)


def _may_be_an_object(part: Mapping[str, Any]) -> bool:
    kinds = part.get("type", "object")
    return "object" in (kinds if isinstance(kinds, list) else [kinds])
