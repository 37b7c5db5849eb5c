"""Where in a text one of many words begins, found in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

__all__ = ["Anchors"]

HEAD = 6
"""Characters of a word that are searched for before the whole of it is compared: a pattern of all
characters takes twice as long to compile and finds hardly fewer places."""


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
            head: _by_next(
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
        self._search = re.compile(f"{after}({_longest_of(heads)})", flags).search

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield places and words, from the beginning of the text to its end."""
        match = self._search(text)
        while match:
            place, end = match.span(1)
            alike = self._beginning[match[1]]
            for word in alike.get(text[end : end + 1], alike[""]):
                if text.startswith(word, place):
                    yield place, word
            match = self._search(text, match.start() + 1)


def _by_next(words: list[str], head: int) -> dict[str, list[str]]:
    """Return the words that may stand where their head does, by the character after it."""
    nexts = {"", *(word[head : head + 1] for word in words)}
    return {char: [word for word in words if word[head : head + 1] in ("", char)] for char in nexts}


def _longest_of(words: list[str], shared: int = 0) -> str:
    """Return a pattern for the longest of the words, which have their first characters in common.

    Words that begin alike are one alternative, so that few alternatives are tried in each place.
    """
    if not words:
        return r"(?!)"
    if len(words) == 1:
        return re.escape(words[0][shared:])
    one_ends = len(words[0]) == shared
    branches = (
        re.escape(char) + _longest_of(list(alike), shared + 1)
        for char, alike in groupby(words[one_ends:], key=lambda word: word[shared])
    )
    return f"(?:{'|'.join(branches)}){'?' if one_ends else ''}"
