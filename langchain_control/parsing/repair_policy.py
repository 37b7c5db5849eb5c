"""Which repairs may stand."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from langchain_control.parsing.metered import MeteredText
from langchain_control.parsing.repairs import GRADES, Grade, Repair, are_lossless
from langchain_control.parsing.strict import comparable_text

__all__ = ["MAX_GUESSES", "MAX_SECOND_OPINION_CHARS", "RepairPolicy", "permits"]

MAX_SECOND_OPINION_CHARS = 32_768
"""Longest text that is given to the other parser."""

LOOKS_PER_CHARACTER, MORE_LOOKS = 3, 1000
"""How often the other parser may look into a text. With ordinary damage it needs one to two and a
half looks a character; 8 kB that are made for it can cost it seconds, and then it is stopped."""

MAX_GUESSES = 32
"""Most guesses that are put to the other parser. With more, the text is hardly JSON."""


_BRACKETS = {"extra_closer", "mismatched_closer", "missing_closer"}


class RepairPolicy(StrEnum):
    """Which repairs of damaged JSON may stand."""

    STRICT = "strict"
    """None. JSON inside prose, fences or wrappers is still found."""
    LOSSLESS = "lossless"
    """Those that leave one way to read the text."""
    AGREED = "agreed"
    """Those, and guesses that an independent parser makes, too."""
    LENIENT = "lenient"
    """All. The value may be wrong or incomplete, and the notes of the verdict say what was done."""


def permits(policy: RepairPolicy, repairs: Sequence[Repair], text: str, value: Any) -> bool:
    """Say whether a repaired value may stand.

    Args:
        policy: Which repairs may.
        repairs: What was mended.
        text: The damaged text, and nothing else.
        value: What was made of it.
    """
    if not repairs or policy is RepairPolicy.LENIENT:
        return True
    if policy is RepairPolicy.STRICT:
        return False
    if are_lossless(repairs):
        return True
    grades = [repair.grade for repair in repairs]
    if Grade.LOSSY in grades or _shifts_levels(repairs) or _has_words_for_nothing(repairs):
        return False
    guesses = grades.count(Grade.GUESS)
    return policy is RepairPolicy.AGREED and guesses <= MAX_GUESSES and _agreed(text, value)


def _shifts_levels(repairs: Sequence[Repair]) -> bool:
    """Whether brackets are wrong and something else, too.

    A bracket too many here and one too few there move what is between them to another level, and
    every parser goes along with it.
    """
    kinds = {repair.kind for repair in repairs if GRADES[repair.kind] is Grade.GUESS}
    return len(kinds) > 1 and not kinds.isdisjoint(_BRACKETS)


def _has_words_for_nothing(repairs: Sequence[Repair]) -> bool:
    """Whether `none` stands among words without quotes: it may be one of them."""
    kinds = {repair.kind for repair in repairs}
    return {"bare_constant", "bare_string"} <= kinds


def _agreed(text: str, value: Any) -> bool:
    """Ask json-repair for its reading.

    Two parsers that were written independently seldom make the same wrong guess, while either of
    them alone makes many.
    """
    if len(text) > MAX_SECOND_OPINION_CHARS:
        return False
    from json_repair import repair_json  # noqa: PLC0415  (only damaged answers need it)

    metered = MeteredText(text, LOOKS_PER_CHARACTER * len(text) + MORE_LOOKS)
    try:
        other = repair_json(metered, return_objects=True, skip_json_loads=True)
        return comparable_text(other) == comparable_text(value)
    except Exception:  # noqa: BLE001  (a second opinion that fails, or takes too long, is none)
        return False
