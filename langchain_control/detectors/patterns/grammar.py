"""Words and phrases the rules are built from.

A rule reads like a sentence: a verb, some words in between, an object. Alternatives are given as
one string with `|`; a blank also stands for a line break.
"""

from __future__ import annotations

__all__ = [
    "ASKED_ABOUT",
    "MENTIONED",
    "NEGATED",
    "OWN_MESSAGE",
    "TO_BE_TRANSLATED",
    "anchors",
    "gap",
    "one_of",
    "sentence",
]


def one_of(words: str, *, optional: bool = False) -> str:
    """Match one of the words."""
    return f"(?:{words}){'?' if optional else ''}"


def gap(most: int) -> str:
    """Match up to so many words of any kind, and the blanks around them."""
    return rf"(?: \S{{1,24}}+){{0,{most}}}? (?:[^\w\s]{{1,3}})?"


def sentence(*parts: str) -> str:
    """Join parts into a pattern that begins and ends at the edge of a word."""
    return rf"\b{''.join(parts)}\b"


def anchors(words: str) -> tuple[str, ...]:
    """Name the alternatives as anchors."""
    return tuple(words.split("|"))


ASKED_ABOUT = (
    r"(?:what (?:does|do|is|are)|meaning of|mean by|define|definition of|explain (?:the|what|why"
    r"|how)"
    r"|difference between|how (?:do|does|can|could|should|to) (?:i|we|you|one|they)?\b"
    r"|why (?:do|does|did|would|is|are)|examples? of|such as|defen[ds]e? against|prevent\w{0,3}"
    r"|detect\w{0,3}|protect\w{0,3} against|stop (?:people|users|someone))[^.!?\n]{0,40}$"
)
"""Asking about a construction is not using it."""

MENTIONED = (
    r"(?:such as|like|e\.g\.|the (?:phrase|words?|term|sentence|string|expression|instruction)"
    r"|says?|said|called|titled"
    r"|named|entitled|labell?ed|containing|translate)[ :,]{0,2}[\"'`(]{1,3}(?:\w{1,12} ){0,3}$"
)
"""Quoting it is not using it either."""

OWN_MESSAGE = (
    r" (?:my|our) (?:own )?(?:previous|prior|above|earlier|last|former)"
    r" (?:messages?|questions?|requests?|e?mails?|orders?|comments?|posts?|texts?|inputs?"
    r"|statements?)\b(?!,? (?:and|then|or|plus|but|instead|you|now)\b)"
)
"""What people wrote themselves and may take back, unless something else is joined to it."""

TO_BE_TRANSLATED = (
    r"(?:translate|say|spell|write)(?: \w{1,12}+){0,4}:? [\"'`][^\"'`\n]{1,80}[\"'`]"
    r" (?:to|into|in) (?!(?:full|json|an?|the|markdown|your|this)\b)\w"
)
"""Handing a construction over in quotation marks, to have it in another language."""

NEGATED = (
    r"\b(?:do not|don't|dont|never|not|cannot|can't|won't|shouldn't|should not"
    r"|must not)(?: \w{1,12})? $"
)
