"""Text as phrases are looked for in it: case, width, spacing and invisible characters folded."""

from __future__ import annotations

import re
import unicodedata

from langchain_control.detectors.folding import FILLERS
from langchain_control.detectors.sanitize import NOT_DRAWN

__all__ = ["UNSPACED", "fold_phrase", "phrase_pattern"]

_INVISIBLE = re.compile(f"[{NOT_DRAWN}{FILLERS}]")
_SPACES = re.compile(r"\s+")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]"
)
"""Scripts that write words without spaces: Thai, Lao, Burmese, Khmer, Japanese, Chinese. Korean,
which is among `RUN_TOGETHER` of the detectors, has spaces."""


def fold_phrase(text: str) -> str:
    """Bring a text to the form in which phrases are compared."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
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
    start, end = _edge(folded[0], r"(?<!\w)"), _edge(folded[-1], r"(?!\w)")
    return re.compile(f"{start}{re.escape(folded)}{end}")


def _edge(character: str, boundary: str) -> str:
    """Ask for a word boundary where the script has them."""
    bounded = re.match(r"\w", character) and not UNSPACED.match(character)
    return boundary if bounded else ""
