"""Word n-grams of a text, hashed: what the built-in model sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from zlib import crc32

__all__ = ["BUCKETS", "FEATURES_PER_TOKEN", "features", "token_span", "tokenize"]

BUCKETS = 1 << 18
"""Size of the table of weights. Collisions cost less than a larger download would."""

FEATURES_PER_TOKEN = 4
"""The word, the pair, the triple, and the pair with one word left out between."""

_MASK = BUCKETS - 1
_LOW_WORD = 0xFFFFFFFF
_PAIR, _TRIPLE, _SKIP = 0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35  # odd, far apart: mix well
_SHIFT = 12

_TOKEN = re.compile(r"[a-z]+|\d+|[^\w\s]", re.ASCII)
_TOKEN_ANY_SCRIPT = re.compile(
    r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\d+"
    r"|[^\W\d_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\w\s]"
)
"""Where words are not set apart by blanks, every character is a token."""


def tokenize(text: str) -> list[str]:
    """Return words, numbers and punctuation marks of canonical text."""
    return _pattern_for(text).findall(text)


def token_span(text: str, tokens: tuple[int, int]) -> tuple[int, int]:
    """Return where the tokens from the first number up to the second stand in the text."""
    first, last = tokens
    found = list(islice(_pattern_for(text).finditer(text), first, max(first + 1, last)))
    return (found[0].start(), found[-1].end()) if found else (0, 0)


def _pattern_for(text: str) -> re.Pattern[str]:
    return _TOKEN if text.isascii() else _TOKEN_ANY_SCRIPT


def features(tokens: Sequence[str]) -> list[int]:
    """Return `FEATURES_PER_TOKEN` buckets for each token, of the n-grams that end in it."""
    buckets: list[int] = []
    before = last = pair = 0
    for token in tokens:
        this = crc32((token if not token.isdigit() else "0").encode())
        triple = ((pair & _LOW_WORD) * _TRIPLE + this) >> _SHIFT
        pair = last * _PAIR + this
        skip = (before * _SKIP + this) >> _SHIFT
        buckets += (this & _MASK, (pair >> _SHIFT) & _MASK, triple & _MASK, skip & _MASK)
        before, last = last, this
    return buckets
