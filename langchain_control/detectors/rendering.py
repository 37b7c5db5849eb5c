"""What a template makes of an object that is put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

__all__ = ["held_by", "rendered"]


def held_by(value: Any) -> dict[Any, Any]:
    """Return the values that an object shows in its generated `repr`, by their names.

    Those of a pydantic model, a dataclass or a member of an enumeration; of others, and where one
    of them fails to tell, none. Never raises.
    """
    held: dict[Any, Any] = _tried(_held_by, value, {})
    return held


def _held_by(value: Any) -> dict[Any, Any]:
    if hasattr(type(value), "__repr_args__"):
        return dict(value.__repr_args__())
    if isinstance(value, Enum):
        return {value.name: value.value}
    if is_dataclass(type(value)):
        return {shown.name: getattr(value, shown.name) for shown in fields(value) if shown.repr}
    return {}


def rendered(value: Any, held: Mapping[Any, Any]) -> str:
    """Return the text of an object as a prompt would have it. Never raises.

    A template shows an object by its `str`, and one within another by its `repr`. As a rule one of
    them holds the other and is what is returned, without the name of the class if that is all the
    `repr` adds. Of bytes the text they hold is returned.

    Args:
        value: The object.
        held: What it holds. A text that was generated from this, and says nothing else, is none.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        text: str = _tried(_decoded, value, "")
        return text
    kind: Any = type(value)
    if kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
        return ""
    generated = _tried(lambda it: {*_generated(it, held)}, value, set()) if held else set()
    alone, within = (_tried(show, value, "") for show in (str, repr))
    alone, within = ("" if text in generated else text for text in (alone, within))
    if within in alone or _without_name(within.replace(alone, "", 1), kind) == "":
        return alone
    return within if alone in within else f"{alone}\n{within}"


def _generated(value: Any, held: Mapping[Any, Any]) -> Iterator[str]:
    """Say how an object is shown whose class leaves that to pydantic, dataclasses or enum."""
    name = type(value).__name__
    pairs = [f"{key}={entry!r}" for key, entry in held.items()]
    yield " ".join(pairs)
    yield f"{name}({', '.join(pairs)})"
    yield f"{type(value).__qualname__}({', '.join(pairs)})"
    for key, entry in held.items():
        yield from (f"{name}.{key}", f"<{name}.{key}: {entry!r}>", str(entry))


def _without_name(text: str, kind: type) -> str:
    return text.removeprefix(kind.__name__).strip("()'\"")


def _tried(function: Callable[[Any], Any], value: Any, default: Any) -> Any:
    try:
        return function(value)
    except Exception:  # noqa: BLE001  (a foreign object may refuse in any way)
        return default


def _decoded(data: bytes | bytearray | memoryview) -> str:
    """Return the text in bytes. There is none in media, which have a NUL and are no UTF-8."""
    try:
        return bytes(data).decode()
    except UnicodeDecodeError:
        return "" if b"\0" in bytes(data) else bytes(data).decode(errors="replace")
