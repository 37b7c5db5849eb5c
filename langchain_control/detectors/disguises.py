"""Readings of a whole text that are possible, and looked at only where it shows signs of them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

__all__ = ["READINGS"]

MIN_SIGNS = 2

_LEET = str.maketrans("013457@$!|", "oieastasil")
_LEET_WORD = re.compile(
    r"(?<![\w@$!|])(?=[a-z@$!|]*[0-9@$!|])[0-9@$!|]*[a-z][a-z0-9@$!|]*", re.ASCII
)
_LEET_SIGN = re.compile(r"[a-z][013457@$!|][a-z]|[a-z][013457]|[013457@$][a-z]", re.ASCII)

_ENGLISH = (
    "the",
    "and",
    "you",
    "your",
    "all",
    "ignore",
    "previous",
    "instructions",
    "prompt",
    "system",
)


def _any_word(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words)})\b")


_ROT13_SIGN = _any_word(tuple(codecs.encode(word, "rot13") for word in _ENGLISH))
_REVERSED_SIGN = _any_word(tuple(word[::-1] for word in _ENGLISH if word != "all"))


def _enough(pattern: re.Pattern[str], text: str) -> bool:
    matches = pattern.finditer(text)
    return sum(1 for _ in zip(range(MIN_SIGNS), matches, strict=False)) == MIN_SIGNS


def _unleet(text: str) -> str | None:
    if len(_LEET_SIGN.findall(text)) * 15 < len(text):
        return None
    return _LEET_WORD.sub(lambda match: match[0].translate(_LEET), text)


def _unrot13(text: str) -> str | None:
    return codecs.decode(text, "rot13") if _enough(_ROT13_SIGN, text) else None


def _unreverse(text: str) -> str | None:
    return text[::-1] if _enough(_REVERSED_SIGN, text) else None


READINGS: dict[str, Callable[[str], str | None]] = {
    "leet": _unleet,
    "rot13": _unrot13,
    "reversed": _unreverse,
}
"""Reading → function that returns the text so read, of the same length, or `None`."""
