"""Numbers, constants and words without quotes, as models write them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.strict import Fault, MalformedJSONError

__all__ = ["Scalar", "read_scalar"]


class Scalar(NamedTuple):
    """A value without quotes, and where it ends."""

    value: Any
    end: int
    repair: Repair | None = None


def read_scalar(text: str, start: int) -> Scalar:
    """Read the number, constant or bare word at `start`.

    Raises:
        MalformedJSONError: There is none.
    """
    if number := _NUMBER.match(text, start):
        return Scalar(_number(number[0]), number.end())
    if number := _LOOSE_NUMBER.match(text, start):
        kind = "leading_zero" if _LEADING_ZERO.match(number[0]) else "number_format"
        return Scalar(_loose_number(number[0]), number.end(), Repair(kind, start))
    if (word := _WORD.match(text, start)) and (constant := _CONSTANTS.get(word[0].lower())):
        value, kind = constant
        standard = word[0] in ("true", "false", "null")
        return Scalar(value, word.end(), None if standard else Repair(kind, start))
    if half := _HALF_QUOTED.match(text, start):
        return Scalar(half[1], half.end(), Repair("missing_quote", start))
    if bare := _BARE.match(text, start):
        return Scalar(bare[0].rstrip(), bare.end(), Repair("bare_string", start))
    raise MalformedJSONError(Fault("syntax", "a JSON value", offset=start))


def _number(digits: str) -> int | float:
    try:
        return int(digits) if digits.lstrip("-").isdigit() else float(digits)
    except ValueError:  # `int` refuses numbers of more than 4,300 digits
        raise MalformedJSONError(Fault("number", "a number of reasonable length")) from None


def _loose_number(written: str) -> int | float:
    digits = written.replace("_", "").lstrip("+")
    return int(digits, 16) if "x" in digits.lower() else _number(digits)


_DELIMITED = r"(?=\s|[,}\]);]|//|/\*|\#|```|~~~|</|<\||\Z)"
_NUMBER = re.compile(rf"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?{_DELIMITED}")
_LOOSE_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
    rf"|\.[0-9]+(?:[eE][+-]?[0-9]+)?){_DELIMITED}"
)
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]")
_WORD = re.compile(rf"[+-]?[A-Za-z]+{_DELIMITED}")
_HALF_QUOTED = re.compile(
    r"""([^\s,:{}\[\]()"'<>;][^\n,:{}\[\]()"'<>;]{0,200})["'](?=\s*+[,}\]\n])"""
)
"""A string that lacks its opening quote."""
_BARE = re.compile(
    r"""[^\s,:{}\[\]()"'`\u2018\u2019\u201c\u201d<>;][^\n,:{}\[\]()"'`\u2018\u2019\u201c\u201d<>;]*+"""
    r"(?=[,}\]\n])"
)
"""A bare word ends where a value can end. Before a colon it would be a key, before a bracket a call
of a function, and at the end of the text nobody knows how it goes on."""

_CONSTANTS: dict[str, tuple[bool | None, str]] = {
    "true": (True, "python_literal"),
    "false": (False, "python_literal"),
    "null": (None, "python_literal"),
    "none": (None, "python_literal"),
    "undefined": (None, "missing_value"),
    "nan": (None, "non_finite"),
    "-nan": (None, "non_finite"),
    "inf": (None, "non_finite"),
    "-inf": (None, "non_finite"),
    "infinity": (None, "non_finite"),
    "+infinity": (None, "non_finite"),
    "-infinity": (None, "non_finite"),
}
"""Constants in any case, what JSON has for them, and the repair that this is."""
