"""Comments in all notations, and those that say that something was left out."""

from __future__ import annotations

import re

from langchain_control.parsing.blanks import BLANK

__all__ = ["BULLET", "COMMENT", "NOTE", "SPACE_OR_COMMENT", "announces_omission"]

COMMENT = (
    r"//[^\n]*+|(?<![\w\"'])\#(?![0-9a-fA-F]{3,8}\s{0,100}[,}\]])[^\n]*+"
    r"|/\*(?:[^*]|\*(?!/))*+\*/|<!--(?:[^-]|-(?!->))*+-->"
)
"""Those of JavaScript, Python, C and HTML. `#ff8800` before a comma is a color."""

SPACE_OR_COMMENT = re.compile(
    rf"[{BLANK}]++|(?P<comment>{COMMENT}|<--[^\n]*+|--[ \t][^\n]*+)"
    rf"|<br\s{{0,9}}/?>|(?P<dressing>\*{{1,3}}(?=[\"'])|(?<=[\"'])\*{{1,3}}(?=\s{{0,9}}[:,}}\]\n]))"
)

BULLET = re.compile(r"(?:[-*\u2022]|\d{1,3}[.)])[ \t]+(?=[\"'{\[])")
"""What Markdown puts before the items of a list."""

NOTE = re.compile(r"\([^()\[\]{}\"\n]{1,200}\)(?=[ \t]*+,?[ \t]*+(?:\n|\Z))")
"""A note in parentheses at the end of a line."""


def announces_omission(comment: str) -> bool:
    """Say whether a comment stands for values that were not written."""
    lower = comment.lower()
    return any(word in lower for word in _WORDS) and _OMISSION.search(lower) is not None


_WORDS = (
    *("...", "\u2026", "omitted", "truncated", "snipped", "for brevity", "and so on", "etc"),
    *("more", "rest", "remain", "additional", "existing", "other", "continue", "repeat"),
)
"""Without one of these, no comment is looked at more closely."""
_OMISSION = re.compile(
    r"\.{3}|\u2026|\b(?:omitted|truncated|snipped|for brevity|and so on|etc\b)"
    r"|^\W{1,20}(?:(?:and|add|plus|\d{1,9}|the|with|many|some|similar)\s{1,9}){0,3}"
    r"(?:more(?! than| info| detail| about)"
    r"|rest|remaining|remainder|additional|existing|others?|continue[sd]?|repeat)\b"
)
