"""Text as phrases are looked for in it: case, width, spacing and invisible characters folded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import groupby

from langchain_control.detectors.folding import FILLERS
from langchain_control.detectors.sanitize import NOT_DRAWN

__all__ = ["UNSPACED", "fold_parts", "fold_phrase", "phrase_pattern"]

_INVISIBLE = re.compile(f"[{NOT_DRAWN}{FILLERS}]")
_SPACES = re.compile(r"\s+")
_PLAIN = str.maketrans("\u2018\u2019\u201b\u02bc\u2010\u0130\u0131", "''''-ii", "\u0640")
"""Typographic apostrophes, the hyphen, the letters i of Turkish, whose case depends on the
language, and the stroke that draws Arabic words out."""
_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff][\u0300-\u036f]*")
"""Letters that may have accents, which their capitals are written without."""
_LAST_MARK = 0x1F000
_POINTS = re.compile(
    "[\u05b0-\u05bd\u05bf\u05c1\u05c2\u05c7\u064b-\u0652\u0670\u0730-\u074a\ufb1e]"
)
"""Vowels of Hebrew, Arabic and Syriac, which are written or left out."""
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003fffd"
)
UNSPACED = re.compile(f"[{_UNSPACED}]")
"""Scripts that write words without spaces: Thai, Lao, Burmese, Khmer, Japanese, Chinese. Korean,
which is among `RUN_TOGETHER` of the detectors, has spaces."""
_LETTER_OR_DIGIT = rf"[^\W_{_UNSPACED}]"
"""What goes on with a word. Where words are not written apart, none does."""
_EMPHASIS = "*_~`"
"""Marks by which Markdown sets words apart; at most three stand together."""
_NO_FIGURE_BEFORE = (
    r"(?<!\d[.,]\d)"
    r"|(?=\d?[.,]\d)"  # the 12 of 31.12.2024, the 2 of 1,2,3
    r"|(?<=[.,]\d[.,]\d)|(?<=[.,]\d\d[.,]\d)"  # the 3, the 2024
    r"|(?<=(?<!\d)(?:0[1-9]|1[0-2])\.\d)(?=\d{3}(?!\d))"  # the 2024 of 12.2024
)
"""What tells that a digit belongs to no figure that begins before it, as in 0.5 or 1,234."""
_STARTS = (
    rf"(?<!{_LETTER_OR_DIGIT}.)(?<!{_LETTER_OR_DIGIT}_.)(?<!{_LETTER_OR_DIGIT}__.)"
    rf"(?:{_NO_FIGURE_BEFORE})"
)
"""What must hold after the first character of a phrase: the search for that character is fast."""
_ENDS = (
    rf"(?!_{{0,3}}{_LETTER_OR_DIGIT})"
    r"(?!(?<=\d)[.,']\d{3}(?!\d))"  # 50,000 is no 50
    r"(?!'t(?!\w))"  # can't is no can
    rf"(?!(?<=(?<!{_LETTER_OR_DIGIT})[^\W\d_])(?:\+\+|[+#](?!\w)))"  # C++ is no C
)
_AMOUNT = re.compile(r"[$\u00a2-\u00a5\u20a0-\u20cf] ?\d[\d.,']*\Z")
_NO_DECIMALS = r"(?![.,](?!0+(?!\d))\d)"
"""$5.99 is no $5, but $5.00 is."""
MAX_MARKS = 30
"""Marks on one letter, as in Unicode's Stream-Safe Text Format: more take quadratic time."""


def fold_phrase(text: str) -> str:
    """Bring a text to the form in which phrases are compared."""
    if text.isascii():
        folded = text.casefold()
    else:
        text = unicodedata.normalize("NFKC", _too_many_marks().sub(r"\1", text))
        folded = _POINTS.sub("", text.translate(_PLAIN)).casefold()
        folded = _GREEK.sub(lambda found: unicodedata.normalize("NFD", found[0])[0], folded)
    return _SPACES.sub(" ", _INVISIBLE.sub("", folded)).strip()


def fold_parts(parts: Iterable[str]) -> str:
    """Bring texts to that form, with a border between them that no phrase crosses."""
    return "\n".join(map(fold_phrase, parts))


def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """Match a phrase as whole words in a folded text.

    Marks of emphasis around its words are passed over, unless the phrase has some itself. A word
    does not end within a name (`user_name`), a figure (`0.5`, `50,000`), before the `'t` of "can't"
    or before the signs of `C++` and `C#`. Dates, versions and lists are several figures, and
    decimals after a phrase belong to it only in an amount that begins with its currency: "Python 3"
    is found in "Python 3.12" and "10.000" in "10.000,50", but "$5" not in "$5.99".

    Raises:
        ValueError: The phrase has no characters to look for.
    """
    folded = fold_phrase(phrase)
    if not folded:
        msg = "a phrase must not be blank"
        raise ValueError(msg)
    first, whole = re.escape(folded[0]), _with_emphasis(folded)
    start, end = _edge(folded[0], _STARTS, "(?<!{}.)"), _edge(folded[-1], _ENDS, "(?!{})")
    decimals = _NO_DECIMALS if _AMOUNT.search(folded) else ""
    return re.compile(f"{first}{start}{whole.removeprefix(first)}{end}{decimals}")


def _with_emphasis(folded: str) -> str:
    marks = f"[{_EMPHASIS}]"
    if re.search(rf"(?<!\w){marks}|{marks}(?!\w)", folded):
        return re.escape(folded)
    parts = re.findall(r"[\w-]+|.", folded)
    return f"{marks}{{0,3}}".join(map(re.escape, parts))


def _edge(character: str, in_all: str, after_marks: str) -> str:
    """Ask for a word boundary where the script has them."""
    marks = "" if character.isascii() else _marks()
    if UNSPACED.match(character) or not re.match(rf"[\w{marks}]", character):
        return ""
    return in_all + (after_marks.format(f"[{marks}]") if marks else "")


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
