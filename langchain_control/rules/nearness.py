"""How near a text comes to a phrase that is not in it."""

from __future__ import annotations

from itertools import islice

from langchain_control.rules.folding import fold_phrase

__all__ = ["nearness"]

MAX_WORDS = 2000
"""Words of a text that are compared. Nearness is evidence for a person and need not be complete."""


def nearness(phrase: str, text: str) -> float:
    """Return how much the most similar run of words shares with a phrase, from 0 to 1.

    The Dice coefficient of the sets of three-character runs: cheap, without any dependency, and
    blind to meaning. It knows "refund" in "refunded", and not in "money back".
    """
    wanted = _trigrams(fold_phrase(phrase))
    words = list(islice(fold_phrase(text).split(" "), MAX_WORDS))
    width = fold_phrase(phrase).count(" ") + 1
    runs = (" ".join(words[i : i + width]) for i in range(max(1, len(words) - width + 1)))
    return max((_dice(wanted, _trigrams(run)) for run in runs), default=0.0)


def _trigrams(text: str) -> set[str]:
    padded = f"  {text} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def _dice(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
