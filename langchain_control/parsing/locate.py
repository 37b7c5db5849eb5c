"""Where the JSON stands in a text that holds more than JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from langchain_control.parsing.blanks import BLANK
from langchain_control.parsing.lenient import Lenient, parse_leniently
from langchain_control.parsing.notation import Translated, translate
from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.strict import Attempt, Fault, MalformedJSONError, attempt, canonical

__all__ = ["Broken", "Candidate", "candidates", "series", "without_brackets"]

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


def candidates(
    text: str, *, finished: bool = False, tried: Attempt | None = None
) -> Iterator[Candidate | Broken]:
    """Find the objects and arrays of a text, in order, none within another.

    Damaged ones are mended if it can be told how. A part of one that cannot be mended is never a
    candidate: the search goes on at the next code fence, where a new value may begin, and nowhere
    else.

    Args:
        text: Any text.
        finished: Whether whoever wrote the text is known to have come to an end.
        tried: What came of reading strict JSON at one place of the text, if that is known.
    """
    position = count = damaged = 0
    sound_end = 0
    while opener := _OPENER.search(text, position):
        start = opener.start()
        if not _BEGINS_JSON.match(text, start):
            position = start + 1
            continue
        if count == MAX_CANDIDATES or damaged == MAX_DAMAGED:
            yield Broken(start, Fault("size", "one value", "too many", start))
            return
        strict = tried if tried and tried.start == start else attempt(text, start)
        if _is_inside(text, start, sound_end):
            yield Broken(start, Fault("fragment", "an object around its properties", offset=start))
            return
        found = _read(text, strict, finished=finished)
        count += 1
        damaged += found.fault is not None
        if isinstance(found, Broken):
            fence = _FENCE_LINE.search(text, start)
            position = fence.end() if fence else len(text)
            yield found
        else:
            position = _after_comment(text, found.end)
            sound_end = position if not found.repairs else 0
            if not _is_footnote(found, text):
                yield found


def _read(text: str, strict: Attempt, *, finished: bool) -> Candidate | Broken:
    start, value, end, fault = strict
    repairs: tuple[Repair, ...] = ()
    if fault is None and _PROPERTY_AFTER.match(text, end):
        fault = Fault("fragment", "the end of the value", "a further property", end)
    if fault is not None:
        mended = translate(text, start) or _mended(text, start, finished=finished)
        if mended is None:
            return Broken(start, fault)
        value, end, repairs = mended
    if surplus := _CLOSERS.match(text, end):
        repairs = (*repairs, Repair("extra_closer", end))
        end = surplus.end()
    if (_GOES_ON if repairs else _PROPERTY_AFTER).match(text, end):
        return Broken(start, Fault("fragment", "the end of the value", "a further property", end))
    return Candidate(value, start, end, text[start:end], repairs, fault)


def _mended(text: str, start: int, *, finished: bool = False) -> Lenient | None:
    """Read a damaged value, if that can be done and the value be written."""
    try:
        found = parse_leniently(text, start, finished=finished)
        canonical(found.value)
    except MalformedJSONError:
        return None
    return found


def _after_comment(text: str, end: int) -> int:
    """Skip a comment right behind a value: what stands in it is none."""
    comment = _COMMENT.match(text, end)
    return comment.end() if comment else end


def _is_inside(text: str, start: int, sound_end: int) -> bool:
    """Whether a value stands within another one, of which the beginning could not be read."""
    before = _STRUCTURE_BEFORE.search(text, max(sound_end, start - _LOOK_AROUND), start)
    return before is not None


def without_brackets(text: str, *, finished: bool = False) -> Candidate | None:
    """Read the members of an object, or the items of an array, that stand there alone.

    Models continue a beginning that was given to them, such as `{`, without repeating it.
    """
    for source in _with_brackets(text, finished=finished):
        read = attempt(source, 0)
        found: Translated | Lenient | None = Translated(read.value, read.end, ())
        if read.fault is not None:
            found = translate(source, 0) or _mended(source, 0)
        if found is not None and not source[found.end :].strip():
            repairs = (Repair("missing_brackets", 0), *found.repairs)
            return Candidate(found.value, 0, len(text), source, repairs, read.fault)
    return None


def _with_brackets(text: str, *, finished: bool) -> Iterator[str]:
    """Yield a text with the brackets that it may lack. The last one may also have been cut off."""
    if _BEGINS_WITH_KEY.match(text):
        if finished:
            yield "{" + text + "}"
        yield "{" + text
    elif text.startswith("{") and text.endswith("]"):
        first = attempt(text, 0)
        if first.fault is None and _COMMA.match(text, first.end):
            yield "[" + text


def series(text: str, found: Sequence[Candidate | Broken]) -> Candidate | None:
    """Take several objects for an array, if there is nothing but commas or lines between them."""
    if len(found) < _SEVERAL:
        return None
    position, repairs = 0, [Repair("missing_brackets", 0)]
    for candidate in found:
        if isinstance(candidate, Broken) or not _BETWEEN.fullmatch(text, position, candidate.start):
            return None
        repairs += candidate.repairs
        position = candidate.end
    if text[position:].strip():
        return None
    value = [candidate.value for candidate in found if isinstance(candidate, Candidate)]
    return Candidate(value, 0, len(text), text, tuple(repairs))


def _is_footnote(found: Candidate, text: str) -> bool:
    """Tell `[1]` and `[ ]` in running text from an answer."""
    if not isinstance(found.value, list) or any(
        isinstance(x, str | list | dict) for x in found.value
    ):
        return False
    before = text[max(0, found.start - _LOOK_AROUND) : found.start].rpartition("\n")[2].strip()
    after = text[found.end : found.end + _LOOK_AROUND].partition("\n")[0].strip()
    introduced = not before or before.endswith((":", "=", "`", "("))
    return not introduced or bool(after.strip(".`;)"))


_LOOK_AROUND = 80
_SEVERAL = 2
_OPENER = re.compile(r"\{|(?<!CDATA)\[")
_CLOSERS = re.compile(r"\s{0,1000}[}\]](?!\]>)[}\]\s]{0,1000}(?<=[}\]])")
"""Closing brackets too many. `]]>` ends a section of XML."""
_FENCE_LINE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_BLANK = rf"[{BLANK}]{{0,1000}}"
_BEGINS_JSON = re.compile(
    rf"""\{{{_BLANK}(?:["'\u201c\u2018`\u201e\u00ab\uff02\u00b4}}]|//|/\*|\#|<!--|-?\d[^{{}}]{{0,1000}}\}}\s{{0,100}}(?:```|\Z)|:\w{{1,100}}\s{{0,9}}=>"""
    r"""|[uU]?["']|[\w$.-]{1,100}\s{0,9}["']?\s{0,9}(?:[:\uff1a]|=>?)|\{\s{0,100}["'])"""
    rf"""|(?<!\w)\{{{_BLANK},{_BLANK}["']"""
    rf"""|\[{_BLANK}(?:["'\u201c\u2018`\u201e\u00ab\uff02\u00b4\[\]{{]|[-+]?\.?\d|//|/\*|\#|<!--|,{_BLANK}[\d"'{{\[]"""
    r"""|\(|[uU]["']|(?:true|false|null|True|False|None)\b|[\w.]{1,60}\(["'\d]"""
    r"""|[\w-]{1,60}\s{0,9},[^\n]{1,1000}\]\s{0,100}(?:```|\Z))"""
)
"""What may follow an opening bracket, in JSON or in what models write for it. `{name}` and
`[see below]` are prose."""

_STRUCTURE_BEFORE = re.compile(
    r"""["'\u201d]\s*[}\]]*\s*:[\s\[\]{}]*\Z|["\d\]}el]\s*,[\s\[\]{}]*\Z|[\]}]\s*\Z"""
)
"""A key, or a comma or bracket of JSON, before a value."""

_PROPERTY_AFTER = re.compile(
    r"""\s{0,1000}(?:,\s{0,1000})?(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|[\w$.@-]{1,100}["'])\s*+:"""
    r"""|\s{0,1000},\s{0,1000}\w{1,100}\s*+:"""
)
"""A property after a value: the value ended too early to be whole."""

_COMMA = re.compile(r"\s*+,\s*+\{")
_GOES_ON = re.compile(rf"{_PROPERTY_AFTER.pattern}|\s{{0,1000}}(?:[,:]\s{{0,1000}})?[\"{{\[]")
"""Anything of JSON after a value that had to be mended."""

_COMMENT = re.compile(r"[ \t,;]{0,100}(?://[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)")
_BETWEEN = re.compile(r"\s*,?\s*")
_BEGINS_WITH_KEY = re.compile(r"""(?:"[^"\\\n]{1,200}"|'[^'\\\n]{1,200}')\s*+:\s*+\S""")
