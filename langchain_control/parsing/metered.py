"""A text that limits how often it is looked into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, SupportsIndex

__all__ = ["MeteredText", "TooMuchWorkError"]


class TooMuchWorkError(Exception):
    """A text was looked into more often than its budget allows."""


class MeteredText(str):
    """A `str` that bounds the work of a parser that has no bound of its own.

    Python offers no way to stop a function that takes too long, but one that walks over a text has
    to index it. Every index and slice is counted; parts and sums of the text share its count.
    """

    __slots__ = ("_looks",)

    _looks: Iterator[int]

    def __new__(cls, text: str, budget: int) -> Self:
        """Allow `budget` looks."""
        return cls._sharing(text, iter(range(budget)))

    @classmethod
    def _sharing(cls, text: str, looks: Iterator[int]) -> Self:
        metered = super().__new__(cls, text)
        metered._looks = looks
        return metered

    def __getitem__(self, key: SupportsIndex | slice[Any, Any, Any]) -> str:
        """Look, and count it.

        Raises:
            TooMuchWorkError: The budget is spent.
        """
        if next(self._looks, None) is None:
            raise TooMuchWorkError
        found = str.__getitem__(self, key)
        return self._sharing(found, self._looks) if isinstance(key, slice) else found

    def __add__(self, other: str) -> str:
        """Append, without escaping the count."""
        return self._sharing(super().__add__(other), self._looks)
