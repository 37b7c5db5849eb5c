"""JSON as RFC 8259 has it, with the promises of I-JSON (RFC 7493).

`json.loads` takes more than JSON: `NaN`, `Infinity`, numbers that overflow to infinity, keys that
contradict each other (the last one silently wins), and strings that no UTF-8 encoder takes. All of
them are faults here.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

__all__ = [
    "MAX_DEPTH",
    "TOO_DEEP",
    "Fault",
    "MalformedJSONError",
    "Scanned",
    "canonical",
    "check_writable",
    "comparable_text",
    "ends_there",
    "is_told_at_once",
    "loads",
    "scan",
    "seems_whole",
    "skip_whitespace",
    "sound_container",
]

MAX_DEPTH = 128
"""Containers within containers. No answer needs more, and every consumer has a limit somewhere."""


class Fault(NamedTuple):
    """The first thing that is wrong with a JSON text."""

    kind: str
    """`syntax`, `truncated`, `fragment`, `duplicate_key`, `number`, `unicode`, `depth`, `size`,
    `no_json`."""
    expected: str
    found: str = ""
    offset: int = 0


INFINITE = Fault("number", "finite numbers", "one beyond all bounds")
TOO_DEEP = Fault("depth", f"at most {MAX_DEPTH} levels of nesting")


class MalformedJSONError(ValueError):
    """A text is not the JSON it should be."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault; the message names no content."""
        self.fault = fault
        super().__init__(f"expected {fault.expected}, found {fault.found or 'something else'}")


class Scanned(NamedTuple):
    """What came of reading strict JSON at one place of a text."""

    start: int
    value: Any = None
    end: int = 0
    fault: Fault | None = None
    """Why there is no value."""


def scan(text: str, start: int) -> Scanned:
    """Read the JSON value at `start`, if there is one that `canonical` can write again."""
    if not _BEGINS.match(text, start):
        return Scanned(start, None, 0, _no_beginning(text, start))
    try:
        value, end = _DECODER.raw_decode(text, start)
        if text.count("[", start, end) + text.count("{", start, end) > MAX_DEPTH:
            _check_depth(value)
        # Lone surrogates come from nowhere else.
        if not text.isascii() or text.find("\\u", start, end) >= 0:
            check_writable(value)
    except MalformedJSONError as exc:
        return Scanned(start, fault=exc.fault)
    except json.JSONDecodeError as exc:
        return Scanned(start, None, 0, _fault_of(exc, text))
    except RecursionError:
        return Scanned(start, fault=TOO_DEEP)
    except ValueError:  # `int` refuses numbers of more than 4,300 digits
        return Scanned(start, fault=Fault("number", "a number of reasonable length"))
    return Scanned(start, value, end, None)


def sound_container(text: str) -> Any:
    """Return the object or array that a text is, in two thirds of the time that `scan` takes.

    Returns:
        `None` if it is none, or has a key twice: of that the parser keeps one value, and what is
        written from it holds fewer colons than the text.
    """
    try:
        value = from_json(text, allow_inf_nan=False, cache_strings=False)
        written = to_json(value)
    except (ValueError, TypeError):
        return None
    if text.count(":") != written.count(b":") or written.find(b"Infinity") >= 0:
        return None
    return value if isinstance(value, dict | list) else None


def is_told_at_once(text: str) -> bool:
    """Say whether `sound_container` can tell of a text what it is, and sooner than `scan` would.

    Escapes may stand for colons, and brackets for a depth that is too much.
    """
    return (
        len(text) <= _SOON_READ
        and text.count("[") + text.count("{") <= MAX_DEPTH
        and text.find("\\u003") < 0
    )


def seems_whole(text: str) -> bool:
    """Say whether a text begins and ends as an object or array does, with its brackets in pairs."""
    return (
        text[:1] in _OPENING_BRACKETS
        and text[-1:] in _MAY_END
        and text.count("{") == text.count("}")
        and text.count("[") == text.count("]")
    )


def ends_there(text: str, tried: Scanned) -> Fault | None:
    """Return what is wrong with a text that should hold nothing but the value that was read."""
    if tried.fault is not None or tried.end == len(text):
        return tried.fault
    end = skip_whitespace(text, tried.end)
    return None if end == len(text) else _unexpected("syntax", "the end of the text", end)


def loads(text: str) -> Any:
    """Parse a text that is one JSON value and nothing else.

    Raises:
        MalformedJSONError: It is not.
    """
    tried = scan(text, skip_whitespace(text, 0))
    if (fault := ends_there(text, tried)) is not None:
        raise MalformedJSONError(fault)
    return tried.value


