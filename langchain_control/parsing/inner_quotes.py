"""What quotes inside a string say about it: words quoted in it, inches, or strings side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["are_between_strings", "are_pairs", "is_inch_mark"]


def are_pairs(around: Sequence[str]) -> bool:
    """Say whether quotes open and close in turn, as those around words do.

    Args:
        around: For each quote, the characters before and after it, with itself between them.
    """
    turns = [turn for part in around if (turn := _turn(part)) != _INCH]
    return len(turns) % 2 == 0 and all(
        turn in (_EITHER, _CLOSES if place % 2 else _OPENS) for place, turn in enumerate(turns)
    )


def are_between_strings(around: Sequence[str]) -> bool:
    """Say whether the first quote closes and the last one opens, as between two strings."""
    closes = _turn(around[0]) in (_CLOSES, _INCH)
    return len(around) > 1 and closes and _turn(around[-1]) == _OPENS


def is_inch_mark(before: str) -> bool:
    """Say whether a quote after a text can only be an inch mark."""
    return _LENGTH.search(before) is not None


def _turn(around: str) -> str:
    """Say what one quote does, by the characters around it."""
    before, after = around[0], around[-1]
    if before.isdigit() and not after.isalpha():
        return _INCH
    opens, closes = after not in _AFTER_CLOSING, before not in _BEFORE_OPENING
    if opens == closes:
        return _EITHER
    return _OPENS if opens else _CLOSES


_OPENS, _CLOSES, _INCH, _EITHER = "opens", "closes", "inch", "either"
_BEFORE_OPENING = frozenset(" \t\n([{<=:/|\"'\u2014\u2013-+&>`")
_AFTER_CLOSING = frozenset(" \t\n)]}>.,;:!?/|\"'\u2014\u2013-+&<=*`")
_LENGTH = re.compile(r"""(?:\d\.\d{1,3}|\d/\d{1,2}|\d'\s?\d{1,2}|\d"\D{1,20}\d{1,3})\Z""")
"""A fraction, a decimal, feet before it, or another length before it."""
