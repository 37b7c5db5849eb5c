"""The reading of one string that is not standard JSON."""

from __future__ import annotations

import re
from typing import NamedTuple

from langchain_control.parsing.backslashes import is_drive, read_backslashes
from langchain_control.parsing.escapes import read_escape
from langchain_control.parsing.inner_quotes import are_between_strings, are_pairs, is_inch_mark
from langchain_control.parsing.quotation_marks import CLOSING
from langchain_control.parsing.repairs import MAX_REPAIRS, Repair
from langchain_control.parsing.strict import Fault, MalformedJSONError
from langchain_control.parsing.string_ends import (
    QUOTED_KEY,
    Place,
    ends_before,
    surely_ends_before,
)

__all__ = ["Quoted", "StringReading"]


class Quoted(NamedTuple):
    """A string and where it ends."""

    value: str
    end: int
    repairs: list[Repair]


class StringReading:
    """The reading of one string, piece by piece."""

    def __init__(self, text: str, start: int, place: Place) -> None:
        """Begin behind the opening quote at `start`."""
        self._text, self._place, self._position = text, place, start + 1
        self._begin = start + 1
        self._closing = CLOSING[text[start]]
        self._plain = _PLAIN[text[start]]
        self._pieces: list[str] = []
        self._repairs = [] if text[start] == '"' else [Repair("quotes", start)]
        self._inner: tuple[int, int] | None = None
        """Number of pieces, and offset, at the last quote that was taken for content."""
        self._opened: tuple[int, int] | None = None
        """The same at the first one."""
        self._around: list[str] = []
        """Each quote that was taken for content, with what stands before and after it."""
        self._escaped_quotes = 0
        self._has_escapes = False

    def finish(self) -> Quoted:
        """Read up to the quote that ends the string, or to the end of the text."""
        text = self._text
        if self._is_opened_twice():
            self._mend("extra_quote")
            self._position += 1
        while self._position < len(text):
            if run := self._plain.match(text, self._position):
                self._take(run[0], run.end())
            elif text[self._position] == "\\":
                if (ended := self._escape()) is not None:
                    return ended
            elif text[self._position] in self._closing:
                if (ended := self._quote()) is not None:
                    return ended
            elif self._stops_at_line_end():
                return self._ended_unquoted(is_certain=self._text[self._position - 1] == ",")
            else:
                self._mend("swallowed" if self._place.is_key else "raw_control")
                space = _SPACE.match(text, self._position)
                end = space.end() if space else self._position + 1
                self._take(text[self._position : end], end)
        return self._ended_with_the_text()

    # --- quotes -----------------------------------------------------------------------------------

    def _quote(self) -> Quoted | None:
        """End the string at a quote, or take it for content."""
        after = self._position + 1
        if ends_before(self._text, after, self._place) or self._goes_on_around():
            return self._ended(after)
        if self._opens_a_key():
            return self._ended_before(self._inner)
        if self._is_doubled():
            if is_inch_mark(self._text[self._begin : self._position]):
                self._mend("inner_quote", is_certain=True)
                self._take('"', self._position + 1)
                return self._ended(self._position + 1)
            self._mend("extra_quote")
            return self._ended(self._position + 2)
        self._inner_quote()
        return None

    def _inner_quote(self) -> None:
        """Take a quote for content. Within a word it cannot be anything else."""
        around = self._text[self._position - 1 : self._position + 2]
        is_apostrophe = around[0].isalpha() and around[2:].isalpha()
        if not is_apostrophe:
            self._inner = len(self._pieces), self._position
            self._opened = self._opened or self._inner
            self._around.append(around)
        self._mend("inner_quote", is_certain=is_apostrophe and around[1] in "'\u2019")
        self._take(self._text[self._position], self._position + 1)

    def _goes_on_around(self) -> bool:
        """Whether the next object of the array around the object follows."""
        in_array = self._place.in_object and self._place.depth > 1 and not self._around
        return in_array and _NEXT_OBJECT.match(self._text, self._position + 1) is not None

    def _opens_a_key(self) -> bool:
        """Whether the last quote that was taken for content opened a key.

        In `{"a": "foo, "b": 1}` the quote before `b` looks like one inside a string, until the next
        one is followed by a colon. Within brackets of the string it is none.
        """
        if self._inner is None or self._place.is_key or not self._place.in_object:
            return False
        if not _COLON.match(self._text, self._position + 1):
            return False
        before = "".join(self._pieces[: self._inner[0]])
        return before.count("{") <= before.count("}")

    def _is_doubled(self) -> bool:
        """Whether a quote ends the string and was written twice."""
        if len(self._around) % 2 == 1:  # the first of the two belongs to the quote before
            return False
        after = self._position + 1
        twice = self._text.startswith(self._closing, after)
        return twice and ends_before(self._text, after + 1, self._place)

    def _is_opened_twice(self) -> bool:
        """Whether the opening quote was written twice: the next quote ends the string."""
        if not self._text.startswith(self._closing, self._position):
            return False
        after = self._position + 1
        end = self._text.find(self._closing, after, after + _LOOK_AHEAD)
        if end <= after:
            return False
        end += self._text.startswith(self._closing, end + 1)
        return ends_before(self._text, end + 1, self._place)

    # --- escapes ----------------------------------------------------------------------------------

    def _escape(self) -> Quoted | None:
        """Read one escape, or end the string at a quote that was escaped by mistake."""
        after = self._position + 2
        if self._text.startswith(self._closing, self._position + 1):
            if self._escaped_quotes % 2 == 0 and surely_ends_before(self._text, after, self._place):
                return self._ended_escaped(after)
            self._escaped_quotes += 1
        escape = read_escape(self._text, self._position)
        if escape.repair:
            self._mend(escape.repair)
        self._has_escapes = True
        self._take(escape.value, escape.end)
        return None

    def _ended_escaped(self, end: int) -> Quoted:
        """End at an escaped quote. After a drive or folder, the backslash belongs to the path."""
        body = self._text[self._begin : end - 2]
        if is_path := is_drive(body):
            self._pieces = [body.replace("\\\\", "\\"), "\\"]
            self._repairs = []
        self._mend("escaped_closer", is_certain=is_path)
        return Quoted("".join(self._pieces), end, self._repairs)

    # --- ends -------------------------------------------------------------------------------------

    def _ended(self, end: int) -> Quoted:
        if self._has_escapes and (meant := read_backslashes(self._text[self._begin : end - 1])):
            self._pieces = [meant.value]
            self._repairs = [r for r in self._repairs if r.kind not in _OF_ESCAPES]
            self._mend("unknown_escape", is_certain=meant.is_certain)
        value = "".join(self._pieces)
        if self._around and (item := self._judge_inner_quotes(value, end)) is not None:
            return item
        return Quoted(value, end, self._repairs)

    def _judge_inner_quotes(self, value: str, end: int) -> Quoted | None:
        """Say how sure it is that the quotes inside belong there; return an item before them."""
        in_pairs = are_pairs(self._around)
        if are_between_strings(self._around):
            self._mend("several_strings")
        elif in_pairs and surely_ends_before(self._text, end, self._place):
            self._repairs = [
                r._replace(is_certain=True) if r.kind == "inner_quote" else r for r in self._repairs
            ]
        elif self._swallowed(value):
            if not self._place.in_object and self._ends_an_item(self._opened):
                return self._ended_before(self._opened)
            self._mend("swallowed")
        return None

    def _ends_an_item(self, quote: tuple[int, int] | None) -> bool:
        """Whether a quote that was taken for content follows a comma, as the next item would."""
        before = "".join(self._pieces[: quote[0]]) if quote else ""
        return before.rstrip().endswith(",")

    def _ended_unquoted(self, *, is_certain: bool = False) -> Quoted:
        """End before the brackets and commas after the value: its quote is missing there."""
        value = "".join(self._pieces)
        kept = value.rstrip("}], \t\r\n")
        end = self._position - (len(value) - len(kept))
        self._repairs = [repair for repair in self._repairs if repair.offset < end]
        self._position = end
        swallows = not kept or kept.endswith(("{", "[", ":"))
        is_certain = is_certain and not self._around
        self._mend("swallowed" if swallows else "missing_quote", is_certain=is_certain)
        return Quoted(kept, end, self._repairs)

    def _ended_before(self, quote: tuple[int, int] | None) -> Quoted:
        """End before a quote that was taken for content and opens the next string."""
        pieces, offset = quote or (0, 0)
        del self._pieces[pieces:]
        self._position = offset
        return self._ended_unquoted()

    def _ended_with_the_text(self) -> Quoted:
        """End where the text does, or before its last brackets, if they close all that is open."""
        value = "".join(self._pieces)
        kept = value.rstrip("}]) \t\r\n")
        closers = sum(map(value[len(kept) :].count, "}])"))
        if kept and closers == self._place.depth and not self._place.is_key:
            self._position = len(self._text) - (len(value) - len(kept))
            on_next_line = value[len(kept) :].lstrip(" \t").startswith("\n")
            is_word = on_next_line and not _HOLDS_CODE.search(kept)
            is_closed = self._place.finished or is_word
            self._mend("missing_quote" if is_closed else "cut")
            return Quoted(kept, self._position, self._repairs)
        self._mend("cut")
        return Quoted(_without_fence(value), len(self._text), self._repairs)

    def _swallowed(self, value: str) -> bool:
        """Whether a string with quotes inside holds what should have followed it."""
        if self._place.is_key:
            return _PUNCTUATION.search(value) is not None
        if self._place.in_object:
            return _STRUCTURE.search(value) is not None
        return len(self._around) % 2 == 1 and _NEXT_ITEM.search(value) is not None

    def _stops_at_line_end(self) -> bool:
        """Whether the closing quote was forgotten: the next line begins with a key."""
        if self._place.is_key or not self._place.in_object:
            return False
        space = _SPACE.match(self._text, self._position)
        return bool(space and QUOTED_KEY.match(self._text, space.end()))

    def _take(self, piece: str, end: int) -> None:
        self._pieces.append(piece)
        self._position = end

    def _mend(self, kind: str, *, is_certain: bool = False) -> None:
        if len(self._repairs) == MAX_REPAIRS:
            raise MalformedJSONError(Fault("syntax", f"at most {MAX_REPAIRS} faults"))
        self._repairs.append(Repair(kind, self._position, is_certain))


def _without_fence(value: str) -> str:
    text = value.rstrip()
    return text[:-3].rstrip() if text.endswith(("```", "~~~")) else value


_PLAIN = {
    opening: re.compile(rf"[^{re.escape(closing)}\\\x00-\x1f]+")
    for opening, closing in CLOSING.items()
}
_NEXT_OBJECT = re.compile(r'\s*+,\s*+\{\s*+"[^"\\\n]{1,100}"\s*+:')
_OF_ESCAPES = frozenset(("escape", "unknown_escape"))
_HOLDS_CODE = re.compile(r"[\n{}\[\]()\"]")
_LOOK_AHEAD = 200
_SPACE = re.compile(r"[\x00-\x20]++")
_COLON = re.compile(r"\s*+:")
_PUNCTUATION = re.compile(r"[,:{}\[\]]")
_STRUCTURE = re.compile(r"""["'\u201d]\s*+(?::|,\s*+["'\u201c])""")
_NEXT_ITEM = re.compile(r""",\s*+["'\u201c]""")
"""What a string with quotes inside holds if it has swallowed the structure after it."""
