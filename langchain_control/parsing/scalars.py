"""Numbers, constants, calls and words without quotes, as models and programs write them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.strict import Fault, MalformedJSONError

__all__ = ["PYTHON_CONSTANTS", "Scalar", "loose_number", "read_scalar"]


class Scalar(NamedTuple):
    """A value without quotes, and where it ends."""

    value: Any
    end: int
    repair: Repair | None = None


def read_scalar(text: str, start: int) -> Scalar:
    """Read the number, constant, call or bare word at `start`.

    Raises:
        MalformedJSONError: There is none.
    """
    if number := _NUMBER.match(text, start):
        return Scalar(_number(number[0]), number.end())
    if number := _LOOSE_NUMBER.match(text, start):
        kind = "leading_zero" if _LEADING_ZERO.match(number[0]) else "number_format"
        return Scalar(_loose_number(number[0]), number.end(), Repair(kind, start))
    if (word := _WORD.match(text, start)) and (constant := _constant(word[0])):
        value, kind = constant
        return Scalar(value, word.end(), Repair(kind, start) if kind else None)
    if call := _CALL.match(text, start):
        return _called(call)
    if half := _HALF_QUOTED.match(text, start):
        is_word = not _NUMBER.fullmatch(half[1]) and half[1] not in _JSON_CONSTANTS
        is_certain = is_word and half["more"] is not None
        return Scalar(half[1], half.end(), Repair("missing_quote", start, is_certain))
    if bare := _BARE.match(text, start):
        return Scalar(bare[0].rstrip(), bare.end(), Repair("bare_string", start))
    raise MalformedJSONError(Fault("syntax", "a JSON value", offset=start))


def loose_number(written: str) -> int | float | None:
    """Return the number that is written in another way than JSON has it, or `None`."""
    if not _LOOSE_NUMBER.fullmatch(written) or _LEADING_ZERO.match(written):
        return None
    try:
        return _loose_number(written)
    except MalformedJSONError:
        return None


def _number(digits: str) -> int | float:
    try:
        return int(digits) if digits.lstrip("-").isdigit() else float(digits)
    except ValueError:  # `int` refuses numbers of more than 4,300 digits
        raise MalformedJSONError(Fault("number", "a number of reasonable length")) from None


def _loose_number(written: str) -> int | float:
    digits = written.replace("_", "").lstrip("+").rstrip("n")
    prefix = digits.lstrip("-")[:2].lower()
    return int(digits, _BASES[prefix]) if prefix in _BASES else _number(digits)


def _constant(word: str) -> tuple[bool | None, str] | None:
    """Return what a word stands for, and which repair that is; none for those of JSON."""
    if word in _JSON_CONSTANTS:
        return _JSON_CONSTANTS[word], ""
    if word in PYTHON_CONSTANTS:
        return _JSON_CONSTANTS[PYTHON_CONSTANTS[word]], "python_literal"
    return _OTHER_CONSTANTS.get(word.lower())


def _called(call: re.Match[str]) -> Scalar:
    """Read the call of a constructor with one literal as that literal, any other as its text."""
    name = call["name"].rpartition(".")[2]
    if (argument := call["string"]) is not None:
        kind = "constructor" if name in _OF_STRINGS else "call"
        return Scalar(argument[1:-1], call.end(), Repair(kind, call.start()))
    if (argument := call["number"]) is not None and name in _OF_NUMBERS:
        return Scalar(_number(argument), call.end(), Repair("constructor", call.start()))
    return Scalar(call[0], call.end(), Repair("call", call.start()))


_DELIMITED = (
    r"(?=\s|[,}\]);\uff0c]|//|/\*|\#|```|~~~|</|<\||<!|\Z"
    r'|"[^"\\\n]{1,100}"\s{0,9}:)'
)
_NUMBER = re.compile(rf"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?{_DELIMITED}")
_LOOSE_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F]{1,32}|0[bB][01]{1,128}|0[oO][0-7]{1,43}|(?:0|[1-9][0-9]*)n"
    r"|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
    rf"|\.[0-9]+(?:[eE][+-]?[0-9]+)?){_DELIMITED}"
)
_BASES = {"0x": 16, "0b": 2, "0o": 8}
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]")
_WORD = re.compile(rf"[+-]?[A-Za-z]{{1,20}}{_DELIMITED}")
_CALL = re.compile(
    r"""(?:new\s{1,9})?(?P<name>[A-Za-z_][\w.]{0,60})\(\s{0,9}"""
    r"""(?:(?P<string>"[^"\\\n]{0,200}"|'[^'\\\n]{0,200}')|(?P<number>-?[0-9][0-9.]{0,40})"""
    r"""|[^()"'{}\[\]\n]{0,200})\s{0,9}\)"""
)
_OF_STRINGS = frozenset(
    [
        *("ObjectId", "ISODate", "Date", "UUID", "GUID", "BinData", "Symbol"),
        *("Timestamp", "datetime64", "Path", "PosixPath", "str", "str_", "String"),
    ]
)
_OF_NUMBERS = frozenset(
    [
        *("NumberInt", "NumberLong", "NumberDecimal", "Decimal", "int", "float", "Number"),
        *("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64"),
    ]
)
"""Constructors of MongoDB's shell, JavaScript, Python and NumPy whose JSON is their argument. A
number in a string has two readings and is not among them."""

_HALF_QUOTED = re.compile(
    r"""([^\s,:{}\[\]()"'<>;][^\n,{}\[\]()"'<>;]{0,200})"""
    r"""(?:"(?=(?P<more>\s{0,100}(?:,\s{0,100}"[^"\\\n]{1,100}"\s{0,9}:|\})))|["'](?=\s*+[,}\]\n]))"""
)
"""A string that lacks its opening quote, and nothing else if a member or the end of one follows."""
_BARE = re.compile(
    r"""(?:https?://[^\s"',{}\[\]]{1,500}|[0-9]{1,4}(?::[0-9]{2}){1,2}|/[^/\n]{1,200}/[a-z]{0,8}"""
    r"""|[^\s,:{}\[\]()"'`\u2018\u2019\u201c\u201d<>;][^\n,:{}\[\]()"'`\u2018\u2019\u201c\u201d<>;]{0,500}+)"""
    r"(?=\s{0,100}[,}\]\n])"
)
"""A bare word ends where a value can end. Before a colon it would be a key, before a bracket a call
of a function, and at the end of the text nobody knows how it goes on."""

PYTHON_CONSTANTS = {
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE"), "false"),
    **dict.fromkeys(("None", "Null", "NULL"), "null"),
}
"""Constants that can be nothing but those of JSON."""

_JSON_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

_OTHER_CONSTANTS: dict[str, tuple[bool | None, str]] = {
    "true": (True, "bare_constant"),
    "false": (False, "bare_constant"),
    "null": (None, "bare_constant"),
    "none": (None, "bare_constant"),
    "nil": (None, "missing_value"),
    "undefined": (None, "missing_value"),
    "nan": (None, "non_finite"),
    "-nan": (None, "non_finite"),
    "inf": (None, "non_finite"),
    "-inf": (None, "non_finite"),
    "infinity": (None, "non_finite"),
    "+infinity": (None, "non_finite"),
    "-infinity": (None, "non_finite"),
}
"""Other words, in any case, with what JSON has for them, and the repair that this is."""
