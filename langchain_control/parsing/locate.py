"""Where the JSON stands in a text that holds more than JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from langchain_control.parsing.calls import CALL_BEFORE, UNKNOWN_CALL_BEFORE
from langchain_control.parsing.comments import NOTE, said_by
from langchain_control.parsing.lenient import parse_leniently
from langchain_control.parsing.notation import translate
from langchain_control.parsing.openings import BEGINS_JSON, OPENING
from langchain_control.parsing.prose import end_of_prose_bracket, is_mentioned
from langchain_control.parsing.repairs import Mended, Repair, are_lossless
from langchain_control.parsing.strict import (
    Fault,
    MalformedJSONError,
    Scanned,
    check_writable,
    scan,
)
from langchain_control.parsing.turns import next_turn_begins

__all__ = [
    "Broken",
    "Candidate",
    "Tried",
    "candidates",
    "is_all_of",
    "mended",
    "sole_value",
]

MAX_CANDIDATES = 512
"""Values in one text. Whoever writes more does not answer a question for one."""

MAX_DAMAGED = 16
"""Damaged values in one text. Each may reach to its end, so their number bounds the work."""


class Candidate(NamedTuple):
    """A JSON object or array in a text."""

    value: Any
    start: int
    end: int
    source: str
    """The text that it was read from, and nothing else."""
    repairs: tuple[Repair, ...] = ()
    fault: Fault | None = None
    """What is wrong with it as it stands, where it had to be mended."""


class Broken(NamedTuple):
    """Something that began as an object or array and is none."""

    start: int
    fault: Fault


class Tried(NamedTuple):
    """What came of reading at one place of a text, as JSON and in another notation."""

    strict: Scanned
    translated: Mended | None = None
    """`None` where JSON was sound, and where no other notation makes it so."""


def candidates(
    text: str, *, finished: bool = False, tried: Tried | None = None
) -> Iterator[Candidate | Broken]:
    """Find the objects and arrays of a text, in order, none within another.

    Damaged ones are mended if it can be told how. A part of one that cannot be mended is never a
    candidate: the search goes on at the next code fence, where a new value may begin, and nowhere
    else.

    Args:
        text: Any text.
        finished: Whether the text is known to be complete.
        tried: The result of reading at one place of the text, if that was done already.
    """
    return _Search(text, finished=finished, tried=tried).values()


class _Search:
    """The way through a text, from one bracket to the next."""

    def __init__(self, text: str, *, finished: bool, tried: Tried | None) -> None:
        self._text, self._finished, self._tried = text, finished, tried
        self._position = 0
        self._sound_end = 0
        """Before this offset no value begins that could not be read."""
        self._read_values = self._damaged = self._unclosed = 0
        self._has_answer = False

    def values(self) -> Iterator[Candidate | Broken]:
        """Yield values, and places where one should be, until nothing more may be an answer."""
        while opener := OPENING.search(self._text, self._position):
            start = opener.start()
            if self._has_answer and next_turn_begins(self._text, self._position, start):
                return
            if not BEGINS_JSON.match(self._text, start):
                yield from self._skip_prose(start)
                continue
            start = _call_around(self._text, start, self._sound_end)
            if (stop := self._reason_to_stop(start)) is not None:
                yield Broken(start, stop)
                return
            yield from self._read_at(start, opener.end())
        null = _NULL_AT_END.search(self._text, max(self._position, len(self._text) - _LOOK_AROUND))
        if null and self._read_values:
            yield Candidate(None, null.start(), len(self._text), "null")

    def _skip_prose(self, start: int) -> Iterator[Broken]:
        """Go on behind brackets that hold no JSON, or behind the first if they do not close."""
        end: int | None = start + 1
        if self._unclosed < MAX_DAMAGED:
            end = end_of_prose_bracket(self._text, start)
        if end is None:
            yield Broken(start, Fault("syntax", "a key in double quotes", offset=start))
            self._position = _next_fence(self._text, start)
        else:
            self._position = end
        if end is None or end == start + 1:
            self._unclosed += 1
        else:
            self._sound_end = end

    def _reason_to_stop(self, start: int) -> Fault | None:
        """Return why the search ends at this place, or `None` to go on."""
        if self._read_values == MAX_CANDIDATES or self._damaged == MAX_DAMAGED:
            return Fault("size", "one value", "too many", start)
        if _is_inside(self._text, start, self._sound_end):
            return Fault("fragment", "an object around its properties", offset=start)
        return None

    def _read_at(self, start: int, after_opener: int) -> Iterator[Candidate | Broken]:
        """Read the value that begins here, and go on behind it."""
        tried = self._tried
        if tried is None or tried.strict.start != start:
            tried = _tried(self._text, scan(self._text, start))
        found = _read(self._text, tried, finished=self._finished)
        self._read_values += 1
        self._damaged += found.fault is not None
        if isinstance(found, Broken):
            self._position = _next_fence(self._text, after_opener)
            yield found
            return
        self._position = _after_comment(self._text, found.end)
        self._sound_end = self._position if are_lossless(found.repairs) else 0
        if not is_mentioned(found.value, self._text, start, found.end):
            self._has_answer = True
            yield found


def sole_value(text: str, tried: Scanned | Tried | None = None) -> Candidate | Tried | None:
    """Return the only object or array of a text, if it is sound and nothing raises a doubt.

    Args:
        text: Any text.
        tried: The result of reading at one place of the text, if that was done; as strict JSON
            only, or also in another notation, which then is not that of all of the text.

    Returns:
        The value, or if there is a doubt, the result of reading at the first bracket.
    """
    if isinstance(tried, Tried):
        return tried
    if tried is not None and text.startswith(("{", "["), tried.start):
        return _in_another_notation(text, _tried(text, tried))
    start, sound_end = _first_beginning(text)
    if start < 0:
        return None
    strict = scan(text, start)
    _, value, end, fault = strict
    if fault or not value or _SPEAKS_OF_JSON.search(text, end) or '"' in text[:start]:
        return _tried(text, strict)
    goes_on = _PROPERTY_AFTER.match(text, end) or _REMARK.match(text, end)
    if goes_on or _is_inside(text, start, sound_end) or is_mentioned(value, text, start, end):
        return _tried(text, strict)
    return Candidate(value, start, end, text[start:end])


def _tried(text: str, strict: Scanned) -> Tried:
    """Read in another notation what is no JSON as it stands."""
    return Tried(strict, translate(text, strict.start) if strict.fault is not None else None)


def _in_another_notation(text: str, tried: Tried) -> Candidate | Tried:
    """Return what a text holds from one place on, if nothing but its notation is not JSON."""
    strict, found = tried
    if found is None or not is_all_of(text, found):
        return tried
    source = text[strict.start : found.end]
    return Candidate(found.value, strict.start, found.end, source, found.repairs, strict.fault)


def is_all_of(text: str, found: Mended) -> bool:
    """Say whether nothing follows a value that was translated, and nothing in it raises a doubt."""
    return bool(_NOTHING_ELSE.match(text, found.end)) and not _DIGIT_GROUPS.search(text)


def _first_beginning(text: str) -> tuple[int, int]:
    """Return where the first value may begin, or -1, and where the prose brackets before it end."""
    position = 0
    for _ in range(MAX_DAMAGED):
        opener = _FIRST_BRACKET.search(text, position)
        if opener is None or opener[0] == "(":
            break
        if BEGINS_JSON.match(text, opener.start()):
            return opener.start(), position
        end = end_of_prose_bracket(text, opener.start())
        if end is None or end == opener.end():
            break
        position = end
    return -1, 0


def _read(text: str, tried: Tried, *, finished: bool) -> Candidate | Broken:
    start, value, end, fault = tried.strict
    repairs: tuple[Repair, ...] = ()
    if text[start - 1 : start] == "(" and UNKNOWN_CALL_BEFORE.search(text[:start][-_LOOK_AROUND:]):
        repairs = (Repair("call", start),)
    translated = tried.translated
    if fault is None and _PROPERTY_AFTER.match(text, end):
        fault = Fault("fragment", "the end of the value", "a further property", end)
        translated = translate(text, start)
    if fault is not None:
        repaired = translated or mended(text, start, finished=finished)
        if repaired is None:
            return Broken(start, fault)
        value, end, repairs = repaired.value, repaired.end, (*repairs, *repaired.repairs)
        if groups := _DIGIT_GROUPS.search(text, start, end):
            repairs = (*repairs, Repair("digit_groups", groups.start()))
    found = Candidate(value, start, end, text[start:end], repairs, fault)
    return found if end == len(text) else _with_what_follows(text, found)


def _with_what_follows(text: str, found: Candidate) -> Candidate | Broken:
    """Judge a value by what stands behind it: brackets too many, a remark, or more of it."""
    value, start, end, _, repairs, fault = found
    if surplus := _CLOSERS.match(text, end):
        repairs = (*repairs, Repair("extra_closer", end))
        end = surplus.end()
    remark = _REMARK.match(text, end)
    if remark and (kind := said_by(remark["comment"], at_end=True)) != "comment":
        repairs = (*repairs, Repair(kind, end))
        fault = fault or Fault("syntax", "nothing after the value", "a remark on it", end)
    if _what_goes_on(repairs).match(text, end):
        return Broken(start, Fault("fragment", "the end of the value", "a further property", end))
    return Candidate(value, start, end, text[start:end], repairs, fault)


def _what_goes_on(repairs: Sequence[Repair]) -> re.Pattern[str]:
    """Return what may not follow a value. The surer its end is, the less that is."""
    if not repairs:
        return _PROPERTY_AFTER
    return _GOES_ON_IN_LINE if are_lossless(repairs) else _GOES_ON


def mended(text: str, start: int, *, finished: bool = False) -> Mended | None:
    """Read a damaged value, if that can be done and the value be written."""
    try:
        found = parse_leniently(text, start, finished=finished)
        check_writable(found.value)
    except MalformedJSONError:
        return None
    return found


def _call_around(text: str, start: int, earliest: int) -> int:
    """Return where a value begins: with the call that it is the argument of, if that is known."""
    before = text[max(earliest, start - _LOOK_AROUND) : start]
    if "(" not in before:
        return start
    call = CALL_BEFORE.search(before)
    return start - len(before) + call.start() if call else start


def _next_fence(text: str, start: int) -> int:
    fence = _FENCE_LINE.search(text, start)
    return fence.end() if fence else len(text)


def _after_comment(text: str, end: int) -> int:
    """Skip a comment right behind a value: what stands in it is none."""
    comment = _REMARK.match(text, end)
    return comment.end() if comment else end


def _is_inside(text: str, start: int, sound_end: int) -> bool:
    """Whether a value stands within another one, of which the beginning could not be read."""
    before = text[max(sound_end, start - 2 * _LOOK_AROUND) : start].rstrip()
    if before[-1:] not in _MAY_PRECEDE:
        return False
    has_signs = _SIGN_BEFORE.search(before)
    if has_signs and _STRUCTURE_BEFORE.search(before):
        return True
    return "\n" in before and _MEMBERS_BEFORE.search(before) is not None


_LOOK_AROUND = 80
_NOTHING_ELSE = re.compile(r"\s*+\Z")
_FIRST_BRACKET = re.compile(r"[{\[(]")
_NULL_AT_END = re.compile(r"\n[ \t]{0,9}null\s{0,9}\Z")
"""An answer that there is none, after a value."""
_SPEAKS_OF_JSON = re.compile(
    r"\{|\}|\"|\[(?!\d{1,3}\])|\](?<!\d\])|//|`(?<!``)(?!``)"
    rf"|{_NULL_AT_END.pattern}"
)
"""What is nowhere in a text after its only value. Each form begins with one character, so that the
search for all of them is one for any of these."""

_CLOSERS = re.compile(r"\s{0,1000}[}\]](?!\]>)[}\]\s]{0,1000}(?<=[}\]])")
"""Closing brackets too many. `]]>` ends a section of XML."""
_FENCE_LINE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_STRUCTURE_BEFORE = re.compile(
    r"""["'\u201d]\s*[}\]]*\s*:[\s\[\]{}]*\Z|["\d\]}el]\s*,[\s\[\]{}]*\Z|[\]}]\s*\Z"""
)
"""A key, or a comma or bracket of JSON, before a value."""
_SIGN_BEFORE = re.compile(r"""["'\u201d,\]}]""")
"""What all of that holds."""

