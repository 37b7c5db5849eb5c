"""Words that are often written, by which words in disguise are recognized."""

from __future__ import annotations

import codecs
from functools import cache
from pathlib import Path

__all__ = ["WORDS_FILE", "backwards", "by_shape", "in_rot13", "known", "shape_of"]

WORDS_FILE = Path(__file__).with_name("words.txt")
"""One a line, the most frequent first; made by `benchmarks.vocabulary`."""

MIN_LETTERS = 4
"""Of words that say something in disguise: shorter ones are words in one language or another."""


@cache
def _listed() -> str:
    return WORDS_FILE.read_text(encoding="ascii")


@cache
def known() -> frozenset[str]:
    """Return the words."""
    return frozenset(_listed().split())


@cache
def in_rot13() -> frozenset[str]:
    """Return the words in ROT13, but for those that are words so, too."""
    return _unlike_words(codecs.encode(_listed(), "rot13"))


@cache
def backwards() -> frozenset[str]:
    """Return the words written backwards, but for those that are words so, too."""
    return _unlike_words(_listed()[::-1])


def _unlike_words(disguised: str) -> frozenset[str]:
    return frozenset(word for word in disguised.split() if len(word) >= MIN_LETTERS) - known()


@cache
def by_shape(initial: str) -> dict[str, str]:
    """Return the most frequent word of each shape that begins with a letter."""
    return {
        shape_of(word): word for word in reversed(_listed().split()) if word.startswith(initial)
    }


def shape_of(word: str) -> str:
    """Return what stays of a word when its inner letters are set in disorder."""
    return word[0] + "".join(sorted(word[1:-1])) + word[-1]
