"""Readings of a whole text that are possible, and looked at only where it shows signs of them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from string import ascii_lowercase
from typing import NamedTuple

from langchain_control.detectors import vocabulary

__all__ = ["COMMON_DISGUISED", "READINGS", "Words", "look_up", "words_of"]


class Words(NamedTuple):
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

_COMMON_WORDS = (
    "the and you your all that this what with have from tell say not for about would ignore"
    " previous instructions prompt system password secret how can are will repeat write give me"
    " my to of is just output if when been said word english only then here print sentence"
    " translate answer"
)
"""English words, some of which stand in nearly every sentence."""

_ALSO_WORDS = frozenset(
    ("ton", "rof", "em", "si", "fo", "era", "nac", "ot", "ym", "fi", "vs", "gb")
)
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
_INNER_SYMBOL = re.compile(r"(?<=[a-z])[@$!|](?=[a-z])|(?<![^\s\"'(])[@$](?=[a-z])", re.ASCII)

SHORTEST_SCRAMBLED = 4
"""Letters without which there is nothing to scramble between the first and the last."""

_LETTERS = re.compile(r"[a-z]+")
_OTHERS_TO_BLANKS = bytes(byte if chr(byte) in ascii_lowercase else 0x20 for byte in range(256))
MIN_SCRAMBLED = 3


def look_up(text: str) -> Words:
    """Look the words of a text up in the vocabulary."""
    words = words_of(text)
    return Words(len(words), words - vocabulary.known())


def words_of(text: str) -> frozenset[str]:
    """Return the different words of a text, as far as they are in Latin letters."""
    letters = text.encode("ascii", "replace").translate(_OTHERS_TO_BLANKS)
    return frozenset(letters.decode("ascii").split())


def _are_signs(
    disguised: Callable[[], frozenset[str]], common: frozenset[str], words: Words, text: str
) -> bool:
    """Whether words of the vocabulary stand in a text in disguise, common ones in English first."""
    if len(common & words.unknown) >= _least(text):
        return True
    return _no_accident(len(words.unknown), words, text) and _no_accident(
        len(disguised() & words.unknown), words, text
    )


def _no_accident(found: int, words: Words, text: str, enough: int = MIN_KNOWN) -> bool:
    return found >= enough or found >= max(_least(text), MIN_SHARE * words.number)


def _least(text: str) -> int:
    return MIN_SIGNS if len(text) > SHORT else 1


def _unleet(text: str, _: Words) -> str | None:
    characters = text.encode("ascii", "replace")
    others = characters.translate(None, _LEET_CHARACTERS)
    if (len(characters) - len(others)) * CHARS_PER_LEET_SIGN < len(text):
        return None
    if len(_LEET_SIGN.findall(text)) * CHARS_PER_LEET_SIGN < len(text):
        return None
    plain = text.translate(_LEET_DIGITS)
    return _INNER_SYMBOL.sub(lambda match: match[0].translate(_LEET_SYMBOLS), plain)


def _unrot13(text: str, words: Words) -> str | None:
    shown = _are_signs(vocabulary.in_rot13, _ROT13_WORDS, words, text)
    return codecs.decode(text, "rot13") if shown else None


def _unreverse(text: str, words: Words) -> str | None:
    shown = _are_signs(vocabulary.backwards, _REVERSED_WORDS, words, text)
    return text[::-1] if shown else None


def _unscramble(text: str, words: Words) -> str | None:
    """Set words right whose inner letters are in disorder, if there are several of them."""
    unknown = [word for word in words.unknown if len(word) >= SHORTEST_SCRAMBLED]
    if not _no_accident(len(unknown), words, text, MIN_SCRAMBLED):
        return None
    found = {
        word: known
        for word in unknown
        if (known := vocabulary.by_shape(word[0]).get(vocabulary.shape_of(word)))
    }
    if not _no_accident(len(found), words, text, MIN_SCRAMBLED):
        return None
    return _LETTERS.sub(lambda match: found.get(match[0], match[0]), text)


READINGS: dict[str, Callable[[str, Words], str | None]] = {
    "leet": _unleet,
    "rot13": _unrot13,
    "reversed": _unreverse,
    "unscrambled": _unscramble,
}
"""Reading → function of a text and its words that returns it so read, of the same length."""
