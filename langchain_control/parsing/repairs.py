"""What can be mended in a JSON text, and how much each mending risks."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

__all__ = ["GRADES", "MAX_REPAIRS", "Grade", "Mended", "Repair", "are_lossless"]

MAX_REPAIRS = 300
"""Most repairs of one value. With more, the text is hardly JSON."""


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
    "concatenation": Grade.LOSSLESS,
    "constructor": Grade.LOSSLESS,
    "encoded": Grade.LOSSLESS,
    "escape": Grade.LOSSLESS,
    "markdown": Grade.LOSSLESS,
    "number_format": Grade.LOSSLESS,
    "python_literal": Grade.LOSSLESS,
    "quotes": Grade.LOSSLESS,
    "raw_control": Grade.LOSSLESS,
    "separator": Grade.LOSSLESS,
    "trailing_comma": Grade.LOSSLESS,
    "triple_quotes": Grade.LOSSLESS,
    "tuple": Grade.LOSSLESS,
    "unquoted_key": Grade.LOSSLESS,
    "whitespace": Grade.LOSSLESS,
    "bare_constant": Grade.GUESS,
    "bare_string": Grade.GUESS,
    "escaped_closer": Grade.GUESS,
    "extra_closer": Grade.GUESS,
    "extra_comma": Grade.GUESS,
    "extra_quote": Grade.GUESS,
    "inner_quote": Grade.GUESS,
    "leading_zero": Grade.GUESS,
    "mismatched_closer": Grade.GUESS,
    "missing_brackets": Grade.GUESS,
    "missing_closer": Grade.GUESS,
    "missing_colon": Grade.GUESS,
    "missing_comma": Grade.GUESS,
    "missing_quote": Grade.GUESS,
    "mixed_quotes": Grade.GUESS,
    "set": Grade.GUESS,
    "string_prefix": Grade.GUESS,
    "thousands": Grade.GUESS,
    "unknown_escape": Grade.GUESS,
    "call": Grade.LOSSY,
    "cut": Grade.LOSSY,
    "doubt": Grade.LOSSY,
    "duplicate_key": Grade.LOSSY,
    "early_closer": Grade.LOSSY,
    "ellipsis": Grade.LOSSY,
    "digit_groups": Grade.LOSSY,
    "malformed": Grade.LOSSY,
    "misplaced_closer": Grade.LOSSY,
    "missing_key": Grade.LOSSY,
    "missing_value": Grade.LOSSY,
    "non_finite": Grade.LOSSY,
    "placeholder": Grade.LOSSY,
    "several_strings": Grade.LOSSY,
    "stray_text": Grade.LOSSY,
    "swallowed": Grade.LOSSY,
    "wrong_bracket": Grade.LOSSY,
}
"""The risk of each kind of repair."""

_LOSSLESS = frozenset(kind for kind, grade in GRADES.items() if grade is Grade.LOSSLESS)


class Repair(NamedTuple):
    """One thing that was mended. Repairs that leave no doubt are listed once for each kind."""

    kind: str
    """A key of `GRADES`."""
    offset: int
    is_certain: bool = False
    """Whether there is no doubt here, though repairs of this kind are guesses elsewhere."""

    @property
    def grade(self) -> Grade:
        """How sure it is."""
        return Grade.LOSSLESS if self.is_certain else GRADES[self.kind]


class Mended(NamedTuple):
    """A value, where it ends, and what was mended to read it."""

    value: Any
    end: int
    repairs: tuple[Repair, ...] = ()


def are_lossless(repairs: Iterable[Repair]) -> bool:
    """Say whether there is one way only to read what had to be mended so."""
    for repair in repairs:  # noqa: SIM110  (`all` takes four times as long)
        if not repair.is_certain and repair.kind not in _LOSSLESS:
            return False
    return True
