"""Word n-grams, beginnings of words and pairs of concepts, hashed: what the built-in model sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress, count, islice
from typing import NamedTuple
from zlib import crc32

from langchain_control.detectors.concepts import concept_of, concepts_of
from langchain_control.detectors.scripts import RUN_TOGETHER

__all__ = ["BUCKETS", "features", "token_span", "tokenize"]

BUCKETS = 1 << 19
"""Size of the table of weights. Collisions cost less than a larger download would."""

PREFIXES = (4, 5, 6)
"""Letters of a word that stand for it and its relatives: *instruct*, *instructions*."""

NEAR = 5
"""A concept is paired with the last two that stand at most so many tokens before."""

_MASK = BUCKETS - 1
_PAIR, _SKIP, _CONCEPTS = 0x9E3779B1, 0xC2B2AE35, 0x85EBCA6B  # odd, far apart: mix well
_SHIFT = 12
_MODULUS = BUCKETS << _SHIFT
"""What is above it does not reach a bucket."""
_BEGINNING = crc32(b"^")
"""Sets the beginnings of words apart from words."""
_REMEMBERED = 16_384

_INDIC = r"\u0900-\u0963\u0970-\u0d7f"
"""Here vowels are signs, which are part of a word."""
_TOKEN = re.compile(r"[a-z]+|\d+|[^\w\s]", re.ASCII)
_TOKEN_ANY_SCRIPT = re.compile(
    rf"[{RUN_TOGETHER}]|\d+|(?>(?:[^\W\d_{RUN_TOGETHER}]++|[{_INDIC}]++)+)|[^\w\s]"
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


class _Word(NamedTuple):
    """What there is to know of a token on its own."""

    summand: int
    """What it adds to its pairs with the words before it."""
    as_last: int
    """What it adds to the pair with the word after it."""
    as_before: int
    """What it adds to the pair with the word after that."""
    buckets: tuple[int, ...]
    """Of the word and its beginnings."""
    concept: int


@lru_cache(_REMEMBERED)
def _word(token: str) -> _Word:
    if token.isdigit():
        token = "0"  # noqa: S105  (all numbers are alike)
    code = crc32(token.encode())
    buckets = [code & _MASK]
    for length in PREFIXES:
        if len(token) < length:
            break
        buckets.append(crc32(token[:length].encode(), _BEGINNING) & _MASK)
    return _Word(
        _small(code),
        _small(code * _PAIR),
        _small(code * _SKIP),
        tuple(buckets),
        concept_of(token),
    )


def _small(number: int) -> int:
    """Return what is as good a summand, and as near to zero as can be: large numbers are slow."""
    return (number + _MODULUS // 2) % _MODULUS - _MODULUS // 2


def features(tokens: Sequence[str]) -> list[tuple[int, ...]]:
    """Return for each token the buckets of what ends in it.

    These are the word, its beginnings, the pair with the word before, the pair with the word before
    that, its concept, and the pairs with the concepts shortly before.
    """
    found: list[tuple[int, ...]] = []
    numbers = []
    to_last = to_before = of_last = 0
    for summand, as_last, as_before, buckets, concept in map(_word, tokens):
        pairs = summand + to_last >> _SHIFT & _MASK, summand + to_before >> _SHIFT & _MASK
        found.append(buckets + pairs)
        numbers.append(concept)
        to_last, to_before, of_last = as_last, of_last, as_before
    concepts = concepts_of(tokens, numbers)
    before = last = 0
    before_at = last_at = -NEAR
    for place in compress(count(), concepts):
        concept = concepts[place]
        found[place] += _buckets_of_concepts(
            concept,
            last if place - last_at <= NEAR else 0,
            before if place - before_at <= NEAR else 0,
        )
        before, before_at, last, last_at = last, last_at, concept, place
    return found


@lru_cache(_REMEMBERED)
def _buckets_of_concepts(concept: int, last: int, before: int) -> tuple[int, ...]:
    """Return the buckets of a concept and of its pairs with those near it, where there are any."""
    return tuple(
        crc32(bytes((earlier, concept))) * _CONCEPTS >> _SHIFT & _MASK
        for earlier in (0, *filter(None, (before, last)))
    )
