"""JSON in the notation of another language, put into that of JSON token by token.

Python and JavaScript write the same values with other quotes, constants, numbers, comments and
commas. None of that touches the structure, so what comes out is read as strict JSON, which takes
nothing that has a second reading; what it does not take is left to the lenient parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import NamedTuple

from langchain_control.parsing.backslashes import may_stand_for_themselves
from langchain_control.parsing.blanks import BLANK
from langchain_control.parsing.comments import COMMENT, said_by
from langchain_control.parsing.escapes import unescaped
from langchain_control.parsing.quotation_marks import JSON_STRING
from langchain_control.parsing.repairs import Mended, Repair
from langchain_control.parsing.scalars import PYTHON_CONSTANTS, loose_number
from langchain_control.parsing.strict import MAX_DEPTH, Scanned, scan, sound_container

__all__ = ["translate"]


def translate(text: str, start: int) -> Mended | None:
    """Read the object or array at `start`, if nothing but its notation differs from JSON."""
    if "\\" in text and may_stand_for_themselves(text):
        return None
    pieces: list[str] = []
    runs: list[tuple[int, int]] = []
    kinds: dict[str, int] = {}
    position, written, depth = start, 0, 0
    may_be_deep = text.count("[") + text.count("{") > MAX_DEPTH
    may_begin = True  # a value, or a key
    while step := _STEP.match(text, position):
        group = step.lastgroup or ""
        run, token = step.group("run", group)
        runs.append((position, written))
        pieces.append(run)
        if group == "run":
            break
        if last := run.rstrip()[-1:]:
            may_begin = last in "{[,:"
        read, kind, is_value = _MEANINGS[group]
        translated = read(token) if may_begin or not is_value else None
        if translated is None:
            break
        may_begin = may_begin and not is_value
        if kind not in kinds:
            kinds.setdefault(kind or _kind_of(token), position + len(run))
        pieces.append(translated)
        if may_be_deep and (depth := depth + _opened_in(run + translated)) > MAX_DEPTH:
            break
        position, written = step.end(), written + len(run) + len(translated)
    if not kinds:
        return None
    whole = _scan_whole("".join(pieces))
    if whole.fault is not None:
        return None
    end = _place_in_text(whole.end, runs)
    found = [Repair(kind, offset) for kind, offset in kinds.items() if offset < end]
    return Mended(whole.value, end, tuple(found))


def _scan_whole(text: str) -> Scanned:
    """Read a text that as a rule is an object or array and nothing else."""
    value = sound_container(text)
    return scan(text, 0) if value is None else Scanned(0, value, len(text.rstrip()), None)


def _place_in_text(written: int, runs: list[tuple[int, int]]) -> int:
    """Return where in the text a place within or right after a run stands, as it was written."""
    while runs[-1][1] >= written:
        runs.pop()
    start, before = runs[-1]
    return start + written - before


def _opened_in(piece: str) -> int:
    """Count opening less closing brackets, those in strings included: a bound of the depth."""
    return piece.count("{") + piece.count("[") - piece.count("}") - piece.count("]")


def _quoted(token: str) -> str | None:
    """Read a string in any quotes, with any escapes."""
    body = unescaped(token[1:-1]) if "\\" in token else token[1:-1]
    return None if body is None else encode_basestring(body)


def _kind_of(token: str) -> str:
    """Say what is wrong with a string."""
    if token[0] != '"':
        return "quotes"
    return "escape" if "\\" in token else "raw_control"


def _commented(token: str) -> str | None:
    """Put a blank for a comment, unless it says something about what is missing or uncertain."""
    return " " if said_by(token) == "comment" else None


def _commented_at_end(token: str) -> str | None:
    """Put a blank for a comment before the end of an array, unless it is about what is missing."""
    return " " if said_by(token, at_end=True) == "comment" else None


def _number(token: str) -> str | None:
    number = loose_number(token)
    return None if number is None else json.dumps(number)


def _single_quoted(token: str) -> str:
    """Put strings, with JSON but no other strings between them, into double quotes."""
    return token.replace("'", '"')


def _smart_quoted(token: str) -> str:
    """Put strings in typographic quotes, with JSON but no other strings between them, likewise."""
    return token.replace("\u201c", '"').replace("\u201d", '"')


class _Meaning(NamedTuple):
    """What a token of one kind is in JSON."""

    read: Callable[[str], str | None]
    """Returns the token as JSON has it, or `None` if it is unclear."""
    repair: str | None = None
    """The kind of repair that this is; without one, the token tells."""
    is_value: bool = True
    """Whether it is a key or value, which may not stand just anywhere."""


_MEANINGS = {
    "comment": _Meaning(_commented, "comment", is_value=False),
    "remark": _Meaning(_commented_at_end, "comment", is_value=False),
    "comma": _Meaning(lambda _: "", "trailing_comma", is_value=False),
    "space": _Meaning(lambda _: " ", "whitespace", is_value=False),
    "single_quoted": _Meaning(_single_quoted, "quotes"),
    "smart_quoted": _Meaning(_smart_quoted, "quotes"),
    "quoted": _Meaning(_quoted),
    "key": _Meaning('"{}"'.format, "unquoted_key"),
    "word": _Meaning(PYTHON_CONSTANTS.get, "python_literal"),
    "number": _Meaning(_number, "number_format"),
}
"""By the group of `_STEP` that matched."""

_BEFORE_CLOSER = rf"(?=(?>(?:\s|{COMMENT})*)[}}\]])"

_WITHOUT_STRINGS = (
    r"""[ \t\r\n{}\[\]:]++"""
    rf"""|,(?!{_BEFORE_CLOSER})"""
    r"""|-?[0-9][0-9.]*+(?:[eE][-+]?[0-9]++)?(?![\w.+])"""
    r"""|(?:true|false|null)\b(?!\s*+:)"""
)
_BEFORE_STRING = r"(?>[ \t\r\n{}\[\]:]*+(?:,[ \t\r\n]*+)?)"
"""What nearly always stands before a string: less than may stand there, and faster to read."""
_PLAIN_STRING = r'"[^"\\\x00-\x1f]*+"'
_RUN = rf"(?>(?:{_BEFORE_STRING}{_PLAIN_STRING}|{_WITHOUT_STRINGS}|{JSON_STRING})*)"
"""What is JSON as it stands."""


def _run_of(string: str) -> str:
    """Return what is JSON from one string to another, but for their quotes."""
    return rf"{string}(?>(?:{_BEFORE_STRING}{string}|(?>(?:{_WITHOUT_STRINGS})*){string})*)"


_SINGLE_QUOTED = _run_of(r"""'[^'"\\\x00-\x1f]*+'""")
_SMART_QUOTED = _run_of(r"""\u201c[^"\u201c\u201d\\\x00-\x1f]*+\u201d""")

_STEP = re.compile(
    rf"""(?P<run>{_RUN})(?:(?P<single_quoted>{_SINGLE_QUOTED})|(?P<smart_quoted>{_SMART_QUOTED})"""
    r"""|(?P<key>[A-Za-z_$][\w$-]{0,99}+)(?=\s*+:)"""
    rf"""|(?P<comma>,){_BEFORE_CLOSER}"""
    rf"""|(?P<remark>{COMMENT})(?=\s*+,?\s*+\])|(?P<comment>{COMMENT})"""
    r"""|(?P<word>[A-Za-z]{1,20}+\b)"""
    r"""|(?P<quoted>"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"|'[^'\\]*+(?>(?:\\.[^'\\]*+)*)'"""
    r"""|\u201c[^"\u201c\u201d]*+\u201d|`[^`$]*+`)"""
    r"""|(?P<number>[-+.]?[0-9][\w.+-]*+)"""
    rf"""|(?P<space>[{BLANK}]++))?""",
    re.DOTALL,
)
"""A run of JSON, and the token of another notation that ends it."""
