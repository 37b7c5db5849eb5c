"""Marks before each line: of quotations, differences, comments, tables, and numbers of lines."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["MARGINS"]


def _marked(mark: str) -> re.Pattern[str]:
    """Return what matches a text of which every line begins with a mark."""
    sign = re.escape(mark)
    return re.compile(rf"\s*+{sign}(?>(?:[^\n]*+\n\s*+{sign})*)[^\n]*+\s*+\Z")


def _without_marks(text: str) -> str:
    """Remove the mark before each line."""
    return _MARK.sub("", text)


def _without_numbers(text: str) -> str | None:
    """Remove the number before each line, if they count the lines."""
    numbers = [int(found[1]) for found in _NUMBER.finditer(text)]
    counted = range(numbers[0], numbers[0] + len(numbers)) if numbers else ()
    return _NUMBER.sub("", text) if numbers == list(counted) else None


_MARK = re.compile(r"^[ \t]*+(?:(?>(?:>[ ]?)+)|//|[+|])", re.MULTILINE)
_NUMBER = re.compile(r"^[ \t]*+(\d{1,6})(?:[:.|)]|(?=\s))", re.MULTILINE)
_NUMBERED = re.compile(
    r"\s*+\d{1,6}[:.|)]?\s++[{\[](?>(?:[^\n]*+\n\s*+\d{1,6}[:.|)\s])*)[^\n]*+\s*+\Z"
)
"""A text of which every line begins with a number, the first one before a bracket."""

MARGINS: dict[str, tuple[re.Pattern[str], Callable[[str], str | None]]] = {
    **{mark[0]: (_marked(mark), _without_marks) for mark in (">", "+", "|", "//")},
    **dict.fromkeys("0123456789", (_NUMBERED, _without_numbers)),
}
"""By the first character of a text: the pattern that confirms a margin, and what removes it."""
