"""Answers that go round in circles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer
from langchain_control.rules.folding import UNSPACED, fold_phrase

__all__ = ["NotRepetitive"]

_CHARACTERS_A_WORD = 4
"""What stands for a word in scripts that write words without spaces; longer than most are there."""
_LONGEST_WORD = 60
"""Characters beyond which something without spaces is no word."""
_LEAST_SHARE_OF_A_STRING = 0.9
"""Share of a string without spaces that must repeat: "haha" all over, and no data in rows."""
_FREE = 2
"""How often a run may occur: a refrain is no loop."""
_LINES = 3
"""Lines that must be the same for what is in the last of them to count as the same."""
_NUMBER = re.compile(r"\A\d{1,4}[.)] ")


@dataclass(frozen=True, slots=True)
class NotRepetitive:
    """Reject an answer that repeats itself, as small models do when they get stuck.

    Judged by the share of runs of `words` words that occurred twice before in the same answer: 0
    where nothing is said again and again, close to 1 in a loop. Records, checklists and tables
    whose lines differ are no loop: of several lines, only those count that come again after the
    same lines, whatever their numbers. In Chinese, Japanese, Thai and other scripts that write
    words without spaces, and in long strings such as "hahaha", four characters stand for a word. In
    JSON every text is judged by itself.
    """

    failure_mode: ClassVar[FailureMode] = FailureMode.CONSTRAINT_VIOLATION

    words: int = 4
    """Length of the runs compared. Shorter ones repeat in good prose, too."""
    max_share: float = 0.5
    """Share of repeated runs that is still accepted."""
    min_words: int = 40
    """Shorter answers are not judged: they hold too few runs to tell."""

    def __post_init__(self) -> None:
        """Refuse figures that make no sense."""
        if self.words < 1 or not 0 <= self.max_share <= 1:
            msg = "`words` must be at least 1 and `max_share` between 0 and 1"
            raise ValueError(msg)

    def check(self, answer: Answer) -> Violation | None:
        """Count the runs that occurred before, in every text."""
        texts = (value for value in answer.values if isinstance(value, str))
        return next(filter(None, map(self._judged, texts)), None)

    def _judged(self, text: str) -> Violation | None:
        folded = (_NUMBER.sub("", fold_phrase(line)) for line in text.splitlines())
        lines = [line for line in folded if line]
        whole = " ".join(lines)
        words = whole.split(" ")
        units: Sequence[Hashable] = _in_their_lines(lines)
        name, per_word, most = "words", 1, self.max_share
        unspaced = len(UNSPACED.findall(whole)) > len(words)
        if unspaced or sum(len(w) for w in words if len(w) > _LONGEST_WORD) > len(whole) / 2:
            units, name, per_word = whole.replace(" ", ""), "characters", _CHARACTERS_A_WORD
            most = most if unspaced else max(most, _LEAST_SHARE_OF_A_STRING)
        length = self.words * per_word
        if len(units) < max(self.min_words * per_word, length):
            return None
        runs = Counter(zip(*(islice(units, i, None) for i in range(length)), strict=False))
        share = sum(max(0, times - _FREE) for times in runs.values()) / runs.total()
        if share <= most:
            return None
        expected = f"at most {most:.0%} repeated runs of {length} {name}"
        return Violation(rule="repetition", expected=expected, found=f"{share:.0%}")


def _in_their_lines(lines: Sequence[str]) -> list[Hashable]:
    """Return the words, each with a number that stands for its line and those before it."""
    numbers: dict[tuple[str, ...], int] = {}
    found: list[Hashable] = []
    for i, line in enumerate(lines):
        context = tuple(lines[max(0, i + 1 - _LINES) : i + 1])
        number = numbers.setdefault(context, len(numbers))
        found += ((number, word) for word in line.split(" "))
    return found
