"""Strings as models write them: other quotes, raw line breaks, quotes inside quotes."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from langchain_control.parsing.repairs import Repair

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


def read_quoted(text: str, start: int, place: Place) -> Quoted:
    """Read the string whose opening quote is at `start`.

    A string in standard JSON is read as one. Otherwise a quote ends the string if what follows can
    follow a string in this place; every other quote belongs to it.
    """
    if (standard := _STANDARD.match(text, start)) and _ends_before(text, standard.end(), place):
        written = standard[0]
        value = json.loads(written) if "\\" in written else written[1:-1]
        return Quoted(value, standard.end(), [])
    plain = _FOREIGN.match(text, start)
    if plain and _ends_before(text, plain.end(), place):
        return Quoted(plain[0][1:-1], plain.end(), [Repair("quotes", start)])
    if place.is_key and (unclosed := _UNCLOSED_KEY.match(text, start)):
        return Quoted(unclosed[1].rstrip(), unclosed.end(), [Repair("missing_quote", start)])
    if text.startswith(_TRIPLE, start):
        close = text.find(text[start : start + 3], start + 3)
        if close >= 0:
            return Quoted(text[start + 3 : close], close + 3, [Repair("triple_quotes", start)])
    return _Reading(text, start, place).finish()


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

    def finish(self) -> Quoted:
        """Read up to the quote that ends the string, or to the end of the text."""
        text = self._text
        while self._position < len(text):
            if run := self._plain.match(text, self._position):
                self._take(run[0], run.end())
            elif text[self._position] == "\\":
                self._escape()
            elif text[self._position] in self._closing:
                if _ends_before(text, self._position + 1, self._place):
                    return self._ended(self._position + 1)
                if self._opens_a_key():
                    return self._ended_before_the_key()
                if self._is_doubled():
                    self._mend("extra_quote")
                    return self._ended(self._position + 2)
                self._inner = len(self._pieces), self._position
                self._mend("inner_quote")
                self._take(text[self._position], self._position + 1)
            elif self._stops_at_line_end():
                return self._ended_unquoted()
            else:
                self._mend("swallowed" if self._place.is_key else "raw_control")
                space = _SPACE.match(text, self._position)
                end = space.end() if space else self._position + 1
                self._take(text[self._position : end], end)
        self._mend("cut")
        return self._ended(len(text))

    def _take(self, piece: str, end: int) -> None:
        self._pieces.append(piece)
        self._position = end

    def _mend(self, kind: str) -> None:
        self._repairs.append(Repair(kind, self._position))

    def _ended(self, end: int) -> Quoted:
        value = "".join(self._pieces)
        if self._inner is not None and self._swallowed(value):
            self._mend("swallowed")
        return Quoted(value, end, self._repairs)

    def _ended_unquoted(self) -> Quoted:
        """End where the quote is missing: what closes or goes on after the value is not its."""
        value = "".join(self._pieces)
        kept = value.rstrip("}], \t\r\n")
        end = self._position - (len(value) - len(kept))
        self._repairs = [repair for repair in self._repairs if repair.offset < end]
        self._position = end
        self._mend("swallowed" if kept.endswith(("{", "[", ":")) else "missing_quote")
        return Quoted(kept, end, self._repairs)

    def _swallowed(self, value: str) -> bool:
        """Whether a string with quotes inside holds what should have followed it."""
        if self._place.in_object:
            return _STRUCTURE.search(value) is not None
        inner = sum(repair.kind == "inner_quote" for repair in self._repairs)
        return inner % 2 == 1 and _NEXT_ITEM.search(value) is not None

    def _is_doubled(self) -> bool:
        """Whether a quote ends the string and was written twice."""
        after = self._position + 1
        twice = self._text.startswith(self._closing, after)
        return twice and _ends_before(self._text, after + 1, self._place)

    def _escape(self) -> None:
        """Read one escape, of JSON or of the languages around it."""
        match = _ESCAPE.match(self._text, self._position)
        if match is None:  # a backslash ends the text
            self._position = len(self._text)
            return
        written = match[0]
        if match["json"]:
            self._take(json.loads(f'"{written}"'), match.end())
        elif match["hex"]:
            self._mend("escape")
            self._take(chr(int(match["hex"], 16)), match.end())
        elif (meant := _FOREIGN_ESCAPES.get(written[1])) is not None:
            self._mend("escape")
            self._take(meant, match.end())
        else:
            self._mend("unknown_escape")
            self._take(written, match.end())

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

    def _ended_before_the_key(self) -> Quoted:
        pieces, offset = self._inner or (0, 0)
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
_TRIPLE = ('"""', "'''")
_SPACE = re.compile(r"[\x00-\x20]++")
_COLON = re.compile(r"\s*+:")

