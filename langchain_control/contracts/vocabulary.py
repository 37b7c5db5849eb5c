"""Which keys a contract speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from langchain_control.contracts.pointers import unescaped

__all__ = ["Vocabulary", "referred", "subschemas_of", "vocabulary_of"]


class Vocabulary(NamedTuple):
    """The keys that contracts name for the object that an answer is."""

    names: frozenset[str] = frozenset()
    """Empty also if there are contracts that speak of any key, as those of a `dict[str, int]` do:
    nothing then tells a property from what was put around the object."""
    titles: frozenset[str] = frozenset()
    """What the contracts are called."""


def vocabulary_of(schemas: Iterable[Mapping[str, Any]]) -> Vocabulary:
    """Collect the keys of JSON Schemas that hold together.

    Alternatives and references within the document are followed; other objects inside the value
    have keys of their own, which do not count.
    """
    names: set[str] = set()
    titles: set[str] = set()
    speaks_of_any = False
    for part in (part for schema in schemas for part in subschemas_of(schema)):
        names.update(part.get("properties", ()), part.get("required") or ())
        if isinstance(title := part.get("title"), str):
            titles.add(title)
        speaks_of_any |= bool(part.get("patternProperties"))
        speaks_of_any |= bool(part.get("additionalProperties")) and (
            part["additionalProperties"] is not True
        )
    return Vocabulary(frozenset() if speaks_of_any else frozenset(names), frozenset(titles))


def subschemas_of(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the schemas that speak of the value itself, not of what is in it, each once."""
    pending: list[Any] = [schema]
    met: set[int] = set()
    while pending:
        part = pending.pop()
        if not isinstance(part, Mapping) or id(part) in met:
            continue
        met.add(id(part))
        yield part
        pending += (part[keyword] for keyword in _ALSO if keyword in part)
        pending += (s for keyword in _EACH_OF for s in part.get(keyword, ()))
        if isinstance(reference := part.get("$ref"), str):
            pending.append(referred(schema, reference))


def referred(schema: Mapping[str, Any], reference: str) -> Any:
    """Follow a reference of the form `#/$defs/Name`; return `None` for others."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    found: Any = schema
    for step in reference.split("/")[1:]:
        found = found.get(unescaped(step)) if _is_object(found) else None
    return found


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


_ALSO = ("if", "then", "else")
_EACH_OF = ("allOf", "anyOf", "oneOf")
"""Keywords whose schemas speak of the same value."""
