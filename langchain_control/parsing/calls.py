"""Calls of constructors that hold other values, as Python, NumPy, PHP and JavaScript write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = [
    "CALL_BEFORE",
    "CALL_END",
    "CALL_OF_ARGUMENTS",
    "CALL_OF_CONTAINER",
    "UNKNOWN_CALL_BEFORE",
    "begins_object",
    "built",
]

_MODULE = r"(?:[A-Za-z_]\w{0,30}\.){0,3}"
_OF_ITEMS = "array|list|tuple|set|frozenset|deque|asarray|tensor|Series|Set|Array"
_OF_PAIRS = "dict|OrderedDict|Counter|defaultdict|Map|MappingProxyType|mappingproxy"

_OPENING = (
    rf"(?:new\s{{1,9}})?{_MODULE}(?P<name>{_OF_ITEMS}|{_OF_PAIRS})\(\s{{0,100}}"
    r"(?:[^,(){}\[\]\"'\n]{1,60},\s{0,100})?"
)
CALL_OF_CONTAINER = re.compile(rf"{_OPENING}(?=[\[{{(])")
"""A call whose argument is an object or array: all of it is in there."""
CALL_BEFORE = re.compile(rf"(?<![\w.]){_OPENING}\Z")
"""The same, up to its argument."""
UNKNOWN_CALL_BEFORE = re.compile(r"(?<!\w)[A-Z][a-z]\w{0,40}\(\s{0,100}\Z")
"""The call of a class that may make anything of its argument."""
CALL_OF_ARGUMENTS = re.compile(r"(?P<name>array|dict|list|set|tuple|frozenset)\(")
"""A call whose arguments are the items or members."""
CALL_END = re.compile(r"\s{0,100}(?:,\s{0,100}\w{1,30}\s{0,9}=[^,(){}\[\]\n]{1,60})*,?\s{0,100}\)")
"""The end of a call, with what it says about types."""


def begins_object(call: re.Match[str]) -> bool:
    """Say whether the arguments of a call are members."""
    return call["name"] == "dict"


def built(name: str, argument: Any) -> Any:
    """Return what a call makes of its argument, or `None` if that cannot be told."""
    return _MAKERS[name](argument)


def _items(argument: Any) -> list[Any] | None:
    return argument if isinstance(argument, list) else None


def _members(argument: Any) -> dict[str, Any] | None:
    if isinstance(argument, dict):
        return argument
    members: dict[str, Any] = {}
    for pair in argument:
        match pair:
            case [str(key), value] if key not in members:
                members[key] = value
            case _:
                return None
    return members


_MAKERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_OF_ITEMS.split("|"), _items),
    **dict.fromkeys(_OF_PAIRS.split("|"), _members),
}
