"""Readings of a whole text that are possible, and looked at only where it shows signs of them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from string import ascii_lowercase
from typing import NamedTuple

from langchain_control.detectors import vocabulary

__all__ = ["COMMON_DISGUISED", "readings_of", "words_of"]


class _Words(NamedTuple):
    """The different words of a text, as far as they are in Latin letters."""

    number: int
    unknown: frozenset[str]
    """Those that are not in the vocabulary: no other can be one in disguise."""


MIN_SIGNS = 2
SHORT = 80
"""Characters up to which one sign is enough."""
MIN_KNOWN, MIN_SHARE = 4, 1 / 5
"""Words of the vocabulary in disguise, and their share of the different words of a piece, either of
which is more than chance puts into a harmless one."""
MIN_EXPLAINED = 1 / 20
"""Share of the unknown words that are so explained: of many, chance explains a few."""

_COMMON_WORDS = (
    "the and you your all that this what with have from tell say not for about would ignore"
    " previous instructions prompt system password secret how can are will repeat write give"
    " just output when been said word english only then here print sentence translate answer"
)
"""English words, some of which stand in nearly every sentence: not those of two letters, which
chance writes as well."""

_ALSO_WORDS = frozenset(("ton", "rof", "era", "nac"))
"""Disguised words that are words themselves, here or there."""

_ROT13_WORDS = (
    frozenset(codecs.encode(word, "rot13") for word in _COMMON_WORDS.split()) - _ALSO_WORDS
)
_REVERSED_WORDS = frozenset(word[::-1] for word in _COMMON_WORDS.split()) - _ALSO_WORDS

COMMON_DISGUISED = _ROT13_WORDS | _REVERSED_WORDS
"""Common words in disguise, whatever else they may stand for."""

_LEET_CHARACTERS = b"013457@$!|"
_LEET_SIGN = re.compile(r"[a-z][013457@$!|][a-z]|[a-z][013457]|[013457@$][a-z]", re.ASCII)
CHARS_PER_LEET_SIGN = 15
_LEET_DIGITS = str.maketrans("013457", "oieast")
_LEET_SYMBOLS = str.maketrans("@$!|", "asil")
_INNER_SYMBOL = re.compile(r"[@$!|](?=[a-z])(?:(?<=[a-z].)|(?<=[@$])(?<![^\s\"'(].))", re.ASCII)
"""Begins with a class, which is found fast."""

SHORTEST_SCRAMBLED = 4
"""Letters without which there is nothing to scramble between the first and the last."""

_LETTERS = re.compile(r"[a-z]+")
_OTHERS_TO_BLANKS = bytes(byte if chr(byte) in ascii_lowercase else 0x20 for byte in range(256))
MIN_SCRAMBLED = 3


def words_of(text: str) -> frozenset[str]:
    """Return the different words of a text, as far as they are in Latin letters."""
    letters = text.encode("ascii", "replace").translate(_OTHERS_TO_BLANKS)
    return frozenset(letters.decode("ascii").split())


def readings_of(text: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """Return how else a text may read, as far as it shows signs of it, and what reads it so.

    Each reading is of the same length as the text.
    """
    is_leet, different = _is_leet(text), words_of(text)
    unknown = different - vocabulary.known()
    if is_leet or unknown:
        return _readings_by_signs(text, _Words(len(different), unknown), is_leet=is_leet)
    return iter(())


def _readings_by_signs(
    text: str, words: _Words, *, is_leet: bool
) -> Iterator[tuple[str, Callable[[], str]]]:
    if is_leet:
        yield "leet", partial(_unleet, text)
    few = not _no_accident(len(words.unknown), words, text, MIN_SCRAMBLED)
    if few and words.unknown.isdisjoint(COMMON_DISGUISED):
        return
    if _are_signs(vocabulary.in_rot13, _ROT13_WORDS, words, text):
        yield "rot13", lambda: codecs.decode(text, "rot13")
    if _are_signs(vocabulary.backwards, _REVERSED_WORDS, words, text):
        yield "reversed", lambda: text[::-1]
    if found := _scrambled(words, text):
        yield "unscrambled", partial(_replace_words, text, found)


def _are_signs(
    disguised: Callable[[], frozenset[str]], common: frozenset[str], words: _Words, text: str
) -> bool:
    """Whether words of the vocabulary stand in a text in disguise, common ones in English first."""
    return len(common & words.unknown) >= _least(text) or _no_accident(
        len(disguised() & words.unknown), words, text
    )


def _no_accident(found: int, words: _Words, text: str, enough: int = MIN_KNOWN) -> bool:
    at_least = max(enough, MIN_EXPLAINED * len(words.unknown))
    return found >= at_least or found >= max(_least(text), MIN_SHARE * words.number)


def _least(text: str) -> int:
    return MIN_SIGNS if len(text) > SHORT else 1


def _is_leet(text: str) -> bool:
    characters = text.encode("ascii", "replace")
    others = characters.translate(None, _LEET_CHARACTERS)
    if (len(characters) - len(others)) * CHARS_PER_LEET_SIGN < len(text):
        return False
    return len(_LEET_SIGN.findall(text)) * CHARS_PER_LEET_SIGN >= len(text)


def _unleet(text: str) -> str:
    plain = text.translate(_LEET_DIGITS)
    return _INNER_SYMBOL.sub(lambda match: match[0].translate(_LEET_SYMBOLS), plain)


def _replace_words(text: str, by: Mapping[str, str]) -> str:
    return _LETTERS.sub(lambda match: by.get(match[0], match[0]), text)


def _scrambled(words: _Words, text: str) -> dict[str, str]:
    """Return the words whose inner letters are in disorder, set right, if there are several."""
    found = {
        word: known
        for word in words.unknown
        if len(word) >= SHORTEST_SCRAMBLED
        and (known := vocabulary.by_shape(word[0]).get(vocabulary.shape_of(word)))
    }
    return found if _no_accident(len(found), words, text, MIN_SCRAMBLED) else {}
