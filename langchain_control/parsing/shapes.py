"""Values in a wrapping that the contract did not ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from langchain_control.parsing.strict import MalformedJSONError, canonical, loads

__all__ = ["Unwrapped", "unwrap"]


class Unwrapped(NamedTuple):
    """A value without its wrapping, and what that was."""

    value: Any
    note: str


def unwrap(value: Any, accepts: Callable[[Any], bool]) -> Unwrapped | None:
    """Take the wrapping off a value, if what is inside is accepted and the value is not.

    Three wrappings are known, each of them met in answers of real models: JSON in a JSON string,
    an object of one key around the value (or the call of a tool around its arguments), and the
    schema given back with the data in the place of its `properties`.
    """
    if accepts(value):
        return None
    return next((inner for inner in _insides(value) if accepts(inner.value)), None)


def _insides(value: Any) -> Iterator[Unwrapped]:
    match value:
        case str():
            yield from _in_string(value, "json_in_string")
        case {"type": "object", "properties": dict() as properties}:
            yield Unwrapped(properties, "schema_echo")
        case {"name": str(), "arguments": inner, **rest} if not rest:
            yield from _in_string(inner, "tool_call_wrapper")
        case dict() if len(value) == 1:
            yield Unwrapped(next(iter(value.values())), "envelope")


def _in_string(inner: Any, note: str) -> Iterator[Unwrapped]:
    """Yield what a string holds as JSON; what is no string is there already."""
    if not isinstance(inner, str):
        yield Unwrapped(inner, note)
        return
    try:
        held = loads(inner)
        canonical(held)
    except MalformedJSONError:
        return
    yield Unwrapped(held, note)
