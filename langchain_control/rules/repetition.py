"""Answers that go round in circles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer
from langchain_control.rules.folding import UNSPACED, fold_phrase

__all__ = ["NotRepetitive"]

_CHARACTERS_A_WORD = 4
"""What stands for a word in scripts that write words without spaces; longer than most are there."""


@dataclass(frozen=True, slots=True)
class NotRepetitive:
    """Reject an answer that repeats itself, as small models do when they get stuck.

    Judged by the share of runs of `words` words that occurred before in the same answer: 0 where
    nothing is said twice, close to 1 in a loop. In Chinese, Japanese, Thai and other scripts that
    write words without spaces, four characters stand for a word.
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
        """Count the runs that occurred before."""
        text = fold_phrase(answer.prose)
        units: Sequence[str] = text.split(" ")
        name, per_word = "words", 1
        if len(UNSPACED.findall(text)) > len(units):
            units, name, per_word = text.replace(" ", ""), "characters", _CHARACTERS_A_WORD
        length = self.words * per_word
        if len(units) < max(self.min_words * per_word, length):
            return None
        runs = Counter(zip(*(islice(units, i, None) for i in range(length)), strict=False))
        share = 1 - len(runs) / runs.total()
        if share <= self.max_share:
            return None
        expected = f"at most {self.max_share:.0%} repeated runs of {length} {name}"
        return Violation(rule="repetition", expected=expected, found=f"{share:.0%}")
