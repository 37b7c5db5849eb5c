"""JSON as it should be."""

import sys

import pytest

from langchain_control.parsing.strict import (
    MAX_DEPTH,
    MalformedJSONError,
    Scanned,
    canonical,
    comparable_text,
    is_told_at_once,
    loads,
    scan,
    sound_container,
)

TRAILING_COMMA = "no trailing comma" if sys.version_info >= (3, 13) else "a key in double quotes"
"""What Python 3.13 names, earlier ones take for the beginning of a key."""


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("", "truncated", "a JSON value"),
        ('{"a": 1', "truncated", "`,` or a closing bracket"),
        ('{"a": "x', "truncated", "the end of a string"),
        ('{"a": 1,}', "syntax", TRAILING_COMMA),
        ("{'a': 1}", "syntax", "a key in double quotes"),
        ("[1 2]", "syntax", "`,` or a closing bracket"),
        ('{"a" 1}', "syntax", "`:`"),
        (r'"\x"', "syntax", "a valid escape"),
        (r'"\u12"', "syntax", "four hexadecimal digits"),
        ('"a\nb"', "syntax", "no raw control character in a string"),
        ("{} {}", "syntax", "the end of the text"),
        ("NaN", "number", "a JSON number"),
        ("[-Infinity]", "number", "a JSON number"),
        ("1" * 5000, "number", "a number of reasonable length"),
        ('{"a": 1, "a": true}', "duplicate_key", "every key once"),
        ("[" * 100_000, "depth", f"at most {MAX_DEPTH} levels of nesting"),
        ("[" * 130 + "]" * 130, "depth", f"at most {MAX_DEPTH} levels of nesting"),
    ],
)
def test_faults_are_named(text, kind, expected):
    """What is no JSON says what was due, in words for whoever has to correct it."""
    with pytest.raises(MalformedJSONError) as caught:
        loads(text)

    assert (caught.value.fault.kind, caught.value.fault.expected) == (kind, expected)


@pytest.mark.parametrize(("value", "kind"), [("\ud800", "unicode"), (float("inf"), "number")])
def test_what_cannot_be_written_is_a_fault(value, kind):
    """Lone surrogates and infinite numbers would fail whoever handles the value next."""
    with pytest.raises(MalformedJSONError) as caught:
        canonical([value])

    assert caught.value.fault.kind == kind


def test_integers_may_be_of_any_length():
    """JSON sets no limit, and Python keeps every digit."""
    assert loads(f'{{"a": [{10**40}]}}') == {"a": [10**40]}


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '{"\\uDFFF": 1}', "[1e999]", "[-1e999]", '["\ud800"]', "1" * 400 + ".5"]
)
def test_what_cannot_be_written_again_is_a_fault(text):
    """Lone surrogates and numbers that overflow are found in the text, however they are written."""
    with pytest.raises(MalformedJSONError):
        loads(text)


def test_depth_counts_containers_and_not_brackets():
    """Brackets in strings, and many containers side by side, are no depth."""
    assert loads('["' + "[" * 500 + '"]') == ["[" * 500]
    assert loads("[" + "[]," * 500 + "[]]") == [[]] * 501
    assert loads("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None


def test_an_attempt_says_where_the_value_ends():
    """A value may stand in the middle of a text."""
    assert scan('x {"a": 1} y', 2) == Scanned(2, {"a": 1}, 10)


def test_comparable_texts_tell_types_apart():
    """`1`, `1.0` and `true` are equal to Python only; the order of keys says nothing."""
    assert len({comparable_text(value) for value in (1, 1.0, True)}) == 3
    assert comparable_text({"a": 1, "b": 2}) == comparable_text({"b": 2, "a": 1})


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": 1, "a": 1}',
        r'{"a": "\u003a", "a": 2}',
        r'{"a": "\u003A\u003A", "b": {"c": 1, "c": {"d": 2}}}',
        "[1e999]",
        '[-1e999, "Infinity"]',
        "[NaN]",
        r'["\ud800"]',
        '["\ud800"]',
        "[" * 129 + "]" * 129,
        "[" + "1" * 5000 + "]",
        "[1] 2",
        "[1",
        "null",
        '"a"',
    ],
)
def test_what_the_quick_reader_cannot_judge_is_left_to_the_thorough_one(text):
    """Two values of one key, numbers beyond all bounds, and what is no object or array."""
    assert not is_told_at_once(text) or sound_container(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[-0, 0, -0.0, 1E5, 0.1e1, 1e-999, 123456789012345678901234567890, 5e-324]",
        r'{"a:b": "::", "c": ["\u00e9\n\ud83d\ude00", true, false, null]}',
        '{"\u00e9": [[], {}, {"a": {"a": 1}}]} \n',
    ],
)
def test_the_quick_reader_reads_as_the_thorough_one_does(text):
    """To the type of every number."""
    assert repr(sound_container(text)) == repr(loads(text))
