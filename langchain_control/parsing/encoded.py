"""JSON that was encoded once more on its way, as a whole."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from langchain_control.parsing.escapes import unescaped

__all__ = ["decoded"]


def decoded(text: str) -> str | None:
    r"""Undo an encoding that lies over all of a text, if there is one.

    Six are known: the escapes of a JSON string without its quotes (`{\"a\": 1}`), line breaks
    written as `\n` between the tokens, entities of HTML for the quotes, the doubled brackets of a
    template (`{{"a": 1}}`), the doubled quotes of CSV and SQL, and the marks of a quotation before
    each line.
    """
    for part, whole, decode in _ENCODINGS:
        if part in text and whole.match(text):
            return decode(text)
    return None


def _with_line_breaks(text: str) -> str:
    return _STRING_OR_BREAK.sub(lambda found: found[1] or " ", text)


def _with_single_braces(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


def _without_marks(text: str) -> str:
    return _MARK.sub("", text)


_STRING_OR_BREAK = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")|(?:\\[nrt])++', re.DOTALL)
_MARK = re.compile(r"^[ \t]*+(?:>[ ]?)++", re.MULTILINE)

_ENCODINGS: tuple[tuple[str, re.Pattern[str], Callable[[str], str | None]], ...] = (
    ('\\"', re.compile(r'[^"{\[]*+[{\[](?:\s|[{\[]|\\[nrt]){0,100}\\"'), unescaped),
    (
        "\\",
        re.compile(r'[^"{\[]*+[{\[](?:\s|[{\[]){0,100}(?:\\[nrt])(?:\\[nrt]|\s){0,100}["{\[\]}\d]'),
        _with_line_breaks,
    ),
    (
        "&",
        re.compile(r'[^"{\[]*+[{\[](?:\s|[{\[]){0,100}&(?:quot|\#34|\#x22);', re.IGNORECASE),
        html.unescape,
    ),
    (
        "{{",
        re.compile(r"""[^"'{}]*+\{\{\s{0,100}["'](?:[^{}]|\{\{|\}\})*+\Z"""),
        _with_single_braces,
    ),
    (
        '""',
        re.compile(r"""[^'"{\[]*+"?[{\[](?:\s|[{\[]){0,100}""[^",:{}\[\]]{1,100}""\s{0,9}[:,]"""),
        lambda text: text.replace('""', '"'),
    ),
    (
        "''",
        re.compile(r"""[^'"{\[]*+'?[{\[](?:\s|[{\[]){0,100}''[^',:{}\[\]]{1,100}''\s{0,9}[:,]"""),
        lambda text: text.replace("''", "'"),
    ),
    (">", re.compile(r"\s*+>(?:[^\n]*+\n\s*+>)*+[^\n]*+\s*+\Z"), _without_marks),
)
"""A part of every text that is encoded so, how to be sure of it, and how to undo it."""