def canonical(value: Any) -> str:
    """Write a value as compact JSON, keys in their own order.

    Raises:
        MalformedJSONError: It holds an infinite number, or a string that is not Unicode.
    """
    try:
        text = _ENCODE(value)
        text.encode()
    except UnicodeEncodeError:
        raise MalformedJSONError(Fault("unicode", "Unicode text", "a lone surrogate")) from None
    except ValueError:
        raise MalformedJSONError(INFINITE) from None
    return text


def check_writable(value: Any) -> None:
    """Check that `canonical` can write a value, in a fraction of its time.

    Raises:
        MalformedJSONError: It cannot.
    """
    try:
        written = to_json(value)
    except ValueError:
        canonical(value)
    else:
        if b"Infinity" in written or b"NaN" in written:  # a number, or a word
            canonical(value)


def comparable_text(value: Any) -> str:
    """Return a text that is equal for two JSON values exactly if they are the same value.

    Python's own `==` takes `1`, `1.0` and `True` for the same.
    """
    return _SORTED(value)


def skip_whitespace(text: str, start: int) -> int:
    """Return the offset of the next character that is not JSON whitespace."""
    match = _WHITESPACE.match(text, start)
    return match.end() if match else start


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; saying the same thing twice is no contradiction."""
    built = dict(pairs)
    if len(built) != len(pairs) and any(
        comparable_text(value) != comparable_text(built[key]) for key, value in pairs
    ):
        raise MalformedJSONError(Fault("duplicate_key", "every key once", "one with two values"))
    return built


def _no_constant(name: str) -> None:
    raise MalformedJSONError(Fault("number", "a JSON number", f"`{name}`"))


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (_INFINITY, -_INFINITY):
        raise MalformedJSONError(INFINITE)
    return number


def _no_beginning(text: str, start: int) -> Fault:
    """Say what is missing where no value begins: all of it, or the first key of an object."""
    opening = _OPENING.match(text, start)
    if opening is None:
        return _unexpected_at(text, "a JSON value", start)
    return _unexpected_at(text, "a key in double quotes", opening.end())


def _fault_of(exc: json.JSONDecodeError, text: str) -> Fault:
    if exc.msg.startswith("Unterminated string"):
        return _unexpected("truncated", "the end of a string", exc.pos)
    return _unexpected_at(text, _EXPECTED.get(exc.msg.partition(": ")[0], "valid JSON"), exc.pos)


def _unexpected_at(text: str, expected: str, offset: int) -> Fault:
    """Say what is wrong at a place: something else stands there, or nothing at all."""
    ended = _NOTHING_ELSE.match(text, offset) is not None
    return _unexpected("truncated" if ended else "syntax", expected, offset)


def _unexpected(kind: str, expected: str, offset: int) -> Fault:
    found = "the end of the text" if kind == "truncated" else f"something else at offset {offset}"
    return Fault(kind, expected, found, offset)


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise MalformedJSONError(TOO_DEEP)


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


_OPENING = re.compile(r"\{[ \t\n\r]*+")
_BEGINS = re.compile(rf'[\["\-0-9]|{_OPENING.pattern}["}}]|true|false|null|NaN|Infinity')
"""What a value can begin with, for the standard library, which takes longer to say so."""
_OPENING_BRACKETS = frozenset("{[")
_MAY_END = frozenset("}] \n")
_SOON_READ = 2_000
"""Characters up to which writing a value again costs less than is gained by the parser."""
_INFINITY = float("inf")
_WHITESPACE = re.compile(r"[ \t\n\r]*")
_EXPECTED = {
    "Expecting value": "a JSON value",
    "Expecting property name enclosed in double quotes": "a key in double quotes",
    "Expecting ',' delimiter": "`,` or a closing bracket",
    "Expecting ':' delimiter": "`:`",
    "Extra data": "the end of the text",
    "Invalid control character at": "no raw control character in a string",
    "Invalid \\escape": "a valid escape",
    "Invalid \\uXXXX escape": "four hexadecimal digits",
    "Illegal trailing comma before end of object": "no trailing comma",
    "Illegal trailing comma before end of array": "no trailing comma",
}
"""What the standard library's messages mean to whoever has to correct the answer."""

_NOTHING_ELSE = re.compile(r"\s*+\Z")
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
)
_ENCODE = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
).encode
_SORTED = json.JSONEncoder(sort_keys=True, check_circular=False).encode
