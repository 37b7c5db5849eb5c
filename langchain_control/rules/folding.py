"""Text as phrases are looked for in it: case, width, spacing and invisible characters folded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby

from langchain_control.detectors.folding import FILLERS
from langchain_control.detectors.sanitize import NOT_DRAWN

__all__ = ["UNSPACED", "fold_phrase", "phrase_pattern"]

_INVISIBLE = re.compile(f"[{NOT_DRAWN}{FILLERS}]")
_SPACES = re.compile(r"\s+")
_PLAIN = str.maketrans("\u2018\u2019\u201b\u02bc\u2010\u0130", "''''-i")
"""Typographic apostrophes, the hyphen, and the Turkish capital that `casefold` takes apart."""
_LAST_MARK = 0x1F000
_POINTS = re.compile(
    "[\u05b0-\u05bd\u05bf\u05c1\u05c2\u05c7\u064b-\u0652\u0670\u0730-\u074a\ufb1e]"
)
"""Vowels of Hebrew, Arabic and Syriac, which are written or left out."""
MAX_MARKS = 30
"""Marks on one letter, as in Unicode's Stream-Safe Text Format: more take quadratic time."""
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]"
)
"""Scripts that write words without spaces: Thai, Lao, Burmese, Khmer, Japanese, Chinese. Korean,
which is among `RUN_TOGETHER` of the detectors, has spaces."""


def fold_phrase(text: str) -> str:
    """Bring a text to the form in which phrases are compared."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _too_many_marks().sub(r"\1", text))
        text = _POINTS.sub("", text.translate(_PLAIN))
    text = _INVISIBLE.sub("", text)
    return _SPACES.sub(" ", text.casefold()).strip()


def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """Match a phrase as whole words in a folded text.

    Raises:
        ValueError: The phrase has no characters to look for.
    """
    folded = fold_phrase(phrase)
    if not folded:
        msg = "a phrase must not be blank"
        raise ValueError(msg)
    start, end = _edge(folded[0], "(?<!{})"), _edge(folded[-1], "(?!{})")
    return re.compile(f"{start}{re.escape(folded)}{end}")


def _edge(character: str, boundary: str) -> str:
    """Ask for a word boundary where the script has them."""
    in_words = r"\w" if character.isascii() else rf"[\w{_marks()}]"
    bounded = re.match(in_words, character) and not UNSPACED.match(character)
    return boundary.format(in_words) if bounded else ""


@cache
def _too_many_marks() -> re.Pattern[str]:
    combining = _class_of(n for n in range(_LAST_MARK) if unicodedata.combining(chr(n)))
    return re.compile(f"([{combining}]{{{MAX_MARKS}}})[{combining}]+")


@cache
def _marks() -> str:
    """Return the vowel signs and points of all scripts, that count as no letters, for a class.

    Accents that combine with any letter belong to no script: a word struck through is that word.
    """
    return _class_of(n for n in range(_LAST_MARK) if _is_of_a_script(chr(n)))


def _class_of(points: Iterable[int]) -> str:
    """Return ascending code points as ranges, for a class of characters."""
    runs = [[n for _, n in run] for _, run in groupby(enumerate(points), lambda x: x[1] - x[0])]
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs)


def _is_of_a_script(mark: str) -> bool:
    is_mark = unicodedata.category(mark) in ("Mn", "Mc")
    return is_mark and not unicodedata.name(mark).startswith("COMBINING")
