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
    if is_introduced_as_example(text, start):
        return True
    if value and (
        not isinstance(value, list) or any(isinstance(x, str | list | dict) for x in value)
    ):
        return False
    before = text[max(0, start - _LOOK_AROUND) : start].rpartition("\n")[2].strip()
    after = text[end : end + _LOOK_AROUND].partition("\n")[0].strip()
    introduced = not before or before.endswith((":", "=", "`", "(", ">"))
    return not introduced or not (after.startswith("<") or not after.strip(".`;)"))


_LOOK_AROUND = 80
_NOTE = re.compile(rf"\[[^\[\]{{}}\n]{{0,300}}\]|\{{[^{{}}]{{0,{PROSE_LIMIT}}}\}}")
_BRACE = re.compile(r"[{}]")
_AT_MARGIN = re.compile(r"(?:\A|\n|```\w{0,20})[ \t]*\Z")
