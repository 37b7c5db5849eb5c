"""Which keys no object may have that meets a contract: told only where that is certain.

Whatever else a contract asks for, a key that it excludes cannot be asked for beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_control.contracts.vocabulary import referred

__all__ = ["excluded_by_schema", "excluded_by_type"]


def excluded_by_schema(schema: Mapping[str, Any], key: str) -> bool:
    """Whether no object with this key meets a JSON Schema, by its types and closed objects."""
    return _excluded_by_part(schema, key, schema, frozenset())


def _excluded_by_part(
    part: Any, key: str, schema: Mapping[str, Any], followed: frozenset[str]
) -> bool:
    if not isinstance(part, Mapping):
        return part is False
    if part is not schema and not {"$id", "id"}.isdisjoint(part):  # its references are its own
        return False
    if isinstance(reference := part.get("$ref"), str):  # in old drafts nothing beside it counts
        to = referred(schema, reference)
        is_new = reference not in followed
        return is_new and _excluded_by_part(to, key, schema, followed | {reference})
    kinds = part.get("type", "object")
    is_no_object = "object" not in (kinds if isinstance(kinds, list) else [kinds])
    is_closed = part.get("additionalProperties") is False and not part.get("patternProperties")
    if is_no_object or (is_closed and key not in part.get("properties", ())):
        return True
    return any(
        keyword in part
        and how(_excluded_by_part(one, key, schema, followed) for one in part[keyword])
        for keyword, how in (("allOf", any), ("anyOf", all), ("oneOf", all))
    )


def excluded_by_type(core_schema: Mapping[str, Any], key: str) -> bool:
    """Whether no object with this key is read as a type, by the core schema pydantic makes of it.

    A validator that sees a value first may take a key out of it, so that nothing is certain.
    """
    return _excluded_by_core(core_schema, key, {})


def _excluded_by_core(core: Mapping[str, Any], key: str, known: Mapping[str, Any]) -> bool:
    match core:
        case {"type": "union", "choices": choices}:
            each = (one[0] if isinstance(one, tuple) else one for one in choices)
            return all(_excluded_by_core(one, key, known) for one in each)
        case {"type": "model-fields" | "typed-dict", "fields": fields}:
            inherited = core.get("config", {}).get("extra_fields_behavior")
            is_closed = core.get("extra_behavior", inherited) == "forbid"
            return is_closed and key not in _names_of(fields)
        case {"type": "definitions", "schema": inner, "definitions": definitions}:
            known = {one["ref"]: one for one in definitions}
        case {"type": "definition-ref", "schema_ref": ref} if ref in known:
            inner = known[ref]
            known = {name: one for name, one in known.items() if name != ref}
        case {"type": "model", "schema": {"type": "model-fields"} as read, "custom_init": False}:
            inner = {"config": core.get("config", {}), **read}
        case {"type": "nullable" | "default" | "function-after", "schema": inner}:
            pass
        case _:
            return core["type"] in _NEVER_OBJECTS
    return _excluded_by_core(inner, key, known)


def _names_of(fields: Mapping[str, Any]) -> set[str]:
    """Return all names by which a field may be read, its own included."""
    names = set(fields)
    for field in fields.values():
        alias = field.get("validation_alias", ())
        names.update([alias] if isinstance(alias, str) else _first_steps(alias))
    return names


def _first_steps(alias: Any) -> list[str]:
    """Return the keys that paths to a field begin with; of several paths or of one."""
    paths = alias if alias and isinstance(alias[0], list) else [alias]
    return [str(path[0]) for path in paths if path]


_NEVER_OBJECTS = frozenset(
    ("bool", "float", "frozenset", "int", "list", "literal", "none", "set", "str", "tuple")
)
"""What pydantic reads from no JSON object, by the types of its core schemas."""
