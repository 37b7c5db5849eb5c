"""Members and items that need no closer look, read as far as they go."""

from __future__ import annotations

import re
from typing import Any

from langchain_control.parsing.containers import Container, Due
from langchain_control.parsing.scalars import JSON_CONSTANTS, plain_number

__all__ = ["read_plain"]


def read_plain(text: str, start: int, container: Container) -> int:
    """Add standard members or items to a container, and return where they end."""
    pattern = _MEMBER if isinstance(container.items, dict) else _ITEM
    position = start
    while container.due in (Due.FIRST, Due.NEXT) and (plain := pattern.match(text, position)):
        if plain["key"] is not None:
            container.key = plain["key"]
        container.put(_value(plain))
        if plain["comma"]:
            container.due = Due.NEXT
        position = plain.end()
    return position


def _value(plain: re.Match[str]) -> Any:
    string, number = plain["string"], plain["number"]
    if string is not None:
        return string
    return JSON_CONSTANTS[plain["constant"]] if number is None else plain_number(number)


_VALUE = (
    r'(?:"(?P<string>[^"\\\x00-\x1f]*+)"|(?P<constant>true|false|null)'
    r"|(?P<number>-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?))\s*+"
)
_KEY = r'"(?P<key>[^"\\\x00-\x1f]*+)"\s*+:\s*+'
_MEMBER = re.compile(
    rf'{_KEY}{_VALUE}(?:(?P<comma>,)\s*+(?="[^"\\\n]{{1,200}}"\s*+:)|(?=\}}\s*+(?:[,}}\]]|\Z)))'
)
_ITEM = re.compile(
    rf'(?P<key>(?!))?{_VALUE}(?:(?P<comma>,)\s*+(?="[^"\\\n]{{1,200}}"\s*+[,\]]|-?\d|[{{\[])|(?=\]\s*+(?:[,}}\]]|\Z)))'
)
"""Members and items in standard JSON, before others of that kind or the end of the container."""
