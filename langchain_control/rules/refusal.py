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


def _one_of(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


_I = r"(?:i|we)"
_VERY = r"(?:(?:so|very|really|truly|deeply) )?"
_PREFACE = _one_of(
    rf"(?:{_I}(?:'m|'re| am| are) )?{_VERY}sorry\b",
    rf"(?:{_I} |my |our )?(?:sincere )?apolog(?:ies|i[sz]e)\b",
    r"thanks?(?: you)?\b",
    r"(?:unfortunately|regrettably|sadly|however|no|hello)\b",
    rf"{_I}(?:'m|'re| am| are) afraid(?= (?:that )?{_I}\b)",
    rf"{_I} regret\b",
    rf"{_I}(?:'d like to| would like to| understand| appreciate| aim to| want to)\b",
)
"""How a sentence or clause begins that may stand before a refusal."""
_AN_AI = r"(?:as|i(?:'m| am)(?: just| only)?) an? (?:large |helpful )?(?:ai|language model)\b"
_CLAUSE = rf"(?:(?! but\b| (?:(?:so|that|and) )?{_I}\b)[^.,;:!?])*+"
_LINK = rf"(?:[ .,;:!-]|(?<=[a-z,] )(?:but|and|so|that)\b|(?<=sorry, )(?!{_I}\b)\w++[.,])*+"
_ADVERB = r"(?:,? ?(?:also|simply|really|currently|unfortunately|in good conscience|ethically),?)?"
_CANNOT = _one_of(
    r" (?:can(?:not|'t| not)|won't|will not)(?: be able to)?",
    r"(?:'m|'re| am| are) (?:unable|not able|not allowed|not permitted|not going|not willing) to",
)
_DO = _one_of(
    r"help(?! but\b| \w+ing\b| it\b)|assist|comply|do (?:that|this|so|it)|fulfil+|accommodate",
    r"answer|discuss|tell (?:you|anyone)|explain|describe|respond|advise|give|provide|share|offer",
    r"write|generate|create|produce|engage|participate|continue|proceed|complete|process|perform",
    r"support|promote|facilitate",
)
_DECLINES = _one_of(
    rf"{_I}{_CANNOT}{_ADVERB} {_DO}\b",
    rf"{_I}{_ADVERB} (?:(?:must|(?:will )?have to|need to) )?(?:respectfully |politely )?"
    r"(?:decline|refuse)(?: to\b| (?:this|that|(?:your )?request)\b|[.,!]|$)",
    rf"{_I}(?:'d| would) (?:rather|prefer) (?:not|to not)(?: to)? {_DO}\b",
    r"i(?:'m not| am not| do not feel| don't feel) comfortable \w+ing\b",
    r"(?:that|this|it)(?:'s not| is not| isn't) something i(?:'m| am| can| could| will)\b",
    r"(?:this|that|your) request (?:goes against|violates) (?:my|our)\b",
    r"my (?:guidelines|policies|programming) (?:don't|do not|prevents?|prohibits?|forbids?)\b",
)
_AFTER_ALL = _one_of(
    r" without \w+ing\b",
    rf"[,;] (?:(?:but|so|instead|in short|however)\b,? )?"
    rf"(?!{_I}\b|if\b|it\b|it's|that\b|this\b|such\b|please\b|feel\b|you\b|there\b|as\b|because\b"
    r"|since\b|but\b|so\b|or\b|and\b|nor\b|which\b|especially\b|even\b)\w",
    r"; instead ",
    r": (?=[\[{\d`])",
)
"""How a sentence goes on to answer nevertheless."""
_REFUSAL = re.compile(
    rf"[ *_#>]*+(?:{_PREFACE}{_CLAUSE}{_LINK})*+"
    rf"(?:{_AN_AI}{_CLAUSE}{_LINK}(?:{_I}{_CANNOT} \w|{_DECLINES})|{_DECLINES})"
    rf"(?![^.!?]*?{_AFTER_ALL})"
)


@dataclass(frozen=True, slots=True)
class NotRefusal:
    """Reject an answer that opens by declining, in English.

    A heuristic, so it is not on by default: the draft of a letter may open like a refusal, and
    other languages decline in other words. What may stand before is an apology, thanks or "as an
    AI"; a sentence that goes on to answer ("I can't draw, so here is a table") is no refusal. In
    JSON, a value is judged only if the others are empty. Refusals that a provider reports as such
    need no rule.
    """

    failure_mode: ClassVar[FailureMode] = FailureMode.REFUSAL

    def check(self, answer: Answer) -> Violation | None:
        """Look for a refusal in the first `OPENING_CHARS` characters."""
        said = [value for value in answer.values if value]
        if len(said) != 1 or not isinstance(said[0], str):
            return None
        if not _REFUSAL.match(fold_phrase(said[0].lstrip()[:OPENING_CHARS])):
            return None
        return Violation(rule="refusal", expected="an answer", found="a refusal")
