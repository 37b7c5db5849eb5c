"""A text that limits how often it is looked into."""

from __future__ import annotations

from typing import Any, Self, SupportsIndex

__all__ = ["MeteredText", "TooMuchWorkError"]


class TooMuchWorkError(Exception):
    """A text was looked into more often than its budget allows."""


class MeteredText(str):
    """A `str` that bounds the work of a parser that has no bound of its own.

    Python offers no way to stop a function that takes too long, but one that walks over a text has
    to index it. Every index and slice is counted; parts and sums of the text share its count.
    """

    __slots__ = ("_looks_left",)

    _looks_left: list[int]

    def __new__(cls, text: str, budget: int) -> Self:
        """Allow `budget` looks."""
        return cls._sharing(text, [budget])

    @classmethod
    def _sharing(cls, text: str, looks_left: list[int]) -> Self:
        metered = super().__new__(cls, text)
        metered._looks_left = looks_left
        return metered

    def __getitem__(self, key: SupportsIndex | slice[Any, Any, Any]) -> str:
        """Look, and count it.

        Raises:
            TooMuchWorkError: The budget is spent.
        """
        self._looks_left[0] -= 1
        if self._looks_left[0] < 0:
            raise TooMuchWorkError
        found = super().__getitem__(key)
        return self._sharing(found, self._looks_left) if isinstance(key, slice) else found

    def __add__(self, other: str) -> str:
        """Append, without escaping the count."""
        return self._sharing(super().__add__(other), self._looks_left)
