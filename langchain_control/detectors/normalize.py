"""Tier 0: read a text as a model would, whatever it was dressed up as.

The canonical view has no invisible characters, compatibility forms, accents, look-alike letters,
letter spacing or upper case, and runs of base64, hex and escapes stand decoded in place. Readings
that are only possible (leet, ROT13, backwards, scrambled letters) become further views if the text
shows signs of them. All of it is evidence to search in; nothing is an attack for looking odd.

Every rewriting is linear in the text and remembers how to find a place in the text it came from.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

from langchain_control.detectors import disguises
from langchain_control.detectors.decoding import DECODERS
from langchain_control.detectors.folding import FILLERS, fold, folded_lengths, resolve_lookalikes

__all__ = ["NormalizedText", "View", "normalize"]

Span = tuple[int, int]
Replace = Callable[[re.Match[str]], str]


class Rewriting(NamedTuple):
    """One replacement of all matches of a pattern, kept to be traced back."""

    source: str
    pattern: re.Pattern[str]
    replace: Replace

    def trace(self, span: Span) -> Span:
        """Return the place in `source` from which a place in the result came."""
        start, end = span
        begins, until, shift = None, None, 0
        for match in self.pattern.finditer(self.source):
            new_start = match.start() + shift
            new_end = new_start + len(self.replace(match))
            if begins is None and start < new_end:
                begins = min(start - shift, match.start())
            if end <= new_start:
                break
            if end <= new_end:
                until = match.end()
                break
            shift = new_end - match.end()
        return (
            start - shift if begins is None else begins,
            end - shift if until is None else until,
        )


class Folding(NamedTuple):
    """The folding of every character, kept to be traced back: a text may have no others."""

    source: str

    def trace(self, span: Span) -> Span:
        """Return the place in `source` from which a place in the result came."""
        ends = list(accumulate(folded_lengths(self.source)))
        first = bisect_right(ends, span[0])
        return first, max(first, min(len(ends), bisect_left(ends, span[1]) + 1))


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text."""

    text: str
    reading: str = "plain"
    """How it was obtained: `plain`, `leet`, `rot13`, `reversed`, `unscrambled` or `respaced`."""
    rewritings: tuple[Rewriting | Folding, ...] = ()
    """What changed the length of the text, in order."""

    def rewrite(self, pattern: re.Pattern[str], replace_with: Replace) -> View:
        """Replace every match of a pattern."""
        text = pattern.sub(replace_with, self.text)
        return self._become(text, Rewriting(self.text, pattern, replace_with))

    def fold(self) -> View:
        """Spell every character in its plainest form."""
        return self._become(fold(self.text), Folding(self.text))

    def _become(self, text: str, step: Rewriting | Folding) -> View:
        if text == self.text:
            return self
        return replace(self, text=text, rewritings=(*self.rewritings, step))

    def respell(self, text: str, reading: str | None = None) -> View:
        """Take on a text of the same length."""
        return replace(self, text=text, reading=reading or self.reading)

    def source_span(self, span: Span) -> Span:
        """Return where a place in this view stands in the text it was made from."""
        if self.reading == "reversed":
            span = (len(self.text) - span[1], len(self.text) - span[0])
        for step in reversed(self.rewritings):
            span = step.trace(span)
        return span


@dataclass(frozen=True, slots=True)
class NormalizedText:
    """A text with every reading of it that is worth searching."""

    source: str
    views: tuple[View, ...]
    """The canonical view first."""

    @property
    def canonical(self) -> str:
        """The text as a model would most likely read it, in lower case."""
        return self.views[0].text


MAX_SWAPPED = 8_000
"""Characters at the beginning of a text that are read with words joined and set apart anew."""

_NOT_ASCII = re.compile(r"[^\t\n\r\x20-\x7e]")
_UNSEEN = re.compile(
    rf"(?<=\w)(?:(?P<filler>[{FILLERS}]+)|[\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufeff]+)(?=\w)"
)
"""What may stand between two letters of a word, or between two words, without being seen."""
_HYPHENATION = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")
_WHITESPACE = re.compile(r"\s{2,}|[^\S\n ]")
_SPACED_OUT = re.compile(
    r"(?P<blanks>(?<!\S)\S(?:\s{1,4}\S(?!\S)){5,})"
    r"|(?<![^\W_])[^\W\d_](?:(?:[.\-_*|/,+~\u00b7]|\s{2,4})[^\W\d_](?![^\W_])){4,}"
)
_WORD_GAP = re.compile(r"\s{2,}")
_BLANK = re.compile(r"\s")
_SIGN = re.compile(r"[\W_]+")


def normalize(text: str) -> NormalizedText:
    """Return the readings of a text. Accepts any string, lone surrogates included."""
    view = _read(View(text))
    readings = _other_readings(view)
    if _UNSEEN.search(text):
        swapped = View(text[:MAX_SWAPPED], "respaced").rewrite(_UNSEEN, _swap)
        readings.append(_read(swapped))
    return NormalizedText(text, (view, *readings))


def _read(view: View) -> View:
    """Rewrite a view as a model would most likely read it."""
    if _NOT_ASCII.search(view.text):
        view = view.fold()
    for decoder in DECODERS:
        if decoder.applies(view.text):
            view = view.rewrite(decoder.pattern, decoder.decode)
    if "-\n" in view.text:
        view = view.rewrite(_HYPHENATION, _nothing)
    view = view.rewrite(_SPACED_OUT, _close_up)
    view = view.rewrite(_WHITESPACE, _one_blank)
    return view.respell(resolve_lookalikes(view.text.lower()))


def _swap(match: re.Match[str]) -> str:
    """Take fillers out and put blanks where there is nothing: the other way round than usual."""
    return "" if match["filler"] else " "


def _nothing(_: re.Match[str]) -> str:
    return ""


def _one_blank(match: re.Match[str]) -> str:
    return "\n" if "\n" in match[0] else " "


def _close_up(match: re.Match[str]) -> str:
    between_letters = _BLANK if match["blanks"] else _SIGN
    return " ".join(between_letters.sub("", word) for word in _WORD_GAP.split(match[0]))


def _other_readings(view: View) -> list[View]:
    readings = []
    words = disguises.words_of(view.text)
    for reading, reread in disguises.READINGS.items():
        text = reread(view.text, words)
        if text is not None and text != view.text:
            readings.append(view.respell(text, reading))
    return readings
