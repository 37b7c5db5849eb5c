"""Word n-grams, beginnings of words and pairs of concepts, hashed: what the built-in model sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from langchain_control.detectors.concepts import UNSPACED, concept_of, concepts_of

__all__ = ["BUCKETS", "features", "token_span", "tokenize"]

BUCKETS = 1 << 19
"""Size of the table of weights. Collisions cost less than a larger download would."""

PREFIXES = (4, 5, 6)
"""Letters of a word that stand for it and its relatives: *instruct*, *instructions*."""

NEAR, LAST = 5, 2
"""Concepts are paired with the `LAST` ones that stand at most `NEAR` tokens before."""

_MASK = BUCKETS - 1
_PAIR, _SKIP, _CONCEPTS = 0x9E3779B1, 0xC2B2AE35, 0x85EBCA6B  # odd, far apart: mix well
_SHIFT = 12
_REMEMBERED = 16_384

_INDIC = r"\u0900-\u0963\u0970-\u0d7f"
"""Here vowels are signs, which are part of a word."""
_TOKEN = re.compile(r"[a-z]+|\d+|[^\w\s]", re.ASCII)
_TOKEN_ANY_SCRIPT = re.compile(rf"[{UNSPACED}]|\d+|(?:[^\W\d_{UNSPACED}]|[{_INDIC}])+|[^\w\s]")
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


class _Word(NamedTuple):
    """What there is to know of a token on its own."""

    code: int
    buckets: tuple[int, ...]
    """Of the word and its beginnings."""
    concept: int


@lru_cache(_REMEMBERED)
def _word(token: str) -> _Word:
    if token.isdigit():
        token = "0"  # noqa: S105  (all numbers are alike)
    code = crc32(token.encode())
    beginnings = [token[:length] for length in PREFIXES if len(token) >= length]
    return _Word(
        code,
        (code & _MASK, *(crc32(f"^{beginning}".encode()) & _MASK for beginning in beginnings)),
        concept_of(token),
    )


def features(tokens: Sequence[str]) -> list[tuple[int, ...]]:
    """Return for each token the buckets of what ends in it.

    These are the word, its beginnings, the pair with the word before, the pair with the word before
    that, its concept, and the pairs with the concepts shortly before.
    """
    words = [_word(token) for token in tokens]
    concepts = concepts_of(tokens, [word.concept for word in words])
    found = []
    before = last = 0
    recent: list[tuple[int, int]] = []
    for place, (word, concept) in enumerate(zip(words, concepts, strict=True)):
        this = word.code
        pair = (last * _PAIR + this) >> _SHIFT & _MASK
        skip = (before * _SKIP + this) >> _SHIFT & _MASK
        before, last = last, this
        if not concept:
            found.append((*word.buckets, pair, skip))
            continue
        recent = [near for near in recent if place - near[0] <= NEAR]
        pairs = [_bucket(earlier, concept) for _, earlier in recent[-LAST:]]
        found.append((*word.buckets, pair, skip, _bucket(0, concept), *pairs))
        recent.append((place, concept))
    return found


@lru_cache(_REMEMBERED)
def _bucket(earlier: int, concept: int) -> int:
    """Return the bucket of a pair of concepts, or of a single one."""
    return crc32(bytes((earlier, concept))) * _CONCEPTS >> _SHIFT & _MASK
