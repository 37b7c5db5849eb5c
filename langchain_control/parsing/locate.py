"""Where the JSON stands in a text that holds more than JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_control.parsing.lenient import parse_leniently
from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.strict import Fault, MalformedJSONError, canonical, decode

__all__ = ["Broken", "Candidate", "candidates"]

MAX_CANDIDATES = 512
"""Values in one text. Whoever writes more does not answer a question for one."""

MAX_DAMAGED = 16
"""Damaged values in one text. Each may reach to its end, so their number bounds the work."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A JSON object or array in a text."""

    value: Any
    text: str
    """The value as compact JSON."""
    start: int
    end: int
    repairs: tuple[Repair, ...] = ()
    fault: Fault | None = None
    """What is wrong with it as it stands, where it had to be mended."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that began as an object or array and is none."""

    start: int
    fault: Fault


def candidates(text: str, *, finished: bool = False) -> Iterator[Candidate | Broken]:
    """Find the objects and arrays of a text, in order, none within another.

    Damaged ones are mended if it can be told how. A part of one that cannot be mended is never a
    candidate: the search goes on at the next code fence, where a new value may begin, and nowhere
    else.

    Args:
        text: Any text.
        finished: Whether whoever wrote the text is known to have come to an end.
    """
    position = count = damaged = 0
    while opener := _OPENER.search(text, position):
        start = opener.start()
        if not _BEGINS_JSON.match(text, start):
            position = start + 1
            continue
        if count == MAX_CANDIDATES or damaged == MAX_DAMAGED:
            yield Broken(start, Fault("size", "one value", "too many", start))
            return
        found = _read(text, start, finished=finished)
        count += 1
        damaged += found.fault is not None
        if isinstance(found, Broken):
            fence = _FENCE_LINE.search(text, start)
            position = fence.end() if fence else len(text)
            yield found
        else:
            position = found.end
            if not _is_footnote(found, text):
                yield found


def _read(text: str, start: int, *, finished: bool) -> Candidate | Broken:
    if _KEY_BEFORE.search(text, max(0, start - _LOOK_AROUND), start):
        return Broken(start, Fault("fragment", "an object around its properties", offset=start))
    fault: Fault | None = None
    repairs: tuple[Repair, ...] = ()
    try:
        value, end = decode(text, start)
    except MalformedJSONError as exc:
        fault = exc.fault
        try:
            value, end, repairs = parse_leniently(text, start, finished=finished)
        except MalformedJSONError:
            return Broken(start, fault)
    if surplus := _CLOSERS.match(text, end):
        repairs = (*repairs, Repair("extra_closer", end))
        end = surplus.end()
    if _PROPERTY_AFTER.match(text, end):
        return Broken(start, Fault("fragment", "the end of the value", "a further property", end))
    try:
        return Candidate(value, canonical(value), start, end, repairs, fault)
    except MalformedJSONError as exc:
        return Broken(start, exc.fault)


def _is_footnote(found: Candidate, text: str) -> bool:
    """Tell `[1]` and `[ ]` in running text from an answer."""
    if not isinstance(found.value, list) or any(
        isinstance(x, str | list | dict) for x in found.value
    ):
        return False
    before = text[max(0, found.start - _LOOK_AROUND) : found.start].rpartition("\n")[2].strip()
    after = text[found.end : found.end + _LOOK_AROUND].partition("\n")[0].strip()
    introduced = not before or before.endswith((":", "=", "`"))
    return not introduced or bool(after.strip(".`;"))


_LOOK_AROUND = 80
_OPENER = re.compile(r"[{\[]")
_CLOSERS = re.compile(r"\s{0,1000}[}\]][}\]\s]{0,1000}")
_FENCE_LINE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_BEGINS_JSON = re.compile(
    r"""\{\s{0,1000}(?:["'\u201c\u2018`}]|//|/\*|\#|[\w$-]{1,100}\s{0,9}["']?\s{0,9}:)"""
    r"""|\[\s{0,1000}(?:["'\u201c\u2018`\[\]{]|[-+]?\.?\d|//|/\*|\#|(?:true|false|null|True|False|None)\b)"""
)
"""What may follow an opening bracket, in JSON or in what models write for it. `{name}` and
`[see below]` are prose."""

_KEY_BEFORE = re.compile(r"""["'\u201d]\s*:\s*\Z""")
"""A quoted key before a value: the object that it belongs to has lost its beginning."""

_PROPERTY_AFTER = re.compile(
    r"""\s{0,1000}(?:,\s{0,1000})?(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|\w{1,100}")\s*+:"""
    r"""|\s{0,1000},\s{0,1000}\w{1,100}\s*+:"""
)
"""A property after a value: the value ended too early to be whole."""
