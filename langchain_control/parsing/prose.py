"""Brackets in running text that are no answer."""

from __future__ import annotations

import re
from typing import Any

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
    if _EXAMPLE_BEFORE.search(text, max(0, start - 2 * _LOOK_AROUND), start):
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
_FORMAT = r"(?:format|shape|structure|schema|template|layout)"
_EXAMPLE_BEFORE = re.compile(
    r"\b(?:(?:for example|for instance|e\.g\.|such as|something like|an? \w{1,30} like)"
    r"|zum beispiel|beispielsweise|z\. ?b\.|par exemple|por ejemplo|per esempio"
    rf"|{_FORMAT} (?:is|must|will|would|should|could)\b[^.!?\n]{{0,40}}"
    r"|(?:would|should|could|must) look like\b[^.!?\n]{0,40}"
    r"|please (?:provide|send|give|use|reply|answer|enter|submit|share)\b[^.!?\n]{0,60}"
    rf"\b{_FORMAT}\b[^.!?\n]{{0,20}})"
    r"[\s:,`*]{0,20}(?:```\w{0,20}\s{0,20})?\Z",
    re.IGNORECASE,
)
"""Words before a value that only shows what an answer looks like."""
_NOTE = re.compile(rf"\[[^\[\]{{}}\n]{{0,300}}\]|\{{[^{{}}]{{0,{PROSE_LIMIT}}}\}}")
_BRACE = re.compile(r"[{}]")
_AT_MARGIN = re.compile(r"(?:\A|\n|```\w{0,20})[ \t]*\Z")
