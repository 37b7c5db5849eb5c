"""Characters that look like others, and characters that do not look like anything."""
# ruff: noqa: RUF001  (look-alikes are what this module is about)

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import repeat
from string import ascii_lowercase
from typing import Literal

__all__ = [
    "BLOCK",
    "CONTROL",
    "FILLERS",
    "fold",
    "fold_blocks",
    "folded_lengths",
    "has_astral",
    "is_plain",
    "resolve_lookalikes",
]

MAX_EXPANSION = 4
"""No character becomes longer than this: one ligature in Unicode unfolds to 18 characters."""

_TAGS = range(0xE0020, 0xE007F)
_MARK = re.compile(
    r"[\u0300-\u036f\ufe00-\ufe0f\U000e0100-\U000e01ef\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u0670\u0640]"
)
_BOXED_CAPITALS = range(0x1F130, 0x1F18A)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BLANKS = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Cc": "", "Cf": "", "Cs": ""}
"""What becomes of blanks, controls, formatting characters and lone surrogates, by category."""
_CONTROL_BLANKS = "\x0b\x0c\x85"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Controls of ASCII, but for tabs and the ends of lines."""
FILLERS = "\u115f\u1160\u17b4\u17b5\u3164\uffa0"
"""Letters that are drawn as nothing or as a blank: words they stand between are apart."""
_BRAILLE_BLANK = "\u2800"
_GRAPHEME_JOINER = "\u034f"
_REPLACEMENT = "\ufffd"
"""What becomes of a lone surrogate in the text that goes on to the model."""
_SELECTORS = frozenset((*range(0x180B, 0x1810), 0x2065, *range(0xE0000, 0xE1000)))
"""Selectors of variants, and code points reserved for them, whatever their category."""
_DECOMPOSED_SCRIPTS = (range(0x80, 0x530), range(0x1D00, 0x2000), range(0x2100, 0x2190))
"""Latin, Greek and Cyrillic lose their accents; elsewhere a mark is part of the letter."""

_LETTERS = {
    **dict.fromkeys(f"{FILLERS}{_BRAILLE_BLANK}", " "),
    **dict.fromkeys(f"{_GRAPHEME_JOINER}{_REPLACEMENT}", ""),
    **dict(
        zip("øłđħŧıȷɑɡɩɪʀʏʙɢʜʟɴᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜰꜱ", "oldhtijagiirybghlnacdejkmoptuvwzfs", strict=True)
    ),
    "æ": "ae", "œ": "oe", "ß": "ss", "þ": "th", "ð": "d", "Ø": "O", "Ł": "L", "Đ": "D", "Æ": "AE",
    "Œ": "OE", "Þ": "TH", "Ð": "D", "‘": "'", "’": "'", "‛": "'", "′": "'", "“": '"', "”": '"',
    "„": '"', "‟": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-",
    "।": ".", "。": ".", "，": ",", "、": ",", "！": "!", "？": "?", "：": ":",
}  # fmt: skip


def _fold_code_point(point: int) -> str:
    char = chr(point)
    if char in _LETTERS:
        return _LETTERS[char]
    if point in _TAGS:  # a hidden copy of ASCII
        return chr(point - 0xE0000)
    if point in _SELECTORS:
        return ""
    if point in _BOXED_CAPITALS and (place := (point - _BOXED_CAPITALS.start) % 32) < len(
        _ALPHABET
    ):
        return _ALPHABET[place]
    if (blank := _BLANKS.get(unicodedata.category(char))) is not None:
        return blank if char not in _CONTROL_BLANKS else " "
    form: Literal["NFKD", "NFKC"] = "NFKC"
    if any(point in script for script in _DECOMPOSED_SCRIPTS):
        form = "NFKD"
    folded = _MARK.sub("", unicodedata.normalize(form, char))
    return folded if len(folded) <= MAX_EXPANSION else char


_STEADY_BLOCKS = (
    "\U00010800-\U0001107f\U00011100-\U0001342f\U00013460-\U0001bc9f\U00020000-\U0002f7ff"
    "\U0002fa20-\U000dffff\U000e1000-\U0010ffff"
)
"""Above the first 65,536: where every character, assigned or not, is its own plainest form."""
_STEADY = re.compile(f"[{_STEADY_BLOCKS}]")
_BETWEEN_THEM = re.compile(f"[^{_STEADY_BLOCKS}]+")


class _FoldTable(dict[int, str]):
    """A `str.translate` table that fills itself: folding is a pure function of the character.

    Not with what stands in steady blocks, which are most of Unicode and would fill a lot of memory.
    """

    def __missing__(self, point: int) -> str:
        folded = self[point] = _fold_code_point(point) if point not in _PLAIN_ASCII else chr(point)
        return folded


_PLAIN_ASCII = frozenset((0x09, 0x0A, 0x0D, *range(0x20, 0x7F)))
_FOLDED = _FoldTable()


BLOCK = 64
"""Characters that are folded at a time: what is plain in a mixed text need not be looked up."""


def fold(text: str) -> str:
    """Remove what is invisible and spell the rest in its plainest characters."""
    return "".join(fold_blocks(text))


def fold_blocks(text: str) -> list[str]:
    """Fold each `BLOCK` characters on their own."""
    return [_fold_block(text[start : start + BLOCK]) for start in range(0, len(text), BLOCK)]


def _fold_block(block: str) -> str:
    if is_plain(block):
        return block
    if has_astral(block) and _STEADY.search(block):  # a table is slow on what it does not hold
        return _BETWEEN_THEM.sub(lambda run: run[0].translate(_FOLDED), block)
    return block.translate(_FOLDED)


def is_plain(text: str) -> bool:
    """Whether folding leaves a text as it is; most are of one line, which is told at once."""
    return text.isascii() and (text.isprintable() or not CONTROL.search(text))


def has_astral(text: str) -> bool:
    """Whether a character is above the first 65,536, told many times faster than by a pattern."""
    return len(text.encode("utf-16-le", "surrogatepass")) > 2 * len(text)


def folded_lengths(text: str) -> Iterator[int]:
    """Yield how long each character of a text that was folded has become."""
    return map(len, map(_FOLDED.get, map(ord, text), repeat("x")))  # a steady one stays one


_FROM_CYRILLIC = ("абвгеиіјкмнопрстухьѕһԁԛԝѵӏцч", "a6breuijkmhonpctyxbshdqwvluy")
_FROM_GREEK = ("αβγεζηικμνορσςτυχωϲϳ", "abyeznikuvopostuxwcj")
_FROM_ARMENIAN = ("աոսօզցհյլքԝ", "wnuoqghjlpw")
_LATIN_OF = {
    ord(foreign): latin
    for foreigns, latins in (_FROM_CYRILLIC, _FROM_GREEK, _FROM_ARMENIAN)
    for foreign, latin in zip(foreigns, latins, strict=False)
}
_EXACT = "аеіјорсухѕһԁԛԝӏοιυνρτασցհոսօ"
"""Letters drawn exactly like a Latin one: a word of only these may be Latin in disguise."""
_FOREIGN = r"\u0370-\u058f"
_IN_LATIN = {letter: letter for letter in range(0x370, 0x590)} | _LATIN_OF
"""Holds what stays as well: a table is slow on what it does not hold."""
_FOREIGN_LETTERS = re.compile(f"[{_FOREIGN}]+")
_FOREIGN_RUN = rf"[{_FOREIGN}](?<![{_FOREIGN}].)"
_NEXT_TO_LATIN = rf"(?<=[a-z].)[{_FOREIGN}]*+|[{_FOREIGN}]*+(?=[a-z])"
_EXACT_WORD = rf"(?<=[{_EXACT}])[{_EXACT}]*+(?![a-z{_FOREIGN}])"
_IN_MIXED = re.compile(f"{_FOREIGN_RUN}(?:{_NEXT_TO_LATIN})")
_IN_MIXED_OR_EXACT = re.compile(f"{_FOREIGN_RUN}(?:{_NEXT_TO_LATIN}|{_EXACT_WORD})")


def resolve_lookalikes(text: str) -> str:
    """Spell words that mix scripts in Latin letters; a word wholly of one script stays as it is.

    In a text that is mostly Latin, a word made only of exact look-alikes is resolved as well.
    """
    if text.isascii() or not _FOREIGN_LETTERS.search(text):
        return text
    foreign = sum(map(len, _FOREIGN_LETTERS.findall(text)))
    disguised = _IN_MIXED_OR_EXACT if _latin_letters(text) > foreign else _IN_MIXED
    return disguised.sub(lambda run: run[0].translate(_IN_LATIN), text)


def _latin_letters(text: str) -> int:
    """Count the letters from a to z."""
    characters = text.encode("ascii", "ignore")
    return len(characters) - len(characters.translate(None, ascii_lowercase.encode()))
