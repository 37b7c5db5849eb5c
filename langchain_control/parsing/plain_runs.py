"""Members and items that need no closer look, read as far as they go."""

from __future__ import annotations

import re
from typing import Any

from langchain_control.parsing.containers import Container, Due
from langchain_control.parsing.scalars import JSON_CONSTANTS, plain_number

__all__ = ["read_plain"]


def read_plain(text: str, start: int, container: Container) -> int:
    """Add standard members or items to a container, and return where they end.

    The last one may be a key whose value needs a closer look: the container then waits for it.
    """
    position = start
    while (form := _due_form(container)) and (plain := form.match(text, position)):
        position = plain.end()
        key, lone_key = plain.group("key", "lone_key")
        if lone_key is not None:
            container.key, container.due = lone_key, Due.VALUE
            break
        if key is not None:
            container.key = key
        container.put(_value(plain))
        if plain["comma"]:
            container.due = Due.NEXT
    return position


def _due_form(container: Container) -> re.Pattern[str] | None:
    """Return what a container waits for, if that is no comma."""
    if container.due is Due.COMMA:
        return None
    if isinstance(container.items, list):
        return _ITEM
    return _VALUE_OF_KEY if container.due is Due.VALUE else _MEMBER


def _value(plain: re.Match[str]) -> Any:
    string, number = plain.group("string", "number")
    if string is not None:
        return string
    return JSON_CONSTANTS[plain["constant"]] if number is None else plain_number(number)


_SPACE = r"[ \t\r\n]*+"
_STRING = r'"(?P<string>(?P<bracket>[{\[])?+[^"\\\x00-\x1f]*+)"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?"
_VALUE = rf"(?:{_STRING}|(?P<constant>true|false|null)|(?P<number>{_NUMBER})){_SPACE}"
_NO_KEY = r"(?P<key>(?P<colon>(?!)))?(?P<lone_key>(?!))?"
"""Matches nothing, but has the groups of a key, so that all forms are read alike."""
_KEY_FOLLOWS = rf'"[^"\\\n]{{1,200}}"{_SPACE}:'
_FOREIGN_KEY_FOLLOWS = rf"'[^'\n]{{0,200}}'{_SPACE}:|[\w$.-]{{1,100}}{_SPACE}:"


def _followed(comma_before: str, closer: str, *, after_string: str, after_scalar: str) -> str:
    """Return the pattern of what certainly follows a value.

    Less is certain after a key that holds a colon, as its quote may be missing, and after a string
    that begins with a bracket, as it may be JSON that goes on.
    """
    return (
        rf"(?:(?P<comma>,){_SPACE}(?={comma_before})|(?={closer}{_SPACE}(?:[,}}\]]|\Z))"
        r"|(?(colon)(?!))(?:\Z"
        rf"|(?(string)(?(bracket)(?!)|(?={after_string}))|(?={after_scalar}))))"
    )


_AFTER_VALUE = _followed(
    _KEY_FOLLOWS,
    r"\}",
    after_string=rf",{_SPACE}(?:[}}\],]|{_FOREIGN_KEY_FOLLOWS})|{_KEY_FOLLOWS}",
    after_scalar=r"[}\]]|,(?![0-9])",
)
_MEMBER = re.compile(
    r'"(?P<key>[^"\\:\x00-\x1f]*+(?P<colon>:[^"\\\x00-\x1f]*+)?+)"'
    rf"{_SPACE}:{_SPACE}{_VALUE}{_AFTER_VALUE}"
    rf'|"(?P<lone_key>[^"\\:\x00-\x1f]*+)"{_SPACE}:(?![:=]|[ \t]*+\n)'
)
_VALUE_OF_KEY = re.compile(rf'{_NO_KEY}(?!"[{{\[]){_VALUE}{_AFTER_VALUE}')
_ITEM = re.compile(
    _NO_KEY
    + _VALUE
    + _followed(
        rf'"[^"\\\n]{{1,200}}"{_SPACE}[,\]]|-?\d|[{{\[]',
        r"\]",
        after_string=rf""",{_SPACE}(?:["'}}\]{{\[,]|-?[0-9])""",
        after_scalar=r"[,}\]]",
    )
)
"""What is standard JSON, before others of that kind, the end of the container or of the text."""
