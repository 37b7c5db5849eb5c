"""Values in a wrapping that the contract did not ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from langchain_control.parsing.strict import MalformedJSONError, canonical, loads

__all__ = ["WRAPPER_NAMES", "Unwrapped", "may_wrap", "unwrap"]

WRAPPER_NAMES = frozenset(
    [
        *("answer", "content", "data", "json", "object", "output", "payload", "response", "result"),
        *("return", "structured_output", "structured_response", "value"),
        *("args", "arguments", "input", "parameters"),
    ]
)
"""What models call an object that they put around an answer. A name that says something, such as
`error` or `draft`, belongs to what is inside."""


class Unwrapped(NamedTuple):
    """A value without its wrapping, and what that was."""

    value: Any
    note: str


def unwrap(
    value: Any,
    accepts: Callable[[Any], bool],
    *,
    names: Collection[str],
    titles: Collection[str] = (),
) -> Unwrapped | None:
    """Take the wrapping off a value, if what is inside is accepted and the value is not.

    Three wrappings are known, each of them met in answers of real models: JSON in a JSON string,
    an object of one key around the value (or the call of a tool around its arguments), and the
    schema given back with the data in the place of its `properties`.

    A part of a broken answer must not be taken for an answer, and a lenient contract takes many
    a part. So what is inside must be an object with a key that the contract names, and where it
    stands must not be such a key.

    Args:
        value: A parsed answer.
        accepts: Tells whether a value meets the contract.
        names: The keys that the contract names. Without any, nothing is taken off.
        titles: What the contract is called. An object of one key may bear that name.
    """
    if accepts(value):
        return None
    for place, inner in _insides(value, {title.casefold() for title in titles}):
        is_meant = isinstance(inner.value, dict) and any(key in names for key in inner.value)
        if place not in names and is_meant and accepts(inner.value):
            return inner
    return None


def may_wrap(beginning: Any, *, titles: Collection[str] = ()) -> bool:
    """Say whether a value may turn out to be a wrapping once the rest of it is there."""
    if not isinstance(beginning, dict):
        return False
    envelopes = WRAPPER_NAMES | {title.casefold() for title in titles}
    keys = beginning.keys()
    return (
        keys <= _SCHEMA_KEYS
        or keys <= {"name", "arguments"}
        or (len(keys) == 1 and all(key.casefold() in envelopes for key in keys))
    )


def _insides(value: Any, titles: Collection[str]) -> Iterator[tuple[str | None, Unwrapped]]:
    """Yield what may be wrapped in a value, with the key that it stands under."""
    match value:
        case str():
            for inner in _in_string(value, "json_in_string"):
                yield None, inner
        case {"type": "object", "properties": dict() as properties} if _is_echo(value):
            yield "properties", Unwrapped(properties, "schema_echo")
        case {"name": str(), "arguments": inner, **rest} if not rest:
            for unwrapped in _in_string(inner, "tool_call_wrapper"):
                yield "arguments", unwrapped
        case dict() if len(value) == 1:
            [(key, inner)] = value.items()
            if key.casefold() in WRAPPER_NAMES or key.casefold() in titles:
                yield key, Unwrapped(inner, "envelope")


def _is_echo(value: dict[str, Any]) -> bool:
    """Whether this is a schema, but for the data in it."""
    return value.keys() <= _SCHEMA_KEYS and not any(
        isinstance(part, dict) and not _DESCRIBING_KEYS.isdisjoint(part)
        for part in value["properties"].values()
    )


def _in_string(inner: Any, note: str) -> Iterator[Unwrapped]:
    """Yield the JSON that a string holds; a value that is no string as it is."""
    if not isinstance(inner, str):
        yield Unwrapped(inner, note)
        return
    try:
        held = loads(inner)
        canonical(held)
    except MalformedJSONError:
        return
    yield Unwrapped(held, note)


_SCHEMA_KEYS = frozenset(
    [
        *("type", "properties", "required", "additionalProperties", "title", "description"),
        *("$schema", "$id", "$defs", "definitions"),
    ]
)
"""What a schema for an object consists of. With another key beside them it is no schema."""

_DESCRIBING_KEYS = frozenset(["$ref", "allOf", "anyOf", "const", "enum", "oneOf", "type"])
"""What a part of a schema consists of. Given back as it was, a schema holds no data."""
