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
_MARKS = r"(?>(?:[ *_#>\"\u201c\u201e\u00ab]|\d{1,2}[.)] )*)"
_REMARK = (
    _one_of(
        r"(?:the|this|that|your) (?:request|question|prompt|task|topic|content|message)\b",
        r"(?:it|this|that)(?:'s| is| sounds| seems| would be) (?:very |highly )?"
        r"(?:not (?:allowed|appropriate|ethical|legal|okay|right|safe)|against|dangerous|harmful"
        r"|illegal|inappropriate|unethical|unsafe|wrong)\b",
    )
    + r"[^.,:;!?\"\u201d]{0,60}[.!] "
)
"""A short sentence about the request, such as "The request is harmful"."""
_QUOTATION = r"[*_#> ]*+[\"\u201c\u201e\u00ab][^\"\u201d\u00bb]*+[\"\u201d\u00bb],? \w"
"""Speech that a text opens with and goes on to tell of."""
_PREFACE = _one_of(
    rf"(?:{_I}(?:'m|'re| am| are) )?{_VERY}sorry\b",
    rf"(?:{_I} (?:do )?|my |our )?(?:sincere )?apolog(?:ies|i[sz]e)\b",
    r"thanks?(?: you)?\b",
    r"(?:unfortunately|regrettably|sadly|however|no|hello|oh)\b",
    r"(?:sure|certainly|okay|ok|well|ah)(?=[.,!])",
    r"dear (?:valued )?(?:user|customer|client|guest|reader|friend|student|sir|madam)\b",
    rf"{_I}(?:'m|'re| am| are) afraid(?= (?:that )?{_I}\b)",
    rf"{_I} regret\b",
    rf"{_I}(?:'d like to| would like to| understand| appreciate| aim to| want to)\b",
)
"""How a sentence or clause begins that may stand before a refusal."""
_AN_AI = r"(?:as|i(?:'m| am)(?: just| only)?) an? (?:large |helpful )?(?:ai|language model)\b"
_CLAUSE = rf"(?>(?:(?! but\b| (?:(?:so|that|and) )?{_I}\b)[^.,;:!?])*)"
_LINK = (
    r"(?>(?:[ .,;:!-]|(?<=[a-z,] )(?:but|and|so|that)\b(?!'s not\b| is(?: not\b|n't\b))"
    rf"|(?<=sorry, )(?!{_I}\b|(?:that|this|it)\b)\w++[.,])*)"
)
_ADVERB = (
    r"(?:,? ?(?:also|simply|really|currently|unfortunately|in good (?:conscience|faith)|ethically)"
    r",?)?"
)
_CANNOT = _one_of(
    r" (?:can(?:not|'t| not)|won't|will not)(?: (?:and|or) (?:won't|will not|can(?:not|'t| not)))?"
    r"(?: be able to)?",
    r"(?:'m|'re| am| are) (?:unable|not able|not allowed|not permitted|not going|not willing) to",
)
_HELP = r"help(?! but\b| \w+ing\b| it\b)|assist|comply"
_DO = _one_of(
    r"do (?:that|this|so|it)(?! again)|fulfil+|accommodate",
    r"answer|discuss|tell (?:you|anyone)|respond|advise|generate|create|produce|facilitate|promote",
    r"engage|participate|continue|proceed|complete|process|perform|support(?! (?:both|the)\b)",
)
_SAY = (
    r"(?:describe|explain|give|share|provide|write|offer)\b"
    r"(?! (?:you )?(?:an? |the |any )?(?:exact|precise|definite)\b| how (?!to\b|one\b|you\b)"
    r"| without\b| away\b)"
)
_REFUSED = rf"(?:{_HELP}|{_DO}|{_SAY})\b"
_THAT = rf"(?:{_DO}|{_SAY})(?: you)?(?: with)? (?:that|this|such)\b"
_REQUEST = r"(?:this|that|your|such(?: a)?)(?: \w+)? request"
_DECLINES = _one_of(
    rf"i{_CANNOT}{_ADVERB} {_REFUSED}",
    rf"we{_CANNOT}{_ADVERB} (?:(?:{_HELP})\b|{_THAT}|\w+ {_REQUEST}\b)",
    rf"i{_ADVERB} (?:(?:must|(?:will )?have to|need to) )?(?:respectfully |politely )?"
    r"(?:decline|refuse)(?: to\b| (?:this|that|(?:your )?request)\b|[.,!]|$)",
    rf"we{_ADVERB} (?:(?:must|have to) )?(?:respectfully )?(?:decline|refuse) {_REQUEST}\b",
    rf"i(?:'d| would) (?:rather|prefer) (?:not|to not)(?: to)? {_REFUSED}",
    r"i(?:'m not| am not| do not feel| don't feel) comfortable \w+ing\b",
    r"(?:that|this|it)(?:'s not| is not| isn't) something i"
    r"(?:(?:'m| am) (?:able|allowed|comfortable|going|permitted|willing)| can| could| will)\b",
    r"(?:this|that|your) request (?:goes against|violates) (?:my|our)\b",
    r"my (?:guidelines|policies|programming) (?:don't|do not|prevents?|prohibits?|forbids?)\b",
)
"""How a refusal is worded. "We" of a company that states its terms declines nothing."""
_AFTER_ALL = _one_of(
    r" without \w+ing\b",
    r" (?:better|more \w+|clearer|further) than\b",
    rf"[,;] (?:(?:but|so|instead|in short|however)\b,? )?"
    rf"(?!{_I}\b|if\b|it\b|it's|that\b|this\b|such\b|please\b|feel\b|you\b|there\b|as\b|because\b"
    r"|since\b|but\b|so\b|or\b|and\b|nor\b|which\b|especially\b|even\b|sorry\b|unfortunately\b)\w",
    r"; instead ",
    r": (?=[\[{\d`])",
)
"""How a sentence goes on to answer nevertheless."""
_REFUSAL = re.compile(
    rf"(?!{_QUOTATION}){_MARKS}(?:{_REMARK})?(?>(?:{_PREFACE}{_CLAUSE}{_LINK})*)"
    rf"(?:{_AN_AI}{_CLAUSE}{_LINK}(?:{_I}{_CANNOT} \w|{_DECLINES})|{_DECLINES})"
    rf"(?![^.!?]*?{_AFTER_ALL})"
)


@dataclass(frozen=True, slots=True)
class NotRefusal:
    """Reject an answer that opens by declining, in English.

    A heuristic, so it is not on by default: the draft of a letter may open like a refusal, and
    other languages decline in other words. What may stand before is an apology, thanks, "as an
    AI" or one short sentence about the request; a sentence that goes on to answer ("I can't draw,
    so here is a table") is no refusal, nor are the terms of a company ("We cannot provide refunds
    after 30 days"). In JSON, a value is judged only if the others are empty. Refusals that a
    provider reports as such need no rule.
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
