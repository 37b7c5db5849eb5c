"""JSON in the notation of another language, put into that of JSON token by token.

Python and JavaScript write the same values with other quotes, constants, numbers, comments and
commas. None of that touches the structure, so what comes out is read as strict JSON, which takes
nothing that has a second reading; what it does not take is left to the lenient parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from langchain_control.parsing.escapes import unescaped
from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.scalars import PYTHON_CONSTANTS, loose_number
from langchain_control.parsing.strict import MalformedJSONError, decode

__all__ = ["Translated", "translate"]


class Translated(NamedTuple):
    """A value, where it ends, and the notations that it was written in."""

    value: Any
    end: int
    repairs: tuple[Repair, ...]


def translate(text: str, start: int) -> Translated | None:
    """Read the object or array at `start`, if nothing but its notation differs from JSON."""
    pieces: list[str] = []
    runs: list[tuple[int, int]] = []
    kinds: dict[str, int] = {}
    position, written = start, 0
    may_begin = True  # a value, or a key
    while step := _STEP.match(text, position):
        group = step.lastgroup or ""
        run, token = step.group("run", group)
        runs.append((position, written))
        pieces.append(run)
        if last := run.rstrip()[-1:]:
            may_begin = last in "{[,:"
        is_value = group in _VALUES
        if group == "run" or (is_value and not may_begin):
            break
        if (meant := _MEANINGS[group](token)) is None:
            break
        may_begin = may_begin and not is_value
        json_text, kind = meant
        if kind not in kinds:
            kinds[kind] = position + len(run)
        pieces.append(json_text)
        position, written = step.end(), written + len(run) + len(json_text)
    if not kinds:
        return None
    try:
        value, end = decode("".join(pieces), 0)
    except MalformedJSONError:
        return None
    run_start, run_written = next(run for run in reversed(runs) if run[1] < end)
    end = run_start + end - run_written
    found = (Repair(kind, offset) for kind, offset in kinds.items() if offset < end)
    return Translated(value, end, tuple(found))


def _quoted(token: str) -> tuple[str, str] | None:
    """Read a string in any quotes, with any escapes."""
    body = unescaped(token[1:-1]) if "\\" in token else token[1:-1]
    if body is None:
        return None
    kind = "quotes" if token[0] != '"' else "escape" if "\\" in token else "raw_control"
    return json.dumps(body, ensure_ascii=False), kind


def _word(token: str) -> tuple[str, str] | None:
    constant = PYTHON_CONSTANTS.get(token)
    return None if constant is None else (constant, "python_literal")


def _number(token: str) -> tuple[str, str] | None:
    number = loose_number(token)
    return None if number is None else (json.dumps(number), "number_format")


_MEANINGS: dict[str, Callable[[str], tuple[str, str] | None]] = {
    "comment": lambda _: ("", "comment"),
    "comma": lambda _: ("", "trailing_comma"),
    "space": lambda _: (" ", "whitespace"),
    "quoted": _quoted,
    "plain": lambda body: (f'"{body}"', "quotes"),
    "plain_smart": lambda body: (f'"{body}"', "quotes"),
    "key": lambda name: (f'"{name}"', "unquoted_key"),
    "word": _word,
    "number": _number,
}
"""For each kind of token: what it is in JSON, and which repair that is; `None` if it is unclear."""

_VALUES = _MEANINGS.keys() - {"comment", "comma", "space"}

_COMMENT = r"//[^\n]*+|\#[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/|<!--(?:[^-]|-(?!->))*+-->"
_BEFORE_CLOSER = rf"(?=(?:\s|{_COMMENT})*+[}}\]])"

_RUN = (
    r"""(?:[ \t\r\n{}\[\]:]++"""
    r"""|"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+\""""
    rf"""|,(?!{_BEFORE_CLOSER})"""
    r"""|-?[0-9][0-9.]*+(?:[eE][-+]?[0-9]++)?(?![\w.+])"""
    r"""|(?:true|false|null)\b(?!\s*+:))*+"""
)
"""What is JSON as it stands."""

_STEP = re.compile(
    rf"""(?P<run>{_RUN})(?:"""
    r"""'(?P<plain>[^'"\\\x00-\x1f]*+)'|\u201c(?P<plain_smart>[^"\u201c\u201d\\\x00-\x1f]*+)\u201d"""
    r"""|(?P<key>[A-Za-z_$][\w$-]{0,99}+)(?=\s*+:)"""
    rf"""|(?P<comma>,){_BEFORE_CLOSER}"""
    rf"""|(?P<comment>{_COMMENT})"""
    r"""|(?P<word>[A-Za-z]{1,20}+\b)"""
    r"""|(?P<quoted>"[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+'"""
    r"""|\u201c[^"\u201c\u201d]*+\u201d|`[^`$]*+`)"""
    r"""|(?P<number>[-+.]?[0-9][\w.+-]*+)"""
    r"""|(?P<space>[\s\ufeff\u200b\u2060]++))?""",
    re.DOTALL,
)
"""A run of JSON, and the token of another notation that ends it."""
