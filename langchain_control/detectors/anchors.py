"""Where in a text one of many words begins, found in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import NamedTuple

__all__ = ["Anchors"]

HEAD = 6
"""Characters of a word that are searched for before the whole of it is compared: a pattern of all
characters takes twice as long to compile and finds hardly fewer places."""

MANY_BRANCHES = 8
"""Alternatives of which not each is tried, if they are of more than one script."""

FEW = 2
"""Words that are compared one by one sooner than told apart."""


class Anchors:
    """Finds every place where one of many words begins."""

    def __init__(
        self, words: Iterable[str], *, after: str = "", flags: re.RegexFlag = re.NOFLAG
    ) -> None:
        """Arrange the words.

        Args:
            words: Plain text. Where several begin in one place, all are found, in this order.
            after: Regular expression for the one character that has to stand before them.
            flags: Of that expression.
        """
        by_head: dict[str, list[str]] = {}
        order = {word: number for number, word in enumerate(words)}
        for word in order:
            by_head.setdefault(word[:HEAD], []).append(word)
        heads = sorted(by_head)
        self._beginning = {
            head: _arranged(
                sorted(
                    (
                        word
                        for end in range(1, len(head) + 1)
                        for word in by_head.get(head[:end], ())
                    ),
                    key=order.__getitem__,
                ),
                len(head),
            )
            for head in heads
        }
        before = after or _first_of(heads)
        head = f"({_longest_of(heads)})"
        here = f"(?={head})" if after else f"(?<=(?={head})(?s:.))"
        self._finditer = re.compile(before + here, flags).finditer

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield places and words, from the beginning of the text to its end."""
        beginning = self._beginning
        for match in self._finditer(text):
            place = match.start(1)
            alike = beginning[match[1]]
            while isinstance(alike, _Alike):
                at = place + alike.told_apart
                alike = alike.by_next.get(text[at : at + 1], alike.others)
            for word in alike:
                if text.startswith(word, place):
                    yield place, word


def _first_of(words: Iterable[str]) -> str:
    """Return a pattern for the first character of one of the words: a class is found fast."""
    firsts = "".join(sorted({word[0] for word in words}))
    return f"[{re.escape(firsts)}]" if firsts else "(?!)"


class _Alike(NamedTuple):
    """Words that begin alike."""

    told_apart: int
    """How many characters those have in common that are not over before."""
    by_next: dict[str, _Alike | list[str]]
    """What may stand in a place, by the character that tells them apart."""
    others: list[str]
    """What may stand before any other character."""


def _arranged(words: list[str], shared: int) -> _Alike | list[str]:
    """Arrange words that have so many characters in common, or are over before."""
    longer = [word for word in words if len(word) > shared]
    if len(longer) <= FEW:
        return words
    shared = _shared(min(longer), max(longer))
    nexts = {word[shared] for word in longer if len(word) > shared}
    return _Alike(
        shared,
        {
            char: _arranged(
                [word for word in words if word[shared : shared + 1] in ("", char)], shared + 1
            )
            for char in nexts
        },
        [word for word in words if len(word) <= shared],
    )


def _shared(one: str, other: str) -> int:
    """Count the characters with which two words begin alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _longest_of(words: list[str], shared: int = 0) -> str:
    """Return a pattern for the longest of the words, which have their first characters in common.

    Words that begin alike are one alternative, so that few alternatives are tried in each place.
    """
    if not words:
        return r"(?!)"
    if len(words) == 1:
        return re.escape(words[0][shared:])
    one_ends = len(words[0]) == shared
    branches = {
        char: re.escape(char) + _longest_of(list(alike), shared + 1)
        for char, alike in groupby(words[one_ends:], key=lambda word: word[shared])
    }
    return f"(?:{_one_of(branches)}){'?' if one_ends else ''}"


def _one_of(branches: dict[str, str]) -> str:
    """Join alternatives by the characters they begin with, in order.

    Those of many scripts are passed over by the half, and what is in ASCII never tries them.
    """
    ascii_ones = sum(map(str.isascii, branches))
    if len(branches) <= MANY_BRANCHES or ascii_ones == len(branches):
        return "|".join(branches.values())
    half = ascii_ones or len(branches) // 2
    first, rest = dict(islice(branches.items(), half)), dict(islice(branches.items(), half, None))
    return f"{_one_of(first)}|(?=[{min(rest)}-{max(rest)}])(?:{_one_of(rest)})"
