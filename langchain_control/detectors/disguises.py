"""Readings of a whole text that are possible, and looked at only where it shows signs of them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from string import ascii_lowercase

__all__ = ["READINGS", "Words", "words_of"]

Words = frozenset[str]

MIN_SIGNS = 2
SHORT = 80
"""Characters up to which one sign is enough."""

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

_LEET_CHARACTER = re.compile(r"[013457@$!|]")
_LEET_SIGN = re.compile(r"[a-z][013457@$!|][a-z]|[a-z][013457]|[013457@$][a-z]", re.ASCII)
CHARS_PER_LEET_SIGN = 15
_LEET_DIGITS = str.maketrans("013457", "oieast")
_LEET_SYMBOLS = str.maketrans("@$!|", "asil")
_INNER_SYMBOL = re.compile(r"(?<=[a-z])[@$!|](?=[a-z])|(?<![^\s\"'(])[@$](?=[a-z])", re.ASCII)

_OFTEN_SCRAMBLED = (
    "about above access according account activate administrator admin answer anything"
    " appropriate assistant attack authorized before begin behind beginning bypass character"
    " characters chatbot command commands complete concatenate conditions confidential"
    " configuration constraints content context continue conversation create credentials debug"
    " decode default delete describe details developer different directions directive directives"
    " disable discard disclose display disregard document dump earlier email enable encode enter"
    " entire ethical every everything exactly example execute explain expose file first"
    " following forget former forward forwarding from full given guidelines hacked hello hidden"
    " ignore illegal imagine information initial input inside instead instruction instructions"
    " internal jailbreak joke language last letter letters limitations limits list longer make"
    " message messages model moral morals never nothing obey only original other output override"
    " password passphrase personal please policies policy poem pretend preceding previous"
    " previously print prior private programming prompt prompts protocol provide question"
    " question questions reason refuse regardless relevant remember repeat reply request respond"
    " response responses restrictions retrieve return reveal rules safety same secret secrets"
    " security send sentence share should show simulate spell start starting step stop story"
    " system task tasks tell text that then these this those told training translate under"
    " unethical unfiltered unrestricted user users verbatim what whatever will with without word"
    " words would write your"
)
"""Words that attacks are made of; only these are put in order."""

SHORTEST_SCRAMBLED = 4
"""Letters without which there is nothing to scramble between the first and the last."""

_WORDS_BY_SHAPE = {
    word[0] + "".join(sorted(word[1:-1])) + word[-1]: word
    for word in _OFTEN_SCRAMBLED.split()
    if len(word) >= SHORTEST_SCRAMBLED
}
_KNOWN_WORDS = frozenset(_WORDS_BY_SHAPE.values())
_ENDS = frozenset((word[0] + word[-1], len(word)) for word in _KNOWN_WORDS)
_LETTERS = re.compile(r"[a-z]+")
_OTHERS_TO_BLANKS = bytes(byte if chr(byte) in ascii_lowercase else 0x20 for byte in range(256))
MIN_SCRAMBLED = 3


def words_of(text: str) -> Words:
    """Return the different words of a text, as far as they are in Latin letters."""
    letters = text.encode("ascii", "replace").translate(_OTHERS_TO_BLANKS)
    return frozenset(letters.decode("ascii").split())


def _enough(signs: Words, words: Words, text: str) -> bool:
    return len(signs & words) >= (MIN_SIGNS if len(text) > SHORT else 1)


def _unleet(text: str, _: Words) -> str | None:
    if not _LEET_CHARACTER.search(text):
        return None
    if len(_LEET_SIGN.findall(text)) * CHARS_PER_LEET_SIGN < len(text):
        return None
    plain = text.translate(_LEET_DIGITS)
    return _INNER_SYMBOL.sub(lambda match: match[0].translate(_LEET_SYMBOLS), plain)


def _unrot13(text: str, words: Words) -> str | None:
    return codecs.decode(text, "rot13") if _enough(_ROT13_WORDS, words, text) else None


def _unreverse(text: str, words: Words) -> str | None:
    return text[::-1] if _enough(_REVERSED_WORDS, words, text) else None


def _unscramble(text: str, words: Words) -> str | None:
    """Set words right whose inner letters are in disorder, if there are several of them."""
    found = {}
    for word in words - _KNOWN_WORDS:
        if len(word) >= SHORTEST_SCRAMBLED and (word[0] + word[-1], len(word)) in _ENDS:
            known = _WORDS_BY_SHAPE.get(word[0] + "".join(sorted(word[1:-1])) + word[-1])
            if known:
                found[word] = known
    if len(found) < MIN_SCRAMBLED:
        return None
    return _LETTERS.sub(lambda match: found.get(match[0], match[0]), text)


READINGS: dict[str, Callable[[str, Words], str | None]] = {
    "leet": _unleet,
    "rot13": _unrot13,
    "reversed": _unreverse,
    "unscrambled": _unscramble,
}
"""Reading → function of a text and its words that returns it so read, of the same length."""
