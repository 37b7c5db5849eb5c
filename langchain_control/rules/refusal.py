"""Answers that decline to answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer
from langchain_control.rules.folding import fold_phrase

__all__ = ["NotRefusal"]

OPENING_CHARS = 300
"""Refusals come first. What stands further down is rather a caveat."""

_DECLINES = re.compile(
    r"\b(?:"
    r"i(?:'m| am) (?:sorry|afraid),? (?:but )?(?:i|that)(?:'m| am)? ?(?:can(?:no|')?t|cannot|won't|"
    r"will not|not able|unable|must decline)"
    r"|i (?:can(?:no|')t|cannot|am unable to|won't|will not|must decline to|am not able to) "
    r"(?:help|assist|comply|provide|do that|fulfil+|answer|discuss|share|generate|create|engage)"
    r"|i(?:'m| am) (?:unable|not able) to "
    r"(?:help|assist|comply|provide|fulfil+|answer|discuss|share|generate|create|engage)"
    r"|as an ai(?: language)?(?: model| assistant)?,? i (?:can(?:no|')t|cannot|am unable|do not)"
    r")\b"
)


@dataclass(frozen=True, slots=True)
class NotRefusal:
    """Reject an answer that opens by declining, in English.

    A heuristic, so it is not on by default: an answer may quote a refusal, and other languages
    decline in other words. Refusals that a provider reports as such need no rule.
    """

    failure_mode: ClassVar[FailureMode] = FailureMode.REFUSAL

    def check(self, answer: Answer) -> Violation | None:
        """Look for a refusal in the first `OPENING_CHARS` characters."""
        opening = fold_phrase(answer.prose[:OPENING_CHARS])
        if not _DECLINES.search(opening):
            return None
        return Violation(rule="refusal", expected="an answer", found="a refusal")
