"""What can be done to a text in which an attack was found, short of refusing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

from langchain_control.fences import fenced_as_data

__all__ = ["REMOVED", "cut_out", "fence", "is_spent", "mask", "narrowed"]

REMOVED = "[removed]"
"""Stands where a sentence was cut out."""

MAX_SENTENCES = 200
"""In a text of more sentences no single one is looked for, to bound the work."""
WIDEST = 3
"""How many sentences in a row are looked at together."""

_SENTENCE_END = re.compile(r"[.!?。！？।؟]+[\"')\]]*\s|\n")  # noqa: RUF001  (of other scripts)


def cut_out(text: str, spans: Iterable[tuple[int, int] | None]) -> str:
    """Replace every sentence that a span touches; a finding without a place costs the whole text.

    Sentences and not just the words found, as what follows "ignore your rules and" is the attack.
    """
    places = list(spans)
    if any(place is None for place in places):
        return REMOVED
    bounds = _sentence_bounds(text)
    touched = {
        number
        for number, (start, end) in enumerate(bounds)
        for place in places
        if place and place[0] < end and start < max(place[1], place[0] + 1)
    }
    kept: list[str] = []
    for number, (start, end) in enumerate(bounds):
        if number not in touched:
            kept.append(text[start:end])
        elif number - 1 not in touched:
            kept.append(REMOVED + _blank_at_end(text[start:end]))
    return "".join(kept)


def _sentence_bounds(text: str) -> list[tuple[int, int]]:
    cuts = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    return [(start, end) for start, end in pairwise(cuts) if start < end]


def narrowed(
    text: str, span: tuple[int, int] | None, scores: Callable[[str], bool]
) -> list[tuple[int, int] | None]:
    """Narrow a place that touches several sentences to the shortest runs of them that score.

    Args:
        text: The text in which something was found.
        span: Where it was found.
        scores: Whether a piece of the text alone looks like an attack.
    """
    if span is None:
        return [None]
    bounds = [b for b in _sentence_bounds(text) if span[0] < b[1] and b[0] < span[1]]
    if 1 < len(bounds) <= MAX_SENTENCES:
        for width in range(1, WIDEST + 1):
            pairs = zip(bounds, bounds[width - 1 :], strict=False)
            runs = [(first[0], last[1]) for first, last in pairs]
            if found := [run for run in runs if scores(text[slice(*run)])]:
                return [*found]
    return [span]


def is_spent(text: str) -> bool:
    """Whether nothing that says anything is left of a text out of which sentences were cut."""
    return REMOVED in text and not any(map(str.isalnum, text.replace(REMOVED, "")))


def _blank_at_end(sentence: str) -> str:
    return sentence[len(sentence.rstrip()) :]


def fence(text: str) -> str:
    """Put a text between two lines that say it is data, and that it cannot forge."""
    return fenced_as_data("untrusted", text)


def mask(text: str, phrases: Iterable[str]) -> str:
    """Blank out phrases, whatever their case, without moving what stands around them."""
    wanted = sorted(filter(None, phrases), key=len, reverse=True)
    if not wanted:
        return text
    pattern = re.compile("|".join(map(re.escape, wanted)), re.IGNORECASE)
    return pattern.sub(lambda match: " " * len(match[0]), text)
