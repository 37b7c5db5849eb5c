"""Where the JSON stands in a text that holds more than JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.strict import Fault, MalformedJSONError, decode

__all__ = ["Broken", "Candidate", "candidates"]

MAX_BROKEN = 16
"""Damaged values after which the search ends. Each may reach to the end of the text, so their
number bounds the work."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A JSON object or array in a text."""

    value: Any
    start: int
    end: int
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that began as an object or array and is none."""

    start: int
    fault: Fault


def candidates(text: str) -> Iterator[Candidate | Broken]:
    """Find the objects and arrays of a text, in order, none within another.

    A part of a damaged value is never a candidate: after damage the search goes on at the next
    code fence, where a new value may begin, and nowhere else.
    """
    position, broken = 0, 0
    while broken < MAX_BROKEN and (opener := _OPENER.search(text, position)):
        start = opener.start()
        if not _BEGINS_JSON.match(text, start):
            position = start + 1
            continue
        found = _read(text, start)
        if isinstance(found, Candidate):
            position = found.end
            if not _is_footnote(found, text):
                yield found
            continue
        yield found
        broken += 1
        fence = _FENCE_LINE.search(text, start)
        position = fence.end() if fence else len(text)


def _read(text: str, start: int) -> Candidate | Broken:
    if _KEY_BEFORE.search(text, max(0, start - _LOOK_AROUND), start):
        return Broken(start, Fault("fragment", "an object around its properties", offset=start))
    try:
        value, end = decode(text, start)
    except MalformedJSONError as exc:
        return Broken(start, exc.fault)
    if _PROPERTY_AFTER.match(text, end):
        return Broken(start, Fault("fragment", "the end of the value", "a further property", end))
    return Candidate(value, start, end)


def _is_footnote(found: Candidate, text: str) -> bool:
    """Tell `[1]` and `[ ]` in running text from an answer."""
    if not isinstance(found.value, list) or any(
        isinstance(x, str | list | dict) for x in found.value
    ):
        return False
    before = text[max(0, found.start - _LOOK_AROUND) : found.start].rpartition("\n")[2].strip()
    after = text[found.end : found.end + _LOOK_AROUND].partition("\n")[0].strip()
    introduced = before.endswith((":", "=", "`"))
    return bool(before or after) and not introduced


_LOOK_AROUND = 80
_OPENER = re.compile(r"[{\[]")
_FENCE_LINE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_BEGINS_JSON = re.compile(
    r"""\{\s{0,1000}(?:["'\u201c\u2018`}]|//|/\*|\#|[\w$-]{1,100}\s{0,9}:)"""
    r"""|\[\s{0,1000}(?:["'\u201c\u2018`\[\]{]|[-+]?\.?\d|//|/\*|\#|(?:true|false|null|True|False|None)\b)"""
)
"""What may follow an opening bracket, in JSON or in what models write for it. `{name}` and
`[see below]` are prose."""

_KEY_BEFORE = re.compile(r"""["'\u201d]\s*:\s*\Z""")
"""A quoted key before a value: the object that it belongs to has lost its beginning."""

_PROPERTY_AFTER = re.compile(
    r"""\s{0,1000},\s{0,1000}(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|\w{1,100})\s*:"""
)
"""A property after a value: the value ended too early to be whole."""
