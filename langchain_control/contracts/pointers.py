"""Places in a JSON value, and what is found there, told without quoting it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sized
from typing import Any

from langchain_control._shortening import shortened

__all__ = ["describe", "escaped", "pointer", "property_name", "unescaped"]

_KEY_CHARS = 40
_POINTER_CHARS = 200


def pointer(path: Iterable[str | int]) -> str:
    """Write a path as JSON Pointer (RFC 6901), shortened where keys are the model's and long."""
    text = "".join(f"/{escaped(shortened(str(part), _KEY_CHARS))}" for part in path)
    return shortened(text, _POINTER_CHARS)


def escaped(step: str) -> str:
    """Write a key as a step of a JSON Pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def unescaped(step: str) -> str:
    """Return the key that a step of a JSON Pointer stands for."""
    return step.replace("~1", "/").replace("~0", "~")


def property_name(name: str) -> str:
    """Quote a property name, shortened if it is long."""
    return json.dumps(shortened(name, _KEY_CHARS), ensure_ascii=False)


def describe(value: Any) -> str:
    """Say what a value is: literally if it is a number or a constant, else by type and size."""
    match value:
        case None | bool():
            return json.dumps(value)
        case int() | float():
            return _number(value)
        case str():
            return _counted("string", value, "character")
        case list():
            return _counted("array", value, "item")
        case dict():
            return _counted("object", value, "key")
    return type(value).__name__


def _counted(kind: str, value: Sized, unit: str) -> str:
    return f"{kind} of {len(value)} {unit}{'' if len(value) == 1 else 's'}"


def _number(value: float) -> str:
    # `repr` refuses integers beyond 4,300 digits, which a lenient parser can build.
    if isinstance(value, int) and value.bit_length() > 64:  # noqa: PLR2004
        return "a very large number"
    return repr(value)
