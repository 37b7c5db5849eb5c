"""Tier 0: read a text as a model would, whatever it was dressed up as.

The canonical view has no invisible characters, compatibility forms, accents, look-alike letters,
letter spacing or upper case, and runs of base64, hex and escapes stand decoded in place. Readings
that are only possible (leet, ROT13, backwards, scrambled letters) become further views if the text
shows signs of them; of a long text, the pieces that do. All of it is evidence to search in; nothing
is an attack for looking odd.

Every rewriting is linear in the text and remembers how to find a place in the text it came from.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, chain
from typing import NamedTuple

from langchain_control.detectors import disguises
from langchain_control.detectors.decoding import DECODERS, is_without_codes
from langchain_control.detectors.folding import (
    BLOCK,
    FILLERS,
    fold_blocks,
    folded_lengths,
    has_astral,
    is_plain,
    resolve_lookalikes,
)

__all__ = ["PIECE", "NormalizedText", "View", "normalize"]

Span = tuple[int, int]
Replaced = tuple[int, int, int]
"""Where it began and ended, and how many characters it has become."""
Replace = Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class Rewriting:
    """What was replaced in a text, kept to be traced back."""

    replaced: list[Replaced]
    """From left to right."""

    def trace(self, span: Span) -> Span:
        """Return the place in the text before from which a place in the result came."""
        start, end = span
        cuts = self._cuts
        last = bisect_left(cuts.new_ends, end)
        first = min(bisect_right(cuts.new_ends, start), last)
        begins, until = start - cuts.shifts[first], end - cuts.shifts[last]
        if first < len(cuts.starts):
            begins = min(begins, cuts.starts[first])
        if last < len(cuts.starts) and until > cuts.starts[last]:
            until = cuts.ends[last]
        return begins, until

    @cached_property
    def _cuts(self) -> _Cuts:
        """Found once, however many places are traced."""
        cuts = _Cuts([], [], [], [0])
        shift = 0
        for start, end, length in self.replaced:
            new_end = start + shift + length
            shift = new_end - end
            cuts.starts.append(start)
            cuts.ends.append(end)
            cuts.new_ends.append(new_end)
            cuts.shifts.append(shift)
        return cuts


@dataclass(frozen=True)
class Removal:
    """What was taken out of a text, found again where it has to be traced back."""

    source: str
    pattern: re.Pattern[str]

    def trace(self, span: Span) -> Span:
        """Return the place in `source` from which a place in the result came."""
        return self._rewriting.trace(span)

    @cached_property
    def _rewriting(self) -> Rewriting:
        return Rewriting([(*match.span(), 0) for match in self.pattern.finditer(self.source)])


class _Cuts(NamedTuple):
    """Where matches stand, from left to right."""

    starts: list[int]
    ends: list[int]
    new_ends: list[int]
    """Where what replaces them ends in the result."""
    shifts: list[int]
    """How far text has moved before each match, and after the last."""


@dataclass(frozen=True)
class Folding:
    """The folding of every character, kept to be traced back: a text may have no others."""

    source: str
    folded: list[str]
    """Of each `BLOCK` characters of `source`."""

    def trace(self, span: Span) -> Span:
        """Return the place in `source` from which a place in the result came."""
        first = self._count(bisect_right, span[0])
        return first, max(first, min(len(self.source), self._count(bisect_left, span[1]) + 1))

    def _count(self, bisect: Callable[[list[int], int], int], place: int) -> int:
        """Count the characters of `source` that have ended before a place in the result."""
        block = bisect(self._ends, place)
        if block == len(self._ends):
            return len(self.source)
        begins = block * BLOCK
        begun = self._ends[block - 1] if block else 0
        ends = list(accumulate(folded_lengths(self.source[begins : begins + BLOCK])))
        return begins + bisect(ends, place - begun)

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(map(len, self.folded)))


class Excerpt(NamedTuple):
    """A piece taken out of a text."""

    begins: int

    def trace(self, span: Span) -> Span:
        """Return the place in the text from which a place in the piece came."""
        return span[0] + self.begins, span[1] + self.begins


Step = Rewriting | Removal | Folding | Excerpt


class View(NamedTuple):
    """One reading of a text."""

    text: str
    reading: str = "plain"
    """How it was obtained: `plain`, `leet`, `rot13`, `reversed`, `unscrambled`, `respaced` or
    `untagged`."""
    rewritings: tuple[Step, ...] = ()
    """What moved places in the text, in order."""

    def rewrite(self, matches: Iterable[re.Match[str]], replace_with: Replace) -> View:
        """Replace matches in the text, which come from left to right."""
        pieces: list[str] = []
        replaced: list[Replaced] = []
        done = 0
        for match in matches:
            start, end = match.span()
            new = replace_with(match)
            pieces += self.text[done:start], new
            replaced.append((start, end, len(new)))
            done = end
        text = "".join((*pieces, self.text[done:]))
        return self if text == self.text else self._become(text, Rewriting(replaced))

    def remove(self, pattern: re.Pattern[str]) -> View:
        """Take every match of a pattern out."""
        text = pattern.sub("", self.text)
        return self if text == self.text else self._become(text, Removal(self.text, pattern))

    def fold(self) -> View:
        """Spell every character in its plainest form."""
        folded = fold_blocks(self.text)
        text = "".join(folded)
        return self if text == self.text else self._become(text, Folding(self.text, folded))

    def pieces(self) -> Iterator[View]:
        """Yield the text in overlapping pieces, a short one as it is."""
        if len(self.text) <= PIECE:
            yield self
            return
        for start in range(0, len(self.text) - SHARED, PIECE - SHARED):
            yield self._excerpt(start, start + PIECE)

    def around(self, pattern: re.Pattern[str]) -> Iterator[View]:
        """Yield each match of a pattern with what stands around it, a short text as it is."""
        if len(self.text) <= PIECE:
            yield self
            return
        for match in pattern.finditer(self.text):
            yield self._excerpt(max(0, match.start() - SHARED), match.end() + SHARED)

    def _excerpt(self, begins: int, ends: int) -> View:
        return self._become(self.text[begins:ends], Excerpt(begins))

    def _become(self, text: str, step: Step) -> View:
        return View(text, self.reading, (*self.rewritings, step))

    def respell(self, text: str, reading: str | None = None) -> View:
        """Take on a text of the same length."""
        return View(text, reading or self.reading, self.rewritings)

    def source_span(self, span: Span) -> Span:
        """Return where a place in this view stands in the text it was made from."""
        if self.reading == "reversed":
            span = (len(self.text) - span[1], len(self.text) - span[0])
        for step in reversed(self.rewritings):
            span = step.trace(span)
        return span


class NormalizedText(NamedTuple):
    """A text with every reading of it that is worth searching."""

    source: str
    views: tuple[View, ...]
    """The canonical view first."""
    complete: bool = True
    """Whether every piece was read in every way it shows signs of. If there are too many, which is
    a finding of its own, there is only the canonical view."""

    @property
    def canonical(self) -> str:
        """The text as a model would most likely read it, in lower case."""
        return self.views[0].text


PIECE, SHARED = 8_000, 500
"""Characters of the pieces in which further readings of a long text are looked for, and how many of
them two neighbors share: what is cut by the end of one stands whole in the other."""

MAX_REREAD = 100_000
"""Characters of further readings of a short text; of a longer one, as many as one reading of all of
its pieces has."""

_ZERO_WIDTH = r"\u00ad\u034f\u180e\u200b-\u200f\u2060-\u2064\ufeff"
"""What joins letters or lets them break. `NOT_DRAWN` of `sanitize` is more than that."""
_UNSEEN = re.compile(
    rf"[{FILLERS}{_ZERO_WIDTH}](?<=\w.)"
    rf"(?:(?<=[{FILLERS}])[{FILLERS}]*|(?<=[{_ZERO_WIDTH}])[{_ZERO_WIDTH}]*)(?=\w)"
)
"""What may stand between two letters of a word, or between two words, without being seen. Begins
with a class, which is found fast."""
_TAG = r"\U000e0020-\U000e007e"
_TAGS = re.compile(f"[{_TAG}]+")
"""A hidden copy of ASCII. Also read is what is left of a text when these are gone."""
_TAGS_NEAR_EACH_OTHER = re.compile(f"[{_TAG}]++(?>(?:[^{_TAG}]{{1,{2 * SHARED}}}+[{_TAG}]++)*)")
_HYPHENATION = re.compile(r"-\n(?<=[^\W\d_]-\n)(?=[^\W\d_])")
_WHITESPACE = re.compile(r"\s(?:\s+|(?<=[^\S\n ]))")
"""Two blanks and more, or one other than the usual. Begins with a class, which is found fast."""
_GAP = r"[\s.\-_*|/,+~\u00b7]"
_SPACED_OUT = re.compile(
    rf"(?=\S{_GAP})"
    r"(?:(?P<blanks>(?<!\S)\S(?:\s{1,4}\S(?!\S)){5,})"
    r"|(?<![^\W_])[^\W\d_](?:(?:[.\-_*|/,+~\u00b7]|\s{2,4})[^\W\d_](?![^\W_])){4,})"
)
_SPACED_OUT_INSIDE = re.compile(rf"{_GAP}\S{_GAP}\s{{0,3}}\S{_GAP}\s{{0,3}}\S{_GAP}")
"""Stands in the middle of everything spaced out, and is found faster."""
_WORD_GAP = re.compile(r"\s{2,}")


def normalize(text: str) -> NormalizedText:
    """Return the readings of a text. Accepts any string, lone surrogates included."""
    plain = _read(View(text))
    possible = []
    left = max(MAX_REREAD, len(text) * PIECE // (PIECE - SHARED) + PIECE)
    for reading in _further_readings(text, plain):
        left -= reading.characters
        if left < 0:
            return NormalizedText(text, (plain,), complete=False)
        possible.append(reading)
    further = (view for reading in possible if (view := reading.make()))
    return NormalizedText(text, (plain, *further))


class _Possible(NamedTuple):
    """A reading that is not made before it is known that there are not too many."""

    characters: int
    make: Callable[[], View | None]
    """Returns nothing if the text does not read otherwise."""


def _further_readings(text: str, plain: View) -> Iterable[_Possible]:
    possible = _possible_readings(plain)
    return possible if text.isascii() else chain(possible, _without_what_is_unseen(text))


def _without_what_is_unseen(text: str) -> Iterator[_Possible]:
    if has_astral(text) and _TAGS.search(text):
        for tagged in View(text, "untagged").around(_TAGS_NEAR_EACH_OTHER):
            for piece in tagged.pieces():
                untagged = _read(piece.remove(_TAGS))
                yield _made(untagged)
                yield from _possible_readings(untagged)
    if _UNSEEN.search(text):
        beginning = next(View(text, "respaced").pieces())
        yield _made(_read(beginning.rewrite(_UNSEEN.finditer(beginning.text), _swap)))


def _made(view: View) -> _Possible:
    return _Possible(len(view.text), lambda: view)


def _possible_readings(view: View) -> Iterator[_Possible]:
    """Yield how each piece may read besides, as far as it shows signs."""
    for piece in view.pieces():
        for reading, read in disguises.readings_of(piece.text):
            yield _Possible(len(piece.text), partial(_reread, piece, reading, read))


def _reread(piece: View, reading: str, read: Callable[[], str]) -> View | None:
    text = read()
    return piece.respell(text, reading) if text != piece.text else None


def _read(view: View) -> View:
    """Rewrite a view as a model would most likely read it."""
    if not is_plain(view.text):
        view = view.fold()
    if not is_without_codes(view.text):
        for decoder in DECODERS:
            view = view.rewrite(decoder.runs(view.text), decoder.decode)
    if "-\n" in view.text:
        view = view.remove(_HYPHENATION)
    if _SPACED_OUT_INSIDE.search(view.text):
        view = view.rewrite(_SPACED_OUT.finditer(view.text), _close_up)
    if "  " in view.text or not view.text.isprintable():  # of blanks, only the usual one is
        view = view.rewrite(_WHITESPACE.finditer(view.text), _one_blank)
    return view.respell(resolve_lookalikes(view.text.lower()))


def _swap(match: re.Match[str]) -> str:
    """Take fillers out and put blanks where there is nothing: the other way round than usual."""
    return "" if match[0][0] in FILLERS else " "


def _one_blank(match: re.Match[str]) -> str:
    return "\n" if "\n" in match[0] else " "


def _close_up(match: re.Match[str]) -> str:
    words = _WORD_GAP.split(match[0])
    if match["blanks"]:
        return " ".join("".join(word.split()) for word in words)
    return " ".join("".join(filter(str.isalnum, word)) for word in words)
