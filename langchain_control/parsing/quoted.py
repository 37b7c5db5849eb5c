"""Strings as models write them: other quotes, raw line breaks, quotes inside quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from langchain_control.parsing.backslashes import may_stand_for_themselves, read_backslashes
from langchain_control.parsing.escapes import unescaped
from langchain_control.parsing.inner_quotes import are_between_strings
from langchain_control.parsing.quotation_marks import (
    ANY_QUOTE,
    CLOSING,
    DOUBLE_QUOTES,
    JSON_STRING,
    QUOTES,
)
from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.string_ends import Place, ends_before, surely_ends_before
from langchain_control.parsing.string_reading import Quoted, StringReading

__all__ = ["Quoted", "read_quoted"]


def read_quoted(text: str, start: int, place: Place) -> Quoted:
    """Read the string whose opening quote is at `start`.

    A string in standard JSON is read as one. Otherwise a quote ends the string if what follows can
    follow a string in this place; every other quote belongs to it.
    """
    for read in _KEY_AT_ONCE if place.is_key else _VALUE_AT_ONCE:
        if (found := read(text, start, place)) is not None:
            return found
    return StringReading(text, start, place).finish()


_Read = Callable[[str, int, Place], Quoted | None]


def _key_like(pattern: re.Pattern[str], repair: str, *, is_certain: bool) -> _Read:
    """Read keys of one damaged form."""

    def read(text: str, start: int, place: Place) -> Quoted | None:  # noqa: ARG001
        key = pattern.match(text, start)
        return key and Quoted(key[1], key.end(), [Repair(repair, start, is_certain)])

    return read


def _standard(text: str, start: int, place: Place) -> Quoted | None:
    standard = _STANDARD.match(text, start)
    if not standard or not ends_before(text, standard.end(), place):
        return None
    written = standard[0]
    if "\\" not in written:
        return Quoted(written[1:-1], standard.end(), [])
    if may_stand_for_themselves(written) and read_backslashes(written[1:-1]):
        return None
    return Quoted(json.loads(written), standard.end(), [])


def _foreign(text: str, start: int, place: Place) -> Quoted | None:
    plain = _FOREIGN.match(text, start)
    if not plain or not ends_before(text, plain.end(), place):
        return None
    return Quoted(plain[0][1:-1], plain.end(), [Repair("quotes", start)])


def _whole_line(text: str, start: int, place: Place) -> Quoted | None:
    """Read a string that ends with its line, whatever quotes are in it."""
    line = _LINE.match(text, start) if place.in_object else None
    if line is None or '"' not in line[1] or _MEMBER_INSIDE.search(line[1]):
        return None
    body = line[1]
    around = [f" {body} "[at.start() : at.start() + 3] for at in _INNER_QUOTE.finditer(body)]
    value = unescaped(body)
    if not around or len(around) % 2 or are_between_strings(around) or value is None:
        return None
    return Quoted(value, line.end(), [Repair("inner_quote", start, is_certain=True)])


def _side_by_side(text: str, start: int, place: Place) -> Quoted | None:
    """Read strings on lines of their own with nothing between them, as C and Python join them."""
    if not place.in_object:
        return None
    parts = _SIDE_BY_SIDE.match(text, start)
    if parts is None:
        return None
    value = "".join(part[1] for part in _PART.finditer(parts[0]))
    return Quoted(value, parts.end(), [Repair("concatenation", start)])


def _mixed(text: str, start: int, place: Place) -> Quoted | None:
    ends = ends_before if place.is_key else surely_ends_before
    mixed = _MIXED.match(text, start)
    if not mixed or not ends(text, mixed.end(), place):
        return None
    opening, closing = text[start], mixed[0][-1]
    if opening == closing == '"':
        return None
    is_alike = {opening, closing} <= DOUBLE_QUOTES
    kind = "quotes" if place.is_key or closing in CLOSING[opening] else "mixed_quotes"
    return Quoted(mixed[1], mixed.end(), [Repair(kind, start, is_alike)])


def _triple(text: str, start: int, place: Place) -> Quoted | None:  # noqa: ARG001
    """Read a string of Python that may hold anything but three quotes."""
    if not text.startswith(_TRIPLE, start):
        return None
    end = text.find(text[start : start + 3], start + 3)
    if end < 0:
        return None
    body, repairs = text[start + 3 : end], [Repair("triple_quotes", start)]
    if (value := unescaped(body)) is None:
        return Quoted(body, end + 3, [*repairs, Repair("unknown_escape", start)])
    return Quoted(value, end + 3, repairs)


_STANDARD = re.compile(JSON_STRING)
_FOREIGN = re.compile(r"""'[^'"\\\x00-\x1f]*+'|\u201c[^"\u201c\u201d\\\x00-\x1f]*+\u201d""")
"""The commonest strings in other quotes, with nothing in them that needs a closer look."""
_LINE = re.compile(r'"([^\n]{1,2000})"(?=,?[ \t]*+\n\s{0,100}(?:"[^"\\\n]{1,100}"\s{0,9}:|[}\]]))')
_MEMBER_INSIDE = re.compile(
    r"""[,\s"]\s*"[^"\n]{1,60}"\s{0,9}:\s{0,9}["\d{\[tfn-]|"\s{0,9}[}\]]{1,9}\s{0,9}(?:,|$)"""
)
_INNER_QUOTE = re.compile(r'(?<!\\)"')
_SIDE_BY_SIDE = re.compile(
    r'"[^"\\\n]{0,500}"(?>(?:[ \t]*+\n\s*+"[^"\\\n]{0,500}"){1,100})(?=\s{0,100}[,}])'
)
_PART = re.compile(r'"([^"\n]*+)"')
_TRIPLE = ('"""', "'''")

_UNCLOSED_KEY = re.compile(
    r"""["'\u201c]([^\s"'`\u201c\u201d:,{}\[\]](?:[^"'`\u201c\u201d:,{}\[\]\n]{0,98}[^\s"'`\u201c\u201d:,{}\[\]])?)"""
    r"""[^\S\n]{0,99}(?=:(?!\\))"""
)
_PLAINLY_UNCLOSED_KEY = re.compile(
    r"""["'\u201c]([\w$.-]{1,60})(?=:\s{0,100}(?:[{\[]|"[^"\\\n]{0,500}"\s{0,100}[,}\]\n]"""
    r"""|(?:-?[0-9][0-9.eE+-]{0,40}|true|false|null)\s{0,100}[,}\]\n]))"""
)
"""A key that lacks its quote before a value that lacks nothing."""
_KEY_WITH_COLON = re.compile(r"""["']([\w$.@ -]{1,60})(?::["'])(?=\s{0,100}["'\d{\[tfn-])""")
"""A key with its colon inside the quotes, before a value."""
_DOUBLY_QUOTED_KEY = re.compile(
    r"""(?=""|"[\w$.-]{1,60}"")"{1,3}([\w$.-]{1,60})"{1,3}(?=\s{0,100}:)"""
)
_MIXED = re.compile(rf"{ANY_QUOTE}([^{QUOTES}\\\n]{{0,200}}){ANY_QUOTE}")
"""A string between two different quotes."""
_KEY_AT_ONCE: tuple[_Read, ...] = (
    _key_like(_PLAINLY_UNCLOSED_KEY, "missing_quote", is_certain=True),
    _key_like(_DOUBLY_QUOTED_KEY, "extra_quote", is_certain=True),
    _key_like(_KEY_WITH_COLON, "missing_colon", is_certain=True),
    _standard,
    _foreign,
    _mixed,
    _key_like(_UNCLOSED_KEY, "missing_quote", is_certain=False),
    _triple,
)
_VALUE_AT_ONCE: tuple[_Read, ...] = (
    _standard,
    _side_by_side,
    _whole_line,
    _foreign,
    _mixed,
    _triple,
)
"""Ways to read a whole string by one look at it; each returns `None` if it is not of its kind."""
