"""What an answer must say, and how much of it it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer
from langchain_control.rules.folding import fold_parts, phrase_pattern
from langchain_control.rules.nearness import nearness
from langchain_control.rules.several import refuse_one_text

__all__ = ["MustContain"]


NEAR = 0.57
"""Nearness from which a missing phrase is told to be nearly there: of all thresholds, the one at
which three-character runs told paraphrases apart best on the STS benchmark (F1 0.57)."""


@dataclass(frozen=True)
class MustContain:
    """Reject an answer that holds too few of some phrases.

    Compared like forbidden phrases: as whole words, with case, width and spacing folded. What is
    nearly there is told as evidence and does not count; nor does what a text says in a reasoning
    block before the answer, such as `<think>`, though that is handed on with it.
    """

    failure_mode: ClassVar[FailureMode] = FailureMode.HALLUCINATION

    phrases: Sequence[str]
    min_score: float = 1.0
    """Share of the phrases that must be there."""
    disclose: bool = False
    """Whether a violation names the missing phrases, and with it the correction sent to the model.
    Off, because a model that is told them says them, and the check then shows nothing."""
    _patterns: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the phrases.

        Raises:
            ValueError: One of them is blank, there are none, or they are one text instead of
                several.
        """
        refuse_one_text("phrases", self.phrases)
        if not self.phrases:
            msg = "`phrases` must not be empty"
            raise ValueError(msg)
        object.__setattr__(self, "_patterns", tuple(map(phrase_pattern, self.phrases)))

    def score(self, answer: Answer) -> float:
        """Return the share of the phrases that the answer holds, from 0 to 1."""
        return 1 - len(self._missing(answer)) / len(self.phrases)

    def check(self, answer: Answer) -> list[Violation]:
        """Compare the share with `min_score`."""
        missing = self._missing(answer)
        total = len(self.phrases)
        present = total - len(missing)
        if present / total >= self.min_score:
            return []
        if self.disclose:
            return [Violation(rule="must_contain", expected=f'"{phrase}"') for phrase in missing]
        said = "\n".join(answer.said)
        near = sum(nearness(phrase, said) >= NEAR for phrase in missing)
        expected = f"at least {self.min_score:.0%} of {total} required phrases"
        found = f"{present} of them" + (f", {near} more nearly" if near else "")
        return [Violation(rule="must_contain", expected=expected, found=found)]

    def _missing(self, answer: Answer) -> list[str]:
        text = fold_parts(answer.said)
        found = zip(self.phrases, self._patterns, strict=True)
        return [phrase for phrase, pattern in found if not pattern.search(text)]
