"""Members and items that stand without the brackets around them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from langchain_control.parsing.locate import Broken, Candidate, mended
from langchain_control.parsing.notation import translate
from langchain_control.parsing.repairs import Mended, Repair, are_lossless
from langchain_control.parsing.strict import comparable_text, scan

__all__ = ["series", "without_brackets"]


def without_brackets(text: str, *, finished: bool = False) -> Candidate | None:
    """Read the members of an object, or the items of an array, that stand there alone.

    Models continue a beginning that was given to them, such as `{`, without repeating it.
    """
    for source in _with_brackets(text, finished=finished):
        read = scan(source, 0)
        found = (
            Mended(read.value, read.end)
            if read.fault is None
            else translate(source, 0) or mended(source, 0)
        )
        if found is not None and not source[found.end :].strip():
            repairs = (Repair("missing_brackets", 0), *found.repairs)
            return Candidate(found.value, 0, len(text), source, repairs, read.fault)
    return None


def _with_brackets(text: str, *, finished: bool) -> Iterator[str]:
    """Yield a text with the brackets that it may lack. The last one may also have been cut off."""
    for begins, opening, closing in () if text.startswith(("{", "[")) else _BEGINNINGS:
        if begins.match(text):
            if finished:
                yield opening + text + closing
            if closing == "}" or text.endswith(closing):
                yield opening + text
            return
    if text.startswith("{") and text.endswith("]"):
        first = scan(text, 0)
        if first.fault is None and _COMMA.match(text, first.end):
            yield "[" + text


def series(text: str, found: Sequence[Candidate | Broken]) -> Candidate | None:
    """Take several objects for an array, if nothing but commas, lines or bullets is between them.

    Objects of the same keys that differ are certainly items of one list.
    """
    items = [item for item in found if isinstance(item, Candidate) and isinstance(item.value, dict)]
    if len(items) < _SEVERAL or len(items) < len(found) or text.count("```") % 2:
        return None
    if len({comparable_text(item.value) for item in items}) == 1:
        return None
    if not all(
        _BETWEEN.fullmatch(text, item.end, following.start)
        for item, following in itertools.pairwise(items)
    ):
        return None
    are_alike = _are_alike(items)
    start, end = items[0].start, items[-1].end
    if not are_alike and (text[:start].strip() or text[end:].strip()):
        return None
    if not (_BEFORE.search(text[:start]) and _AFTER.match(text, end)):
        return None
    repairs = [Repair("missing_brackets", start, are_alike)]
    for item in items:
        repairs += item.repairs
    return Candidate([item.value for item in items], start, end, text[start:end], tuple(repairs))


def _are_alike(items: Sequence[Candidate]) -> bool:
    """Whether objects are sound and have the same keys."""
    sound = all(are_lossless(item.repairs) for item in items)
    return sound and all(item.value.keys() == items[0].value.keys() for item in items)


_SEVERAL = 2
_STRING = r"""(?:"[^"\\\n]{0,200}"|'[^'\\\n]{0,200}')"""
_BEGINNINGS = (
    (re.compile(rf"{_STRING}\s*+:\s*+\S"), "{", "}"),
    (re.compile(r"""[A-Za-z_]\w{0,60}"\s*+:\s*+\S"""), '{"', "}"),
    (re.compile(rf"{_STRING}\s*+,\s*+{_STRING}\s*+(?:,|\]?\Z)"), "[", "]"),
)
"""How members and items begin, and the brackets around them."""
_COMMA = re.compile(r"\s*+,\s*+\{")
_BETWEEN = re.compile(
    r"\s*,?\s*|,?\s*\n\s*(?:[-*\u2022]|\d{1,4}[.)])\s+|\s*</(\w{1,40})>\s*<\1>\s*"
)
_BEFORE = re.compile(r"(?:\A|\n|<\w{1,40}>)\s*(?:(?:[-*\u2022]|\d{1,4}[.)])\s+)?\Z")
_AFTER = re.compile(r"\s*,?\s*\Z|\s*\n|\s*</\w{1,40}>")
