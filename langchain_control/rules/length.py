"""How long an answer may be.

Counted on the text that is handed on, so that fences, prose around JSON and its indentation do not
matter. In characters, or in any other unit: `MaxLength(100, unit="tokens", count=budget.count)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer

__all__ = ["MaxLength", "MinLength"]


@dataclass(frozen=True, slots=True)
class MaxLength:
    """Keep an answer short."""

    failure_mode: ClassVar[FailureMode] = FailureMode.TOKEN_OVERFLOW
    judges_beginnings: ClassVar[bool] = True

    limit: int
    """Most of the units that may stand in it."""
    unit: str = "characters"
    """What is counted, as corrections say it, such as `words`."""
    count: Callable[[str], int] = len
    """Counts a text in that unit."""

    def check(self, answer: Answer) -> Violation | None:
        """Compare the length with the limit."""
        length = self.count(answer.text)
        if length <= self.limit:
            return None
        expected = f"at most {self.limit} {self.unit}"
        return Violation(rule="max_length", expected=expected, found=f"{length} {self.unit}")


@dataclass(frozen=True, slots=True)
class MinLength:
    """Keep an answer from being too short to be one."""

    failure_mode: ClassVar[FailureMode] = FailureMode.CONSTRAINT_VIOLATION

    limit: int
    """Fewest of the units that must stand in it."""
    unit: str = "characters"
    """What is counted, as corrections say it, such as `words`."""
    count: Callable[[str], int] = len
    """Counts a text in that unit."""

    def check(self, answer: Answer) -> Violation | None:
        """Compare the length with the limit."""
        length = self.count(answer.text)
        if length >= self.limit:
            return None
        expected = f"at least {self.limit} {self.unit}"
        return Violation(rule="min_length", expected=expected, found=f"{length} {self.unit}")
