"""Strings as models write them: other quotes, raw line breaks, quotes inside quotes."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from langchain_control.parsing.escapes import read_escape, unescaped
from langchain_control.parsing.repairs import MAX_REPAIRS, Repair
from langchain_control.parsing.strict import Fault, MalformedJSONError

__all__ = ["KEY", "OPENING_QUOTES", "Place", "Quoted", "read_quoted"]


class Quoted(NamedTuple):
    """A string and where it ends."""

    value: str
    end: int
    repairs: list[Repair]


class Place(NamedTuple):
    """Where in the structure a string stands: this decides which quote ends it."""

    is_key: bool
    in_object: bool
    depth: int
    finished: bool = False
    """Whether whoever wrote the text is known to have come to an end."""


def read_quoted(text: str, start: int, place: Place) -> Quoted:
    """Read the string whose opening quote is at `start`.

    A string in standard JSON is read as one. Otherwise a quote ends the string if what follows can
    follow a string in this place; every other quote belongs to it.
    """
    for read in _AT_ONCE:
        if (found := read(text, start, place)) is not None:
            return found
    return _Reading(text, start, place).finish()


def _plainly_unclosed_key(text: str, start: int, place: Place) -> Quoted | None:
    key = _PLAINLY_UNCLOSED_KEY.match(text, start) if place.is_key else None
    return key and Quoted(key[1], key.end(), [Repair("missing_quote", start, is_certain=True)])


def _key_in_doubled_quotes(text: str, start: int, place: Place) -> Quoted | None:
    key = _DOUBLY_QUOTED_KEY.match(text, start) if place.is_key else None
    return key and Quoted(key[1], key.end(), [Repair("extra_quote", start, is_certain=True)])


def _standard(text: str, start: int, place: Place) -> Quoted | None:
    standard = _STANDARD.match(text, start)
    if not standard or not _ends_before(text, standard.end(), place):
        return None
    written = standard[0]
    value = json.loads(written) if "\\" in written else written[1:-1]
    return Quoted(value, standard.end(), [])


def _foreign(text: str, start: int, place: Place) -> Quoted | None:
    plain = _FOREIGN.match(text, start)
    if not plain or not _ends_before(text, plain.end(), place):
        return None
    return Quoted(plain[0][1:-1], plain.end(), [Repair("quotes", start)])


def _mixed(text: str, start: int, place: Place) -> Quoted | None:
    mixed = _MIXED.match(text, start)
    if not mixed or not _ends_before(text, mixed.end(), place):
        return None
    opening, closing = text[start], mixed[0][-1]
    if opening == closing == '"':
        return None
    kind = "quotes" if place.is_key or closing in _CLOSING[opening] else "mixed_quotes"
    return Quoted(mixed[1], mixed.end(), [Repair(kind, start)])


def _unclosed_key(text: str, start: int, place: Place) -> Quoted | None:
    key = _UNCLOSED_KEY.match(text, start) if place.is_key else None
    return key and Quoted(key[1].rstrip(), key.end(), [Repair("missing_quote", start)])


def _triple(text: str, start: int, place: Place) -> Quoted | None:  # noqa: ARG001
    """Read a string of Python that may hold anything but three quotes."""
    if not text.startswith(_TRIPLE, start):
        return None
    end = text.find(text[start : start + 3], start + 3)
    if end < 0:
        return None
    body, repairs = text[start + 3 : end], [Repair("triple_quotes", start)]
    if (value := unescaped(body)) is None:
        return Quoted(body, end + 3, [*repairs, Repair("unknown_escape", start)])
    return Quoted(value, end + 3, repairs)


_AT_ONCE = (
    _plainly_unclosed_key,
    _key_in_doubled_quotes,
    _standard,
    _foreign,
    _mixed,
    _unclosed_key,
    _triple,
)
"""Ways to read a whole string by one look at it; each returns `None` if it is not of its kind."""


class _Reading:
    """The reading of one string that is not standard JSON."""

    def __init__(self, text: str, start: int, place: Place) -> None:
        self._text, self._place, self._position = text, place, start + 1
        self._closing = _CLOSING[text[start]]
        self._plain = _PLAIN[text[start]]
        self._pieces: list[str] = []
        self._repairs = [] if text[start] == '"' else [Repair("quotes", start)]
        self._inner: tuple[int, int] | None = None
        """Number of pieces, and offset, at the last quote that was taken for content."""
        self._opened: tuple[int, int] | None = None
        """The same at the first one."""
        self._inner_quotes = 0

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
                self._escape()
            elif text[self._position] in self._closing:
                if _ends_before(text, self._position + 1, self._place):
                    return self._ended(self._position + 1)
                if self._opens_a_key():
                    return self._ended_before(self._inner)
                if self._is_doubled():
                    self._mend("extra_quote")
                    return self._ended(self._position + 2)
                self._inner_quote()
            elif self._stops_at_line_end():
                return self._ended_unquoted()
            else:
                self._mend("swallowed" if self._place.is_key else "raw_control")
                space = _SPACE.match(text, self._position)
                end = space.end() if space else self._position + 1
                self._take(text[self._position : end], end)
        return self._ended_with_the_text()

    def _inner_quote(self) -> None:
        """Take a quote for content. Within a word it cannot be anything else."""
        around = self._text[self._position - 1 : self._position + 2]
        is_apostrophe = len(around) == len("n't") and (around[0] + around[2]).isalpha()
        if not is_apostrophe:
            self._inner = len(self._pieces), self._position
            self._opened = self._opened or self._inner
            self._inner_quotes += 1
        self._mend("inner_quote", is_certain=is_apostrophe and around[1] in "'\u2019")
        self._take(self._text[self._position], self._position + 1)

    def _take(self, piece: str, end: int) -> None:
        self._pieces.append(piece)
        self._position = end

    def _mend(self, kind: str, *, is_certain: bool = False) -> None:
        if len(self._repairs) == MAX_REPAIRS:
            raise MalformedJSONError(Fault("syntax", f"at most {MAX_REPAIRS} faults"))
        self._repairs.append(Repair(kind, self._position, is_certain))

    def _ended(self, end: int) -> Quoted:
        value = "".join(self._pieces)
        if self._inner is not None and self._swallowed(value):
            if not self._place.in_object and self._ends_an_item(self._opened):
                return self._ended_before(self._opened)
            self._mend("swallowed")
        return Quoted(value, end, self._repairs)

    def _ends_an_item(self, quote: tuple[int, int] | None) -> bool:
        """Whether a quote that was taken for content follows a comma, as the next item would."""
        before = "".join(self._pieces[: quote[0]]) if quote else ""
        return before.rstrip().endswith(",")

    def _ended_unquoted(self) -> Quoted:
        """End where the quote is missing: what closes or goes on after the value is not its."""
        value = "".join(self._pieces)
        kept = value.rstrip("}], \t\r\n")
        end = self._position - (len(value) - len(kept))
        self._repairs = [repair for repair in self._repairs if repair.offset < end]
        self._position = end
        self._mend("swallowed" if kept.endswith(("{", "[", ":")) else "missing_quote")
        return Quoted(kept, end, self._repairs)

    def _ended_with_the_text(self) -> Quoted:
        """End where the text does, or before its last brackets, if they close all that is open."""
        value = "".join(self._pieces)
        kept = value.rstrip("}]) \t\r\n")
        closers = sum(map(value[len(kept) :].count, "}])"))
        if kept and closers == self._place.depth and not self._place.is_key:
            self._position = len(self._text) - (len(value) - len(kept))
            self._mend("missing_quote" if self._place.finished else "cut")
            return Quoted(kept, self._position, self._repairs)
        self._mend("cut")
        return Quoted(_FENCE_AT_END.sub("", value), len(self._text), self._repairs)

    def _swallowed(self, value: str) -> bool:
        """Whether a string with quotes inside holds what should have followed it."""
        if self._place.is_key:
            return _PUNCTUATION.search(value) is not None
        if self._place.in_object:
            return _STRUCTURE.search(value) is not None
        return self._inner_quotes % 2 == 1 and _NEXT_ITEM.search(value) is not None

    def _is_doubled(self) -> bool:
        """Whether a quote ends the string and was written twice."""
        if self._inner_quotes % 2 == 1:  # the first of the two belongs to the quote before
            return False
        after = self._position + 1
        twice = self._text.startswith(self._closing, after)
        return twice and _ends_before(self._text, after + 1, self._place)

    def _is_opened_twice(self) -> bool:
        """Whether the opening quote was written twice: the next quote ends the string."""
        if not self._text.startswith(self._closing, self._position):
            return False
        after = self._position + 1
        end = self._text.find(self._closing, after, after + _LOOK_AHEAD)
        if end <= after:
            return False
        end += self._text.startswith(self._closing, end + 1)
        return _ends_before(self._text, end + 1, self._place)

    def _escape(self) -> None:
        """Read one escape, of JSON or of the languages around it."""
        escape = read_escape(self._text, self._position)
        if escape.repair:
            self._mend(escape.repair)
        self._take(escape.value, escape.end)

    def _stops_at_line_end(self) -> bool:
        """Whether the closing quote was forgotten: the next line begins with a key."""
        if self._place.is_key or not self._place.in_object:
            return False
        space = _SPACE.match(self._text, self._position)
        return bool(space and _QUOTED_KEY.match(self._text, space.end()))

    def _opens_a_key(self) -> bool:
        """Whether the last quote that was taken for content opened a key.

        In `{"a": "foo, "b": 1}` the quote before `b` looks like one inside a string, until the next
        one is followed by a colon.
        """
        known = self._inner is not None and self._place.in_object and not self._place.is_key
        return known and _COLON.match(self._text, self._position + 1) is not None

    def _ended_before(self, quote: tuple[int, int] | None) -> Quoted:
        """End before a quote that was taken for content and opens the next string."""
        pieces, offset = quote or (0, 0)
        del self._pieces[pieces:]
        self._position = offset
        return self._ended_unquoted()


def _ends_before(text: str, after: int, place: Place) -> bool:
    """Say whether a quote just before `after` ends a string, by what comes next."""
    if place.is_key:
        return _AFTER_KEY.match(text, after) is not None
    if place.depth == 1 and _LAST_CLOSER.match(text, after):
        return True
    follows = _AFTER_MEMBER if place.in_object else _AFTER_ITEM
    return follows.match(text, after) is not None


# --- tables ---------------------------------------------------------------------------------------

_CLOSING = {
    '"': '"',
    "'": "'",
    "`": "`",
    "\u201c": '\u201d\u201c"',
    "\u201d": '\u201d"',
    "\u2018": "\u2019\u2018'",
    "\u2019": "\u2019'",
    "\u201e": "\u201c\u201d",
    "\u00ab": "\u00bb",
    "\uff02": "\uff02",
    "\u00b4": "\u00b4'",
}
"""Opening quotes, and what may close each of them."""

OPENING_QUOTES = frozenset(_CLOSING)

_PLAIN = {
    opening: re.compile(rf"[^{re.escape(closing)}\\\x00-\x1f]+")
    for opening, closing in _CLOSING.items()
}
_STANDARD = re.compile(
    r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
)
_FOREIGN = re.compile(r"""'[^'"\\\x00-\x1f]*+'|\u201c[^"\u201c\u201d\\\x00-\x1f]*+\u201d""")
"""The commonest strings in other quotes, with nothing in them that needs a closer look."""
_FENCE_AT_END = re.compile(r"\s*(?:```|~~~)\s*\Z")
_LOOK_AHEAD = 200
_TRIPLE = ('"""', "'''")
_SPACE = re.compile(r"[\x00-\x20]++")
_COLON = re.compile(r"\s*+:")

