"""Remove what nobody can see and a model still reads.

Unlike normalization, which is for searching only, this is what goes on to the model. So it takes
out control characters, zero-width and tag characters and stray joiners, and leaves everything a
person wrote on purpose: line breaks, tabs, joined emoji, and the joiners Persian and Hindi need.
"""

from __future__ import annotations

import re
import unicodedata

from langchain_control.detectors.folding import CONTROL, FILLERS

__all__ = ["NOT_DRAWN", "sanitize"]

_JOINERS = "\u200c\u200d"
_PRESENTATION = "\ufe0e\ufe0f"
_MARKS = "\u200e\u200f\u061c\u2066\u2067\u2068\u2069"
NOT_DRAWN = (
    r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u180b-\u180e"
    r"\ufff9-\ufffb\U000e0000-\U000e0fff\ufe00-\ufe0f\ufeff\u061c\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
"""Controls, joiners, selectors and tags, for a class of characters."""
_DOUBTFUL = re.compile(
    r"(?P<flag>\U0001f3f4(?:\U000e0067\U000e0062|\U000e0075\U000e0073)[\U000e0061-\U000e007a]{2,3}\U000e007f)"
    rf"|[{NOT_DRAWN}]"
    rf"|(?P<gap>[\x0b\x0c{FILLERS}])"
    r"|(?P<surrogate>[\ud800-\udfff])"
)
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_EMOJI = re.compile(r"[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]")
_KEYCAP = "0123456789#*"
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_JOINING_LETTER = re.compile(r"[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u17ff\u1800-\u18af]")


def sanitize(text: str) -> str:
    """Return the text without its invisible characters. Doing it twice changes nothing more.

    Lone surrogates, which no encoder accepts, become U+FFFD. Letters drawn as nothing, such as
    Hangul fillers, and tabs and breaks of other times become blanks: words they stood between stay
    apart, as they were when the text was searched.
    """
    if text.isascii() and (text.isprintable() or not CONTROL.search(text)):
        return text
    right_to_left = _RIGHT_TO_LEFT.search(text) is not None

    def judge(match: re.Match[str]) -> str:
        if match["surrogate"]:
            return "\ufffd"
        if match["gap"]:
            return " "
        return match[0] if match["flag"] or _belongs(match, right_to_left=right_to_left) else ""

    return _DOUBTFUL.sub(judge, text)


def _belongs(match: re.Match[str], *, right_to_left: bool) -> bool:
    """Whether a character that can be used to hide something has an honest use where it stands."""
    char, text = match[0], match.string
    before = text[max(0, match.start() - 2) : match.start()]
    after = text[match.end() : match.end() + 1]
    if char in _PRESENTATION:
        return before[-1:] != "" and _takes_presentation(before[-1])
    if "\U000e0100" <= char <= "\U000e01ef":
        return _IDEOGRAPH.match(before[-1:]) is not None
    if char in _JOINERS:
        return _joins(before, after, emoji=char == "\u200d")
    return char in _MARKS and right_to_left


def _takes_presentation(char: str) -> bool:
    return char in _KEYCAP or _EMOJI.match(char) is not None


def _joins(before: str, after: str, *, emoji: bool) -> bool:
    if not before or not after:
        return False
    base = before[0] if before[-1] == "\ufe0f" and len(before) > 1 else before[-1]
    if emoji and _EMOJI.match(base) and _EMOJI.match(after):
        return True
    return _JOINING_LETTER.match(before[-1]) is not None and (
        _JOINING_LETTER.match(after) is not None or unicodedata.category(after).startswith("Z")
    )
