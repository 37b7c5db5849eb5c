"""Brackets in running text that are no answer."""

from __future__ import annotations

import re
from typing import Any

from langchain_control.parsing.examples import is_introduced_as_example

__all__ = ["PROSE_LIMIT", "end_of_prose_bracket", "is_mentioned"]

PROSE_LIMIT = 2000
"""Most characters between brackets of prose or code."""


def end_of_prose_bracket(text: str, start: int) -> int | None:
    """Return where the brackets that begin at `start` and hold no JSON are closed again.

    What stands between them belongs to them: the braces of `{ return {}; }` hold no answer.
    """
    if note := _NOTE.match(text, start):
        return note.end()
    if text[start] != "{":
        return start + 1
    depth = 0
    for brace in _BRACE.finditer(text, start, start + PROSE_LIMIT):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.end()
    return None if _AT_MARGIN.search(text, max(0, start - _LOOK_AROUND), start) else start + 1


def is_mentioned(value: Any, text: str, start: int, end: int) -> bool:
    """Tell `[1]`, `[ ]` and `{}` in running text, and examples of the format, from an answer."""
    if _may_be_a_mark(value) and not _stands_apart(text, start, end):
        return True
    return is_introduced_as_example(text, start)


def _may_be_a_mark(value: Any) -> bool:
    """Whether a value is empty, or an array of nothing but numbers and constants."""
    if not value:
        return True
    return isinstance(value, list) and _WITH_WORDS.isdisjoint(map(type, value))


def _stands_apart(text: str, start: int, end: int) -> bool:
    """Whether a value has its line to itself, but for what introduces it."""
    before = text[max(0, start - _LOOK_AROUND) : start].rpartition("\n")[2].strip()
    if before and not before.endswith((":", "=", "`", "(", ">")):
        return False
    after = text[end : end + _LOOK_AROUND].partition("\n")[0].strip()
    return after.startswith("<") or not after.strip(".`;)")


_WITH_WORDS = frozenset([str, list, dict])
_LOOK_AROUND = 80
_NOTE = re.compile(rf"\[[^\[\]{{}}\n]{{0,300}}\]|\{{[^{{}}]{{0,{PROSE_LIMIT}}}\}}")
_BRACE = re.compile(r"[{}]")
_AT_MARGIN = re.compile(r"(?:\A|\n|```\w{0,20})[ \t]*\Z")
