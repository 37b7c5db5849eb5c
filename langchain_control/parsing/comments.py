"""Comments in all notations, and those that say that something was left out."""

from __future__ import annotations

import re

from langchain_control.parsing.blanks import BLANK

__all__ = [
    "BULLET",
    "COMMENT",
    "NOTE",
    "SPACE_OR_COMMENT",
    "announces_omission",
    "said_by",
]

COMMENT = (
    r"//[^\n]*+|(?<![\w\"'])\#(?![0-9a-fA-F]{3,8}\s{0,100}[,}\]])[^\n]*+"
    r"|/\*(?>(?:[^*]|\*(?!/))*)\*/|<!--(?>(?:[^-]|-(?!->))*)-->"
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


def announces_omission(words: str) -> bool:
    """Say whether a comment, or words without quotes, stand for values that were not written."""
    lower = words.lower()
    return any(word in lower for word in _WORDS) and _OMISSION.search(lower) is not None


def said_by(comment: str, *, at_end: bool = False) -> str:
    """Return the kind of repair that leaving out a comment is.

    Args:
        comment: The comment, with its signs.
        at_end: Whether it stands behind the last item or the whole value, where a list breaks off.
    """
    lower = comment.lower()
    if _DOUBT.search(lower):
        return "doubt"
    omits = announces_omission(lower) or (at_end and _SHORTENED.search(lower))
    return "ellipsis" if omits else "comment"


_WORDS = (
    *("...", "\u2026", "omitted", "truncated", "snip", "for brevity", "and so on", "etc"),
    *("more", "rest", "remain", "additional", "existing", "other", "continue", "repeat"),
)
"""Without one of these, no comment is looked at more closely."""
_OMISSION = re.compile(
    r"\.{3}|\u2026|\b(?:omitted|truncated|snip(?:ped)?|for brevity|and so on|etc\b)"
    r"|^\W{0,20}(?:(?:and|add|plus|\d{1,9}|the|with|many|some|similar)\s{1,9}){0,3}"
    r"(?:more(?! than| info| detail| about)"
    r"|rest|remaining|remainder|additional|existing|others?|continue[sd]?|repeat)\b"
)
_SHORTENED = re.compile(
    r"\b(?:more(?! than| info| detail| about)|others?|rest|remaining|same for|left out|et al"
    r"|not (?:shown|listed)|(?:shorten|abbreviat|abridg|simplifi|condens|reduc)ed|incomplete"
    r"|(?:not|non)[ -]?exhaustive|partial(?:ly)?|excerpt|extract|sample|goes on|continu\w{1,6}"
    r"|first (?:\d{1,9}|few|two|three|\w{3,6} of)|for (?:all|the full|the complete)"
    r"|only (?:an? |the first|some|list|show|\w{1,9} (?:of|here|shown|listed))"
    r"|\d{1,9} of \d{1,9}|weitere[nrs]?|\u00fcbrigen?|und so weiter|u\.?s\.?w|gek\u00fcrzt"
    r"|autres|restante?s?|suite|otr[oa]s|altr[ie]|outr[oa]s)\b"
)
"""Words that say of a list that it goes on, or that it was cut down."""
_DOUBT = re.compile(
    r"^\W{1,20}(?:or\b(?! (?:more|less|fewer|later|earlier|so|higher|lower|above|below))|oder\b"
    r"|(?:should|could|might|may|must) (?:be|read|also)\b|maybe|perhaps|actually|wrong|incorrect"
    r"|to be (?:determined|filled)|fill (?:in|this)|insert|todo\b(?!\?)|fixme|tbd|xxx|dummy"
    r"|example value|replace(?:d? with|d? by| this| me|\W|$)|change (?:this|me|to)|unsure)"
    r"|\b(?:not sure|placeholder|replace with|should (?:actually )?be \S{1,20}\W{0,9}$)"
)
"""Comments that take back the value that they stand behind, or name another one."""
