"""A tokenizer around any function that counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_control.encodings.surrogates import well_formed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CountingTokenizer"]

_GUESSED_CHARS_PER_TOKEN = 8


class CountingTokenizer:
    """Count with a function, and cut by searching for the length that counts right."""

    def __init__(self, count: Callable[[str], int], *, name: str, exact: bool) -> None:
        """Count with `count`.

        Args:
            count: Returns the number of tokens of a text.
            name: What to call this way of counting.
            exact: Whether the function counts with the real vocabulary.
        """
        self.name = name
        self.exact = exact
        self._count = count

    def count(self, text: str) -> int:
        """Return what the function says."""
        return self._count(well_formed(text))

    def truncate(self, text: str, max_tokens: int) -> str:
        """Return a prefix that the function counts at `max_tokens` at most."""
        if max_tokens <= 0:
            return ""
        length = _GUESSED_CHARS_PER_TOKEN * max_tokens
        while True:
            head = well_formed(text[:length])
            if self._count(head) > max_tokens:
                return self._cut(head, max_tokens)
            if length >= len(text):
                return head
            length *= 2

    def _cut(self, text: str, max_tokens: int) -> str:
        fits, too_long = 0, len(text)
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            if self._count(text[:middle]) <= max_tokens:
                fits = middle
            else:
                too_long = middle
        return text[:fits]