_ESCAPE = re.compile(
    r"""\\(?:(?P<json>["\\/bfnrt]
    |u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
    |u[0-9a-fA-F]{4})|[xU](?P<hex>(?<=x)[0-9a-fA-F]{2}|(?<=U)00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})|.)""",
    re.VERBOSE | re.DOTALL,
)
_FOREIGN_ESCAPES = {"'": "'", "`": "`", "\n": "", "0": "\0", "v": "\v"}
"""Escapes of JavaScript and Python that JSON lacks."""

# Looking ahead is bounded, so that reading a string stays linear.
_QUOTED = (
    r"""(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|[\u201c\u201d][^\u201c\u201d"\n]{0,200}[\u201c\u201d"]"""
    r"""|[\u2018\u2019][^\u2018\u2019'\n]{0,200}[\u2018\u2019'])\s*+:"""
)
_UNCLOSED_KEY = re.compile(
    r"""["'\u201c]([^\s"'`\u201c\u201d:,{}\[\]][^"'`\u201c\u201d:,{}\[\]\n]{0,99})(?=:)"""
)
_STRUCTURE = re.compile(r"""["'\u201d]\s*+(?::|,\s*+["'\u201c])""")
_NEXT_ITEM = re.compile(r""",\s*+["'\u201c]""")
"""What a string with quotes inside holds if it has swallowed the structure after it."""
_QUOTED_KEY = re.compile(_QUOTED)
KEY = re.compile(rf"{_QUOTED}|[\w$-]{{1,100}}\s*+:")
_DAMAGED_KEY = (
    r"""["'\u201c][\w$.@/ -]{1,60}:|[\w$.@/-]{1,60}["'\u201d]\s*+:"""
    r"""|"[\w$.@/ -]{1,60}"\s*+(?:["{\[\d]|-\d|(?:true|false|null)\b)"""
)
"""A key that lacks a quote or its colon."""
_COMMENT = r"//|/\*|\#"
_END = r"$|```|~~~|</|<\|"
_ANY_QUOTE = "[\"'`\u2018\u2019\u201c\u201d]"
_AFTER_KEY = re.compile(
    rf"\s*+(?:[:=,}}\]{{\[\d-]|(?:true|false|null)\b|{_ANY_QUOTE}|{_COMMENT}|{_END})"
)
_LAST_CLOSER = re.compile(r"\s*+[}\])]")
_CLOSER = rf"[}}\])](?=\s*+(?:[,}}\]);]|{_ANY_QUOTE}|{_COMMENT}|{_END}))"
_AFTER_MEMBER = re.compile(
    rf"\s*+(?:{_CLOSER}|,\s*+(?:{KEY.pattern}|{_DAMAGED_KEY}|[}}\],]|\.\.\.|{_COMMENT}|{_END})"
    rf"|{_QUOTED}|\+\s*+{_ANY_QUOTE}|;|{_COMMENT}|{_END})"
    rf"|[ \t]*+\n\s*+[\w$-]{{1,100}}\s*+:"
)
_AFTER_ITEM = re.compile(
    rf"\s*+(?:{_CLOSER}|,\s*+(?:{_ANY_QUOTE}|[\]}}{{\[(,]|[-+.]?\d|[\w$-]{{1,100}}\s*+[,\]]|\.\.\."
    rf"|{_COMMENT}|{_END})|:|\+\s*+{_ANY_QUOTE}|;|{_COMMENT}|{_END})|\s++{_ANY_QUOTE}"
)
