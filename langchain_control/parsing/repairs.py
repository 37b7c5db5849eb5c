"""What can be mended in a JSON text, and how much each mending risks."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

__all__ = ["GRADES", "Grade", "Repair"]


class Grade(IntEnum):
    """How sure it is that a repaired value is the one that was meant."""

    LOSSLESS = 0
    """There is one way to read it: other quotes, a trailing comma, a comment."""
    GUESS = 1
    """There is a likely way to read it: a missing comma, quotes inside quotes."""
    LOSSY = 2
    """Something is missing or dropped: a string cut off, a key without a value."""


GRADES: dict[str, Grade] = {
    "comment": Grade.LOSSLESS,
    "escape": Grade.LOSSLESS,
    "extra_closer": Grade.GUESS,
    "number_format": Grade.LOSSLESS,
    "python_literal": Grade.LOSSLESS,
    "quotes": Grade.LOSSLESS,
    "raw_control": Grade.LOSSLESS,
    "trailing_comma": Grade.LOSSLESS,
    "tuple": Grade.LOSSLESS,
    "unquoted_key": Grade.LOSSLESS,
    "bare_string": Grade.GUESS,
    "concatenation": Grade.GUESS,
    "extra_comma": Grade.GUESS,
    "inner_quote": Grade.GUESS,
    "mismatched_closer": Grade.GUESS,
    "missing_closer": Grade.GUESS,
    "missing_comma": Grade.GUESS,
    "leading_zero": Grade.GUESS,
    "missing_quote": Grade.GUESS,
    "extra_quote": Grade.GUESS,
    "separator": Grade.GUESS,
    "triple_quotes": Grade.GUESS,
    "unknown_escape": Grade.GUESS,
    "cut": Grade.LOSSY,
    "duplicate_key": Grade.LOSSY,
    "ellipsis": Grade.LOSSY,
    "missing_key": Grade.LOSSY,
    "missing_value": Grade.LOSSY,
    "non_finite": Grade.LOSSY,
    "swallowed": Grade.LOSSY,
}
"""The risk of each kind of repair."""


class Repair(NamedTuple):
    """One thing that was mended."""

    kind: str
    """A key of `GRADES`."""
    offset: int

    @property
    def grade(self) -> Grade:
        """How sure it is."""
        return GRADES[self.kind]
