"""Values that only show what an answer looks like, by the words before them."""

from __future__ import annotations

import re

__all__ = ["is_introduced_as_example"]

_LOOK_AROUND = 160
_PHRASES = (
    "for example",
    "for instance",
    "e.g.",
    "such as",
    "something like",
    "zum beispiel",
    "beispielsweise",
    "z.b.",
    "z. b.",
    "par exemple",
    "por ejemplo",
    "per esempio",
)
_FORMATS = ("format", "shape", "structure", "schema", "template", "layout")
_FORMAT = rf"(?:{'|'.join(_FORMATS)})"
_FORM_WORDS = ("like", *_FORMATS)
"""One of these is in every clause that says what an answer looks like."""
_WOULD = r"(?:is|must|will|would|should|could)"
_CLAUSE = re.compile(
    r"\b(?:an? \w{1,30} like\Z"
    rf"|{_FORMAT} {_WOULD}\b.{{0,40}}\Z"
    rf"|{_WOULD} look like\b.{{0,40}}\Z"
    r"|please (?:provide|send|give|use|reply|answer|enter|submit|share)\b.{0,60}"
    rf"\b{_FORMAT}\b.{{0,20}}\Z)"
)
_AROUND = " \t\n\r:,`*"
_END_OF_SENTENCE = re.compile(r"[.!?\n]")


def is_introduced_as_example(text: str, start: int) -> bool:
    """Say whether the words right before a value call it an example or the form of one."""
    before = text[max(0, start - _LOOK_AROUND) : start].rstrip(_AROUND)
    if not before:
        return False
    before = _without_fence(before).lower()
    sentence = _END_OF_SENTENCE.split(before)[-1]
    return before.endswith(_PHRASES) or _is_of_form(sentence)


def _is_of_form(sentence: str) -> bool:
    """Whether a sentence ends by saying what an answer looks like."""
    for word in _FORM_WORDS:
        if word in sentence:
            return _CLAUSE.search(sentence) is not None
    return False


def _without_fence(before: str) -> str:
    """Leave out the line that opens a fence: its language is none of the words."""
    words, fence, language = before.rpartition("```")
    return words.rstrip(_AROUND) if fence and language.isalnum() else before
