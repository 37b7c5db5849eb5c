"""A place in a text, and what was mended on the way to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NoReturn

from langchain_control.parsing.blanks import COMMON_BLANKS
from langchain_control.parsing.comments import BULLET, SPACE_OR_COMMENT, said_by
from langchain_control.parsing.quotation_marks import OPENING_QUOTES
from langchain_control.parsing.quoted import Quoted, read_quoted
from langchain_control.parsing.repairs import GRADES, MAX_REPAIRS, Grade, Repair
from langchain_control.parsing.strict import Fault, MalformedJSONError, scan
from langchain_control.parsing.string_ends import Place, surely_ends_before

__all__ = ["MARKS", "Cursor"]


class Cursor:
    """Reads space, comments and strings of a text, one after the other."""

    def __init__(self, text: str, start: int) -> None:
        """Begin at an offset."""
        self.text, self.position = text, start
        self.repairs: list[Repair] = []
        self._told: set[str] = set()
        """Kinds of repairs that are noted already as leaving no doubt."""
        self._faults = 0
        self._nested_left = _MOST_NESTED
        """How often a string may still be tried as JSON: each one may reach to the text's end."""

    def at_quote(self) -> bool:
        """Whether a string begins here."""
        return self.text[self.position] in OPENING_QUOTES

    def skip_space(self) -> None:
        """Go on to what is neither space nor comment."""
        if self.text[self.position : self.position + 1] not in _SKIPPED:
            return
        while match := SPACE_OR_COMMENT.match(self.text, self.position):
            if comment := match["comment"]:
                self.mend(self.kind_of_comment(comment, match.end()))
            elif match["dressing"]:
                self.mend("markdown")
            self.position = match.end()
            if "\n" in match[0] and (bullet := BULLET.match(self.text, self.position)):
                self.mend("markdown")
                self.position = bullet.end()

    def kind_of_comment(self, comment: str, end: int) -> str:  # noqa: ARG002
        """Return the kind of repair that leaving out this comment is."""
        return said_by(comment)

    def skip_prefix(self) -> None:
        """Leave out the letter that Python puts before some strings."""
        if prefix := _PREFIX.match(self.text, self.position):
            holds_code = prefix[0] in "fF" and "{" in prefix["body"]
            self.mend("string_prefix", is_certain=not holds_code)
            self.position += 1

    def raw_string(self) -> str | None:
        """Read a string of Python in which backslashes stand for themselves, if there is one."""
        raw = _RAW.match(self.text, self.position)
        if raw is None:
            return None
        self.mend("string_prefix", is_certain=True)
        self.position = raw.end()
        return raw[2]

    def string(self, place: Place) -> str:
        """Read the string that begins here."""
        quoted = self._nested(place) or read_quoted(self.text, self.position, place)
        self.note(quoted.repairs)
        self.position = quoted.end
        return quoted.value

    def _nested(self, place: Place) -> Quoted | None:
        """Read a string that is itself JSON, with nothing escaped in it."""
        if place.is_key or not self._nested_left or not _NESTED.match(self.text, self.position):
            return None
        inner = scan(self.text, self.position + 1)
        if inner.fault is None and surely_ends_before(self.text, inner.end + 1, place):
            value = self.text[self.position + 1 : inner.end]
            repair = Repair("inner_quote", self.position, is_certain=True)
            return Quoted(value, inner.end + 1, [repair])
        self._nested_left -= 1
        return None

    def strings(self, place: Place) -> str:
        """Read the string that begins here, and those that are added to it."""
        parts = [self.string(place)]
        joints = _JOINT if place.in_tuple else _OPERATOR
        while joint := joints.match(self.text, self.position):
            self.mend("concatenation")
            self.position = joint.end()
            parts.append(self.string(place))
        return "".join(parts)

    def mend(self, kind: str, *, is_certain: bool = False) -> None:
        """Note a repair at this place."""
        self.note((Repair(kind, self.position, is_certain),))

    def note(self, repairs: Iterable[Repair]) -> None:
        """Note repairs.

        Raises:
            MalformedJSONError: There are too many.
        """
        for repair in repairs:
            if GRADES[repair.kind] is not Grade.LOSSLESS:
                self._faults += 1
                if self._faults > MAX_REPAIRS:
                    self.expect(f"at most {MAX_REPAIRS} faults")
            if repair.grade is Grade.LOSSLESS:
                if repair.kind in self._told:
                    continue
                self._told.add(repair.kind)
            self.repairs.append(repair)

    def expect(self, expected: str) -> NoReturn:
        """Give up here.

        Raises:
            MalformedJSONError: Always.
        """
        raise MalformedJSONError(Fault("syntax", expected, offset=self.position))


MARKS = "/#<-*"
"""What comments and dressing begin with."""
_SKIPPED = frozenset(COMMON_BLANKS + MARKS)
_PREFIX = re.compile(
    r"""[uU](?=["'])|[bBfF](?=(["'])(?P<body>[^"'\n]{0,200})\1\s{0,100}[,}\]:)])"""
)
_RAW = re.compile(r"""[rR](["'])([^"'\n]{0,500})\1(?=\s{0,100}[,}\]:)])""")
_MOST_NESTED = 16
_NESTED = re.compile(r'"(?:\{\s{0,100}"|\[\s{0,100}(?:"|\{\s{0,100}"))')
_OPERATOR = re.compile(r"""\s*+(?:\+|(?<=\s)\.(?=\s))\s*+(?=["'`])""")
_JOINT = re.compile(rf"""{_OPERATOR.pattern}|\s++(?=["'])""")
"""What stands between parts of a string: an operator, or in parentheses of Python nothing."""
