"""Values of another type, converted where they stand; everything around them stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from pydantic import ConfigDict, TypeAdapter, ValidationError

from langchain_control.contracts.sameness import same

__all__ = ["Mistyped", "converted", "first_read_alike"]

Way = Callable[[Any, Any], Any]
"""Makes a JSON value of one that does not fit, and of the object that a type reads from it."""


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


def first_read_alike(
    value: Any, ways: Iterable[Way], *, lax: Callable[[Any], Any], strict: Callable[[Any], Any]
) -> Any:
    """Convert a JSON value in the first way that makes of it what strict reading takes.

    Strict reading must give the object that lax reading gives of the value itself, unless that is
    another one each time.

    Args:
        value: What does not fit.
        ways: How it may be converted, the most faithful first.
        lax: Reads it and converts types.
        strict: Reads it and converts none. Both raise where they cannot.

    Returns:
        What has become of it, or the value as it is: whoever judges that says why, or raises it.
    """
    with suppress(Exception):
        due = lax(value)
        comparable = same(lax(value), due)
        for convert in ways:
            with suppress(Exception):
                fitted = convert(value, due)
                if same(strict(fitted), due) or not comparable:
                    return fitted
    return value


def _as(kind: type, found: Any) -> Any:
    adapter = _adapter(kind)
    return adapter.dump_python(adapter.validate_json(json.dumps(found)), mode="json")


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind, config=ConfigDict(coerce_numbers_to_str=True))