_QUOTES = "\"'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\uff02\u00b4"
_ANY_QUOTE = f"[{_QUOTES}]"

# Looking ahead is bounded, so that reading a string stays linear.
_COLON_SIGN = r"(?::|\uff1a|=>?)"
_COMMA_SIGN = r"[,\uff0c]"
_QUOTED = (
    r"""(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|[\u201c\u201d][^\u201c\u201d"\n]{0,200}[\u201c\u201d"]"""
    r"""|[\u201e\u00ab\uff02\u00b4][^\n:]{0,200}[\u201c\u201d\u00bb\uff02\u00b4]"""
    rf"""|`[^`\n]{{0,200}}`|[\u2018\u2019][^\u2018\u2019'\n]{{0,200}}[\u2018\u2019'])\s*+{_COLON_SIGN}"""
)
_UNCLOSED_KEY = re.compile(
    r"""["'\u201c]([^\s"'`\u201c\u201d:,{}\[\]][^"'`\u201c\u201d:,{}\[\]\n]{0,99})(?=:)"""
)
_PLAINLY_UNCLOSED_KEY = re.compile(
    r"""["'\u201c]([\w$.-]{1,60})(?=:\s{0,100}(?:[{\[]|"[^"\\\n]{0,500}"\s{0,100}[,}\]\n]"""
    r"""|(?:-?[0-9][0-9.eE+-]{0,40}|true|false|null)\s{0,100}[,}\]\n]))"""
)
"""A key that lacks its quote before a value that lacks nothing."""
_DOUBLY_QUOTED_KEY = re.compile(r"""(?=""|"[\w$.-]{1,60}"")""?([\w$.-]{1,60})""?(?=\s{0,100}:)""")
_MIXED = re.compile(rf"{_ANY_QUOTE}([^{_QUOTES}\\\n]{{0,200}}){_ANY_QUOTE}")
"""A string between two different quotes."""
_PUNCTUATION = re.compile(r"[,:{}\[\]]")
_STRUCTURE = re.compile(r"""["'\u201d]\s*+(?::|,\s*+["'\u201c])""")
_NEXT_ITEM = re.compile(r""",\s*+["'\u201c]""")
"""What a string with quotes inside holds if it has swallowed the structure after it."""
_QUOTED_KEY = re.compile(_QUOTED)
KEY = re.compile(rf"{_QUOTED}|:?[\w$-]{{1,100}}\s*+{_COLON_SIGN}|[uU]{_QUOTED}")
_DAMAGED_KEY = (
    r"""["'\u201c][\w$.@/ -]{1,60}:|""[\w$.-]{1,60}""?\s*+:|[\w$.@/-]{1,60}["'\u201d]\s*+:"""
    r"""|"[\w$.@/ -]{1,60}"\s*+(?:["{\[\d]|-\d|(?:true|false|null)\b)"""
)
"""A key that lacks a quote or its colon."""
_CUT_KEY = r"""["'][\w$.@/ -]{0,60}\Z"""
_COMMENT = r"//|/\*|(?<![\"'])\#|<!--"
_END = r"$|```|~~~|</|<\|"
_AFTER_KEY = re.compile(
    rf"\s*+(?:[:=,}}\]{{\[\d\uff1a-]|(?:true|false|null)\b|{_ANY_QUOTE}|{_COMMENT}|{_END})"
)
_LAST_CLOSER = re.compile(r"\s*+[}\])]")
_CLOSER = rf"[}}\])](?=\s*+(?:[,}}\]);\uff0c]|{_ANY_QUOTE}|{_COMMENT}|{_END}))"
_AFTER_MEMBER = re.compile(
    rf"\s*+(?:{_CLOSER}"
    rf"|{_COMMA_SIGN}\s*+(?:{KEY.pattern}|{_DAMAGED_KEY}|{_CUT_KEY}|[}}\],]|\.\.\.|{_COMMENT}|{_END})"
    rf"|{_QUOTED}|\+\s*+{_ANY_QUOTE}|;|{_COMMENT}|{_END})"
    rf"|[ \t]*+\n\s*+(?:[\w$-]{{1,100}}\s*+:|[^{_QUOTES}{{}}\[\]:]{{1,500}}\Z)"
)
_WORD_ITEM = r"""[\w$-]{1,100}["']?\s*+[,\]]"""
_AFTER_ITEM = re.compile(
    rf"\s*+(?:{_CLOSER}"
    rf"|{_COMMA_SIGN}\s*+(?:{_ANY_QUOTE}|[\]}}{{\[(,]|[-+.]?\d|{_WORD_ITEM}|\.\.\.|{_COMMENT}|{_END})"
    rf"|:|\+\s*+{_ANY_QUOTE}|;|{_COMMENT}|{_END})|\s++{_ANY_QUOTE}"
)
