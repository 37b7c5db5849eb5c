"""Answers that go round in circles."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer
from langchain_control.rules.folding import fold_phrase

__all__ = ["NotRepetitive"]


@dataclass(frozen=True, slots=True)
class NotRepetitive:
    """Reject an answer that repeats itself, as small models do when they get stuck.

    Judged by the share of runs of `words` words that occurred before in the same answer: 0 where
    nothing is said twice, close to 1 in a loop.
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
        words = fold_phrase(answer.prose).split(" ")
        if len(words) < self.min_words:
            return None
        runs = Counter(zip(*(islice(words, i, None) for i in range(self.words)), strict=False))
        share = 1 - len(runs) / runs.total()
        if share <= self.max_share:
            return None
        expected = f"at most {self.max_share:.0%} repeated runs of {self.words} words"
        return Violation(rule="repetition", expected=expected, found=f"{share:.0%}")
