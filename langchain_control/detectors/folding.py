"""Characters that look like others, and characters that do not look like anything."""
# ruff: noqa: RUF001  (look-alikes are what this module is about)

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

__all__ = ["FILLERS", "fold", "folded_lengths", "resolve_lookalikes"]

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
FILLERS = "\u115f\u1160\u17b4\u17b5\u3164\uffa0"
"""Letters that are drawn as nothing or as a blank: words they stand between are apart."""
_BRAILLE_BLANK = "\u2800"
_GRAPHEME_JOINER = "\u034f"
_REPLACEMENT = "\ufffd"
"""What becomes of a lone surrogate in the text that goes on to the model."""
_NEVER_DRAWN = frozenset((*range(0x180B, 0x1810), 0x2065, *range(0xE0000, 0xE1000)))
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
    if point in _NEVER_DRAWN:
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


_UNASSIGNED = frozenset(("Cn", "Co"))
_EMPTY_PLANES = "\U00040000-\U000dffff\U000e1000-\U0010ffff"
"""Where nothing is assigned, nor will be soon: all planes above the third, but for tags."""
_MEANINGLESS = re.compile(f"[{_EMPTY_PLANES}]")
_BETWEEN_THEM = re.compile(f"[^{_EMPTY_PLANES}]+")


class _FoldTable(dict[int, str]):
    """A `str.translate` table that fills itself: folding is a pure function of the character.

    Only with what is in use, as most code points mean nothing and would fill a lot of memory.
    """

    def __missing__(self, point: int) -> str:
        char = chr(point)
        if unicodedata.category(char) in _UNASSIGNED and point not in _NEVER_DRAWN:
            return char
        folded = self[point] = _fold_code_point(point) if point not in _PLAIN_ASCII else char
        return folded


_PLAIN_ASCII = frozenset((0x09, 0x0A, 0x0D, *range(0x20, 0x7F)))
_FOLDED = _FoldTable()


def fold(text: str) -> str:
    """Remove what is invisible and spell the rest in its plainest characters."""
    if _MEANINGLESS.search(text):  # a table is slow on what it does not hold
        return _BETWEEN_THEM.sub(lambda run: run[0].translate(_FOLDED), text)
    return text.translate(_FOLDED)


def folded_lengths(text: str) -> Iterator[int]:
    """Yield how long each character is after folding."""
    return map(len, map(_FOLDED.__getitem__, map(ord, text)))


_FROM_CYRILLIC = ("абвгеиіјкмнопрстухьѕһԁԛԝѵӏцч", "a6breuijkmhonpctyxbshdqwvluy")
_FROM_GREEK = ("αβγεζηικμνορσςτυχωϲϳ", "abyeznikuvopostuxwcj")
_FROM_ARMENIAN = ("աոսօզցհյլքԝ", "wnuoqghjlpw")
_LATIN_OF = {
    ord(foreign): latin
    for foreigns, latins in (_FROM_CYRILLIC, _FROM_GREEK, _FROM_ARMENIAN)
    for foreign, latin in zip(foreigns, latins, strict=False)
}
_EXACT = frozenset("аеіјорсухѕһԁԛԝӏοιυνρτασցհոսօ")
"""Letters drawn exactly like a Latin one: a word of only these may be Latin in disguise."""
_FOREIGN_WORD = re.compile(r"[a-z]*[\u0370-\u058f][a-z\u0370-\u058f]*")
_LATIN_LETTER = re.compile(r"[a-z]")
_FOREIGN_LETTER = re.compile(r"[\u0370-\u058f]")


def resolve_lookalikes(text: str) -> str:
    """Spell words that mix scripts in Latin letters; a word wholly of one script stays as it is.

    In a text that is mostly Latin, a word made only of exact look-alikes is resolved as well.
    """
    if text.isascii() or not _FOREIGN_LETTER.search(text):
        return text
    mostly_latin = len(_LATIN_LETTER.findall(text)) > len(_FOREIGN_LETTER.findall(text))

    def resolve(match: re.Match[str]) -> str:
        word = match[0]
        mixed = _LATIN_LETTER.search(word) is not None
        disguised = mixed or (mostly_latin and _EXACT.issuperset(word))
        return word.translate(_LATIN_OF) if disguised else word

    return _FOREIGN_WORD.sub(resolve, text)