_DIGIT_GROUPS = re.compile(r"\[\s{0,100}\d{1,3},\d{3},\s{1,100}\d{1,3},\d{3}\b")
"""Items of an array that may be thousands: `[1,200, 3,400]`."""

_MAY_PRECEDE = frozenset(":,[]{}*")
_MEMBERS_BEFORE = re.compile(
    r"""(?:\A|\n)[ \t]*[a-z_]\w{0,40}:[ \t]*"""
    r"""(?:"[^"\n]*"|'[^'\n]*'|-?\d[\d.]*|true|false|null),?[ \t]*\n[ \t]*\w{1,40}:[ \t]*\Z"""
    r"""|(?:\A|\n)[- \t]*[a-z_]\w{0,40}:[^\n]*\n[ \t]{2,}[a-z_]\w{0,40}:[ \t]*\Z"""
    r"""|\n[-*\s]*\*\*[^*\n]{1,40}\*\*:?[^\n]{1,60}\n[-*\s]*\*\*[^*\n]{1,40}\*\*:?[ \t]*\Z"""
)
"""Lines of other members of an object without brackets, or of a list of keys, before a value."""

_PROPERTY_AFTER = re.compile(
    r"""\s{0,1000}(?:,\s{0,1000})?(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|[\w$.@-]{1,100}["'])\s*+:"""
    r"""|\s{0,1000},\s{0,1000}\w{1,100}\s*+:"""
)
"""A property after a value: the value ended too early to be whole."""

_GOES_ON = re.compile(rf"{_PROPERTY_AFTER.pattern}|\s{{0,1000}}(?:[,:]\s{{0,1000}})?[\"{{\[]")
"""Anything of JSON after a value that had to be mended."""

_REMARK = re.compile(
    r"[ \t,;]{0,100}(?P<comment>(?://|\#)[^\n]*+|/\*(?>(?:[^*]|\*(?!/)){0,2000})\*/"
    rf"|<!--(?>(?:[^-]|-(?!->)){{0,2000}})-->|{NOTE.pattern})"
)
"""A comment right behind a value."""
_GOES_ON_IN_LINE = re.compile(
    rf"{_PROPERTY_AFTER.pattern}|[^\S\n]{{0,1000}}(?:[,:]\s{{0,1000}})?[\"{{\[]"
)
"""The same, but for a value on a line of its own."""
