"""Numbers, constants, calls and words without quotes, as models and programs write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from langchain_control.parsing.bare_words import read_bare_word, read_measure
from langchain_control.parsing.blanks import BLANK
from langchain_control.parsing.repairs import Repair
from langchain_control.parsing.strict import Fault, MalformedJSONError

__all__ = [
    "JSON_CONSTANTS",
    "PYTHON_CONSTANTS",
    "Scalar",
    "loose_number",
    "plain_number",
    "read_scalar",
]


class Scalar(NamedTuple):
    """A value without quotes, and where it ends."""

    value: Any
    end: int
    repair: Repair | None = None


def read_scalar(text: str, start: int, *, in_object: bool) -> Scalar:
    """Read the number, constant, call or bare word at `start`.

    Args:
        text: Any text.
        start: Where the scalar begins.
        in_object: Whether it is a value of an object. A key must follow its comma, so digits after
            a comma are thousands.

    Raises:
        MalformedJSONError: There is none.
    """
    if in_object and (number := _GROUPED_NUMBER.match(text, start)):
        digits = number[0].replace(",", "")
        return Scalar(plain_number(digits), number.end(), Repair("number_format", start))
    for pattern, read in _FORMS:
        if (found := pattern.match(text, start)) and (scalar := read(found)):
            return scalar
    if bare := read_bare_word(text, start):
        return Scalar(bare.value, bare.end, Repair(bare.repair, start, bare.is_certain))
    raise MalformedJSONError(Fault("syntax", "a JSON value", offset=start))


def _plain_number(number: re.Match[str]) -> Scalar:
    """Read a number as JSON has it, unless it is that of a quantity or date."""
    return _quantity(number) or Scalar(plain_number(number[0]), number.end())


def _quantity(number: re.Match[str]) -> Scalar | None:
    """Read a quantity, date or such whose first part is a number."""
    is_apart = number.string.startswith(" ", number.end())
    measure = read_measure(number.string, number.start()) if is_apart else None
    if measure is None:
        return None
    repair = Repair(measure.repair, number.start(), measure.is_certain)
    return Scalar(measure.value, measure.end, repair)


def _constant_word(word: re.Match[str]) -> Scalar | None:
    if (constant := _constant(word[0])) is None:
        return None
    value, kind = constant
    return Scalar(value, word.end(), Repair(kind, word.start()) if kind else None)


def _malformed_constant(word: re.Match[str]) -> Scalar:
    return Scalar(JSON_CONSTANTS[word[1]], word.end(), Repair("stray_text", word.start()))


def _half_quoted(half: re.Match[str]) -> Scalar:
    is_word = not _NUMBER.fullmatch(half[1]) and half[1] not in JSON_CONSTANTS
    is_certain = is_word and half["more"] is not None
    return Scalar(half[1], half.end(), Repair("missing_quote", half.start(), is_certain))


def _in_another_form(number: re.Match[str]) -> Scalar:
    """Read a number in a form that JSON lacks. Digits after a zero are a code, not a number."""
    if quantity := _quantity(number):
        return quantity
    if _LEADING_ZERO.match(number[0]):
        return Scalar(number[0], number.end(), Repair("leading_zero", number.start()))
    value = _loose_number(number[0])
    return Scalar(value, number.end(), Repair("number_format", number.start()))


def loose_number(written: str) -> int | float | None:
    """Return the number that is written in another way than JSON has it, or `None`."""
    if not _LOOSE_NUMBER.fullmatch(written) or _LEADING_ZERO.match(written):
        return None
    try:
        return _loose_number(written)
    except MalformedJSONError:
        return None


def plain_number(digits: str) -> int | float:
    """Return the number that JSON writes so.

    Raises:
        MalformedJSONError: It has too many digits.
    """
    try:
        return int(digits) if digits.lstrip("-").isdigit() else float(digits)
    except ValueError:  # `int` refuses numbers of more than 4,300 digits
        raise MalformedJSONError(Fault("number", "a number of reasonable length")) from None


def _loose_number(written: str) -> int | float:
    digits = written.replace("_", "").replace("\u2212", "-").lstrip("+").rstrip("n")
    prefix = digits.lstrip("-")[:2].lower()
    return int(digits, _BASES[prefix]) if prefix in _BASES else plain_number(digits)


def _constant(word: str) -> tuple[bool | None, str] | None:
    """Return what a word stands for, and which repair that is; none for those of JSON."""
    if word in JSON_CONSTANTS:
        return JSON_CONSTANTS[word], ""
    if word in PYTHON_CONSTANTS:
        return JSON_CONSTANTS[PYTHON_CONSTANTS[word]], "python_literal"
    return _OTHER_CONSTANTS.get(word.lower())


def _called(call: re.Match[str]) -> Scalar:
    """Read the call of a constructor with one literal as that literal, any other as its text."""
    name = call["name"].rpartition(".")[2]
    if (argument := call["string"]) is not None:
        kind = "constructor" if name in _OF_STRINGS else "call"
        return Scalar(argument[1:-1], call.end(), Repair(kind, call.start()))
    if (argument := call["number"]) is not None and name in _OF_NUMBERS:
        return Scalar(plain_number(argument), call.end(), Repair("constructor", call.start()))
    if date := _DATE.fullmatch(call[0]):
        year, month, day = map(int, date.groups())
        return Scalar(
            f"{year:04}-{month:02}-{day:02}", call.end(), Repair("constructor", call.start())
        )
    return Scalar(call[0], call.end(), Repair("call", call.start()))


_DELIMITED = (
    rf"(?=[{BLANK}]|[,}}\]);\uff0c]|//|/\*|\#|```|~~~|</|<\||<!|\Z"
    r'|"[^"\\\n]{1,100}"\s{0,9}:)'
)
_NUMBER = re.compile(rf"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?{_DELIMITED}")
_LOOSE_NUMBER = re.compile(
    r"[+\u2212-]?(?:0[xX][0-9a-fA-F]{1,32}|0[bB][01]{1,128}|0[oO][0-7]{1,43}|(?:0|[1-9][0-9]*)n"
    r"|[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
    rf"|\.[0-9]+(?:[eE][+-]?[0-9]+)?){_DELIMITED}"
)
_GROUPED_NUMBER = re.compile(
    rf"-?[1-9][0-9]{{0,2}}(?:(?:,[0-9]{{3}}){{2,6}}(?:\.[0-9]+)?|,[0-9]{{3}}\.[0-9]+){_DELIMITED}"
)
"""Two or more groups of digits, or one with decimals. One alone may also be a decimal comma."""
_BASES = {"0x": 16, "0b": 2, "0o": 8}
_LEADING_ZERO = re.compile(r"[+\u2212-]?0[0-9]")
_WORD = re.compile(rf"[+-]?[A-Za-z]{{1,20}}{_DELIMITED}")
_CALL = re.compile(
    r"""(?:new\s{1,9})?(?P<name>[A-Za-z_][\w.]{0,60})\(\s{0,9}"""
    r"""(?:(?P<string>"[^"\\\n]{0,200}"|'[^'\\\n]{0,200}')|(?P<number>-?[0-9][0-9.]{0,40})"""
    r"""|[^()"'{}\[\]\n]{0,200})\s{0,9}\)"""
)
_DATE = re.compile(
    r"(?:datetime\.)?date\(([12]\d{3}), ?0?([1-9]|1[0-2]), ?0?([1-9]|[12]\d|3[01])\)"
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
_MALFORMED = re.compile(r"(true|false|null)[.!?]++(?=\s{0,100}[,}\]\n])")

_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Scalar | None]], ...] = (
    (_NUMBER, _plain_number),
    (_LOOSE_NUMBER, _in_another_form),
    (_WORD, _constant_word),
    (_MALFORMED, _malformed_constant),
    (_CALL, _called),
    (_HALF_QUOTED, _half_quoted),
)
"""What a scalar may be, in the order of asking. A word without quotes comes last."""

PYTHON_CONSTANTS = {
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE"), "false"),
    **dict.fromkeys(("None", "Null", "NULL"), "null"),
}
"""Constants that can be nothing but those of JSON."""

JSON_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

_OTHER_CONSTANTS: dict[str, tuple[bool | None, str]] = {
    "true": (True, "bare_constant"),
    "false": (False, "bare_constant"),
    "null": (None, "bare_constant"),
    "none": (None, "bare_constant"),
    "nil": (None, "python_literal"),
    "undefined": (None, "python_literal"),
    "nan": (None, "non_finite"),
    "-nan": (None, "non_finite"),
    "inf": (None, "non_finite"),
    "-inf": (None, "non_finite"),
    "infinity": (None, "non_finite"),
    "+infinity": (None, "non_finite"),
    "-infinity": (None, "non_finite"),
}
"""Other words, in any case, with what JSON has for them, and the repair that this is."""
