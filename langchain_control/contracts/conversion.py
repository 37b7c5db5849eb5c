"""Values of another type, converted where they stand; everything around them stays as it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError

__all__ = ["Mistyped", "converted"]


class Mistyped(NamedTuple):
    """A place in a JSON value where another type is due."""

    path: Sequence[str | int]
    due: type
    """A type of Python, as pydantic converts to it and writes it as JSON."""


def converted(value: Any, mistyped: Iterable[Mistyped]) -> Any:
    """Return a copy of a JSON value with what is of another type converted as pydantic would.

    Where several types are due in one place, as in a union, the first that takes the value counts.
    """
    holder = [json.loads(json.dumps(value))]
    done = set[tuple[str | int, ...]]()
    for path, due in mistyped:
        place = (0, *path)
        if place in done:
            continue
        within: Any = holder
        for step in place[:-1]:
            within = within[step]
        try:
            within[place[-1]] = _as(due, within[place[-1]])
        except ValidationError:
            continue
        done.add(place)
    return holder[0]


def _as(kind: type, found: Any) -> Any:
    adapter = _adapter(kind)
    return adapter.dump_python(adapter.validate_json(json.dumps(found)), mode="json")


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind, config=ConfigDict(coerce_numbers_to_str=True))
