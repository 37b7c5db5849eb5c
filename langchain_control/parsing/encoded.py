"""JSON that was encoded once more on its way, as a whole."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import partial

from langchain_control.parsing.escapes import unescaped
from langchain_control.parsing.full_width import HOLDS_FULL_WIDTH, in_ascii
from langchain_control.parsing.margins import MARGINS

__all__ = ["decoded"]


def decoded(text: str) -> str | None:
    r"""Undo an encoding that lies over all of a text, if there is one; or several, one on another.

    Known are the escapes of a JSON string (`{\"a\": 1}`), once or more, with or without its quotes,
    and of Markdown (`\{"a": 1\}`), line breaks written as `\n` between the tokens, entities of HTML
    for the quotes, the doubled brackets of a template (`{{"a": 1}}`), the doubled quotes of CSV and
    SQL, full-width signs, and marks or numbers before each line.
    """
    plain = None
    for _ in range(_MOST_LAYERS):
        outer = _decoded_once(text)
        if outer is None:
            return plain
        plain = text = outer
    return plain


def _decoded_once(text: str) -> str | None:
    for part, encodings in _ENCODINGS.items():
        if part in text:
            for whole, decode in encodings:
                if whole.match(text):
                    return decode(text)
    if whole_margin := MARGINS.get(text[:1]):
        whole, decode_margin = whole_margin
        return decode_margin(text) if whole.match(text) else None
    if not text.isascii() and HOLDS_FULL_WIDTH.match(text):
        return in_ascii(text)
    return None


def _with_line_breaks(text: str) -> str:
    return _STRING_OR_BREAK.sub(lambda found: found[1] or " ", text)


def _with_plain_quotes(text: str) -> str:
    return _STRING_OR_ESCAPED.sub(lambda found: found[1] or f'"{found[2]}"', text)


def _with_plain_brackets(text: str) -> str:
    return _STRING_OR_BRACKET.sub(lambda found: found[1] or found[2], text)


def _with_single_braces(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


def _with_single_quotes(text: str, mark: str) -> str:
    return text.replace(mark * 2, '"' if mark == "`" else mark)


def _without_outer_braces(text: str) -> str:
    return text[text.index("{") + 1 : text.rindex("}")]


_MOST_LAYERS = 3
_STRING = r'("[^"\\]*+(?>(?:\\.[^"\\]*+)*)")'
_STRING_OR_BREAK = re.compile(rf"{_STRING}|(?>(?:\\[nrt])+)", re.DOTALL)
_STRING_OR_ESCAPED = re.compile(rf'{_STRING}|\\"([^"\\\n]{{0,500}})\\"', re.DOTALL)
_STRING_OR_BRACKET = re.compile(rf"(?<!\\){_STRING}|\\([{{}}\[\]])", re.DOTALL)
_OPENING = r'[^"{\[]*+"?[{\[]'

_ENCODINGS: dict[str, tuple[tuple[re.Pattern[str], Callable[[str], str | None]], ...]] = {
    "\\": (
        (
            re.compile(r'[^"{\[\\]*+\\[{\[]\s{0,100}(?:\\{0,3}["{\[]|\d)'),
            _with_plain_brackets,
        ),
        (re.compile(rf'{_OPENING}(?:\s|[{{\[]|\\[nrt]){{0,100}}\\{{1,4}}"'), unescaped),
        (re.compile(r'[^"{\[]*+\{\s{0,100}"[\w$. -]{1,60}\\"\s{0,9}:'), unescaped),
        (
            re.compile(r'[^"{\[]*+\{\s{0,100}"[^"\\\n]{1,60}"\s{0,9}:\s{0,9}\\"'),
            _with_plain_quotes,
        ),
        (
            re.compile(
                r'[^"{\[]*+[{\[](?:\s|[{\[]){0,100}(?:\\[nrt])(?:\\[nrt]|\s){0,100}["{\[\]}\d]'
            ),
            _with_line_breaks,
        ),
    ),
    "&": (
        (
            re.compile(r'[^"{\[]*+[{\[](?:\s|[{\[]){0,100}&(?:quot|\#34|\#x22);', re.IGNORECASE),
            html.unescape,
        ),
    ),
    "{{": (
        (
            re.compile(r"""[^"'{}]*+\{\{\s{0,100}["'](?>(?:[^{}]|\{\{|\}\})*)\Z"""),
            _with_single_braces,
        ),
        (
            re.compile(r"""\{\{\s{0,100}["'].*\}\s{0,9}\}\Z""", re.DOTALL),
            _without_outer_braces,
        ),
    ),
    **{
        mark * 2: (
            (
                re.compile(
                    rf"""[^'"`{{\[]*+{mark}?[{{\[](?:\s|[{{\[]){{0,100}}"""
                    rf"""{mark}{{2}}[^{mark},:{{}}\[\]\n]{{1,100}}{mark}{{2}}\s{{0,9}}[:,]"""
                ),
                partial(_with_single_quotes, mark=mark),
            ),
        )
        for mark in ("'", '"', "`")
    },
}
"""By a part of every text that is encoded so: the pattern that confirms it, and what undoes it."""
