"""Which alternative of a union an object was meant for, told by its constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from langchain_control.contracts.pointers import unescaped

__all__ = ["at_place", "meant_by_constants"]

_MAX_REFERENCES = 8
"""How many references in a row are followed."""

Name = TypeVar("Name")


def meant_by_constants(
    value: Any, alternatives: Mapping[Name, Any], document: Mapping[str, Any]
) -> Name | None:
    """Pick the alternative that has the constants of an object, as `{"action": "refund"}`.

    Args:
        value: What meets none of them.
        alternatives: Their JSON Schemas.
        document: What references in them are relative to.

    Returns:
        The one of which more constants are met, and fewer are not, than of any other; `None` if
        there is none.
    """
    if not isinstance(value, dict):
        return None
    met = {name: _constants_met(value, part, document) for name, part in alternatives.items()}
    scores = {name: 2 * sum(each) - len(each) for name, each in met.items()}
    best = [name for name, score in scores.items() if score == max(scores.values())]
    return best[0] if len(best) == 1 and any(met[best[0]]) else None


def at_place(document: Any, steps: Any) -> Any:
    """Return a part of a JSON document; `None` if there is no such part."""
    for step in steps:
        match document:
            case dict() if str(step) in document:
                document = document[str(step)]
            case list() if str(step).isdecimal() and int(step) < len(document):
                document = document[int(step)]
            case _:
                return None
    return document


def _constants_met(value: dict[str, Any], schema: Any, document: Mapping[str, Any]) -> list[bool]:
    properties = _resolved(schema, document).get("properties")
    if not isinstance(properties, Mapping):
        return []
    options = {
        name: _options(_resolved(part, document))
        for name, part in properties.items()
        if name in value
    }
    return [_is_among(value[name], among) for name, among in options.items() if among]


def _resolved(schema: Any, document: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(_MAX_REFERENCES):
        match schema:
            case {"$ref": str(reference)} if reference.startswith("#/"):
                schema = at_place(document, map(unescaped, reference.split("/")[1:]))
            case _:
                break
    return schema if isinstance(schema, Mapping) else {}


def _options(schema: Mapping[str, Any]) -> list[Any]:
    options = [schema["const"]] if "const" in schema else schema.get("enum")
    return options if isinstance(options, list) else []


def _is_among(value: Any, options: list[Any]) -> bool:
    return any(type(value) is type(option) and value == option for option in options)
