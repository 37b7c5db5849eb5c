"""What the words of a text are about, whatever the language: dropping, rules, secrets, telling.

The built-in model learns from English texts for the most part. Through concepts, what it learned
about *tell* and *password* holds for *verrate* and *пароль* as well.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from langchain_control.detectors.folding import fold
from langchain_control.detectors.scripts import RUN_TOGETHER

__all__ = ["concept_of", "concepts_of", "names"]

MIN_STEM = 4
"""Letters from which on a stem may be the beginning of a longer word."""

MAX_STEM = 20
"""No stem is longer."""

_RUN_TOGETHER = re.compile(f"[{RUN_TOGETHER}]")


class _Lexicon(NamedTuple):
    """Stem → number of its concept, by how a stem is looked up."""

    words: dict[str, int]
    """Matched as a whole."""
    stems: dict[str, int]
    """Beginnings of words."""
    heads: frozenset[str]
    """The first letters of all stems: most words begin like none of them."""
    pairs: dict[tuple[str, str], int]
    """Two words that follow each other."""
    runs: dict[str, list[tuple[list[str], int]]]
    """Character → what begins with it in scripts without blanks, longest first."""
    first: frozenset[str]
    """With what a pair or a run begins: most tokens do not."""
    signs: frozenset[str]
    """What stands in every text with a pair or a run: with what pairs end and runs begin."""


@cache
def names() -> tuple[str, ...]:
    """Return the concepts; the first has number 1, for 0 means none."""
    return tuple(_read())


def _read() -> dict[str, str]:
    return tomllib.loads(Path(__file__).with_name("concepts.toml").read_text(encoding="utf-8"))


@cache
def _lexicon() -> _Lexicon:
    lexicon = _Lexicon({}, {}, frozenset(), {}, {}, frozenset(), frozenset())
    for number, stems in enumerate(_read().values(), 1):
        for stem in stems.split():
            _add(lexicon, fold(stem.rstrip("=")).lower(), number, whole=stem.endswith("="))
    for runs in lexicon.runs.values():
        runs.sort(key=lambda run: -len(run[0]))
    return lexicon._replace(
        heads=frozenset(stem[:MIN_STEM] for stem in lexicon.stems),
        first=frozenset(lexicon.runs).union(first for first, _ in lexicon.pairs),
        signs=frozenset(lexicon.runs).union(second for _, second in lexicon.pairs),
    )


def _add(lexicon: _Lexicon, stem: str, number: int, *, whole: bool) -> None:
    if _RUN_TOGETHER.match(stem):
        lexicon.runs.setdefault(stem[0], []).append((list(stem), number))
    elif "_" in stem:
        first, _, second = stem.partition("_")
        lexicon.pairs.setdefault((first, second), number)
    elif whole or len(stem) < MIN_STEM:
        lexicon.words.setdefault(stem, number)
    else:
        lexicon.stems.setdefault(stem, number)


def concept_of(word: str) -> int:
    """Return the number of the concept of a single word, 0 if it has none."""
    lexicon = _lexicon()
    if number := lexicon.words.get(word):
        return number
    if word[:MIN_STEM] not in lexicon.heads:
        return 0
    for length in range(min(len(word), MAX_STEM), MIN_STEM - 1, -1):
        if number := lexicon.stems.get(word[:length]):
            return number
    return 0


def concepts_of(tokens: Sequence[str], numbers: Sequence[int]) -> list[int]:
    """Complete the concepts of single words by those of pairs and of words without blanks.

    Args:
        tokens: Words, and characters of scripts without blanks.
        numbers: What `concept_of` says of each token.
    """
    lexicon = _lexicon()
    completed = list(numbers)
    if lexicon.signs.isdisjoint(tokens):
        return completed
    after = 0
    for place in [place for place, token in enumerate(tokens) if token in lexicon.first]:
        if place >= after:
            for run, number in lexicon.runs.get(tokens[place], ()):
                if list(tokens[place : place + len(run)]) == run:
                    completed[place] = number
                    after = place + len(run)
                    break
        for second in tokens[place + 1 : place + 2]:
            if of_both := lexicon.pairs.get((tokens[place], second)):
                completed[place + 1] = of_both
    return completed
