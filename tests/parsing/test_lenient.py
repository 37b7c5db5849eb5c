"""The lenient parser: what it makes of damage, and what it calls the damage."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_control.parsing.lenient import parse_leniently
from langchain_control.parsing.repairs import GRADES, Grade
from langchain_control.parsing.strict import MalformedJSONError


def read(text, **options):
    """Return the value, and the kinds of repair in the order of their places."""
    value, _, repairs = parse_leniently(text, 0, **options)
    return value, [repair.kind for repair in repairs]


@pytest.mark.parametrize(
    ("text", "value", "kinds"),
    [
        ('{"a": 1,}', {"a": 1}, ["trailing_comma"]),
        ("[1, 2,]", [1, 2], ["trailing_comma"]),
        ("{'a': 'x'}", {"a": "x"}, ["quotes"]),
        ("{\u201ca\u201d: \u201cx\u201d}", {"a": "x"}, ["quotes"]),
        ("{\u201ca:b\u201d: 1}", {"a:b": 1}, ["quotes"]),
        ("[True, False, None]", [True, False, None], ["python_literal"]),
        ('{"a": (1, 2)}', {"a": [1, 2]}, ["tuple"]),
        ("{a: 1}", {"a": 1}, ["unquoted_key"]),
        ('{"a": 1 // one\n}', {"a": 1}, ["comment"]),
        ('{/* all */ "a": 1}', {"a": 1}, ["comment"]),
        ('{"a": 1 # one\n}', {"a": 1}, ["comment"]),
        ('{"a": "x\ny"}', {"a": "x\ny"}, ["raw_control"]),
        (r"""{"a": "it\'s \x41"}""", {"a": "it's A"}, ["escape"]),
        ('{"a": "x" + "y"}', {"a": "xy"}, ["concatenation"]),
        ('{"a": """say "hi" now"""}', {"a": 'say "hi" now'}, ["triple_quotes"]),
        ('{"a" = 1}', {"a": 1}, ["separator"]),
        ('{"a": 1; "b": 2}', {"a": 1, "b": 2}, ["separator"]),
        ('{["a"]: 1}', {"a": 1}, ["unquoted_key"]),
        ("{'a': ObjectId('x')}", {"a": "x"}, ["quotes", "constructor"]),
        ("[.5, +1, 0x1F, 1_000, 2.]", [0.5, 1, 31, 1000, 2.0], ["number_format"]),
    ],
)
def test_some_damage_leaves_one_reading(text, value, kinds):
    """Other quotes, commas, comments and number formats lose nothing, and are told once."""
    assert read(text) == (value, kinds)
    assert {GRADES[kind] for kind in kinds} == {Grade.LOSSLESS}


@pytest.mark.parametrize(
    ("text", "value", "kinds"),
    [
        ('{"a": "say "hi" or "no"}', {"a": 'say "hi" or "no'}, ["inner_quote"] * 3),
        ('{"a": "x" "b": 2}', {"a": "x", "b": 2}, ["missing_comma"]),
        ("[1 2]", [1, 2], ["missing_comma"]),
        ("[1,, 2]", [1, 2], ["extra_comma"]),
        ('{"a": [1, 2}', {"a": [1, 2]}, ["missing_closer"]),
        ('{"a": [1, "b": 2}', {"a": [1], "b": 2}, ["missing_closer", "trailing_comma"]),
        ('{"a": [1, 2}, "b": 3}', {"a": [1, 2], "b": 3}, ["mismatched_closer"]),
        ('{"a": "foo, "b": 1}', {"a": "foo", "b": 1}, ["missing_quote"]),
        ('{"a": {"b": "foo}, "c": 1}', {"a": {"b": "foo"}, "c": 1}, ["missing_quote"]),
        ('{"a: 1}', {"a": 1}, ["missing_quote"]),
        ('{a": 1}', {"a": 1}, ["missing_quote"]),
        ('{"a": "x", "b" "y"}', {"a": "x", "b": "y"}, ["missing_colon"]),
        ('{"a": "x", "b: 1}', {"a": "x", "b": 1}, ["missing_quote"]),
        ('{"a": "x", b": 1}', {"a": "x", "b": 1}, ["missing_quote"]),
        ('{"a": x", "b": 1}', {"a": "x", "b": 1}, ["missing_quote"]),
        ('{"a": "x"", "b": 1}', {"a": "x", "b": 1}, ["extra_quote"]),
        ('{"a": "foo\n"b": 1}', {"a": "foo", "b": 1}, ["missing_quote", "missing_comma"]),
        ('{"a": foo bar}', {"a": "foo bar"}, ["bare_string"]),
        ('{"a": 2024-01-31}', {"a": "2024-01-31"}, ["bare_string"]),
        ('{"a": 007}', {"a": "007"}, ["leading_zero"]),
        ("{'x', 'y'}", ["x", "y"], ["set", "quotes"]),
        ('{"a": 1,500}', {"a": 1500}, ["thousands"]),
        ('{"a": None, "b": none}', {"a": None, "b": None}, ["python_literal", "bare_constant"]),
        ('["a, "b"]', ["a", "b"], ["missing_quote"]),
        (r'{"a": "\d+\now"}', {"a": r"\d+\now"}, ["unknown_escape"]),
        (r'{"a": "one\", "b": 1}', {"a": "one", "b": 1}, ["escaped_closer"]),
    ],
)  # fmt: skip
def test_other_damage_has_a_likely_reading(text, value, kinds):
    """What could have been meant otherwise is a guess."""
    assert read(text) == (value, kinds)
    assert max(GRADES[kind] for kind in kinds) is Grade.GUESS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"a": 1 "b": 2}', "missing_comma"),
        ('{"a": "x"\n "b": 2}', "missing_comma"),
        ('[{"a": 1} {"b": 2}]', "missing_comma"),
        ('{"a": 1,, "b": 2}', "extra_comma"),
        ('{"a" 1}', "missing_colon"),
        ("{'a': 'it's'}", "inner_quote"),
        ('{"a": "say "hi" now"}', "inner_quote"),
        ('{"a": "he said "hi", then left", "b": 1}', "inner_quote"),
        ('{"a": "15.6""}', "inner_quote"),
        ('{"a:" 1}', "missing_colon"),
        (r'{"a": "C:\dir", "b": "\frac"}', "unknown_escape"),
        (r'{"a": "C:\", "b": 1}', "escaped_closer"),
        ("{u'a': 1}", "string_prefix"),
    ],
)
def test_a_place_may_leave_no_doubt_about_a_guess(text, kind):
    """A quote within a word, or a gap before a key, is read in one way only."""
    repairs = parse_leniently(text, 0).repairs

    assert GRADES[kind] is Grade.GUESS
    assert kind in {repair.kind for repair in repairs}
    assert all(repair.grade is Grade.LOSSLESS for repair in repairs)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "cut off', {"a": "cut off"}),
        ('{"a": 1, "b": ', {"a": 1}),
        ('{"a": 1, "b', {"a": 1}),
        ('{"a": 1,', {"a": 1}),
        ('{"a": ,"b": 1}', {"a": None, "b": 1}),
        ('{"a":\n"b": 1}', {"a": None, "b": 1}),
        ('{"a", "b": 1}', {"a": None, "b": 1}),
        ("[1, 2, ...]", [1, 2]),
        ('{"a": NaN}', {"a": None}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": 1 or so, "b": 2}', {"a": 1, "b": 2}),
        ('["a": 1]', {"a": 1}),
        ('{"a": max(1, 2)}', {"a": "max(1, 2)"}),
    ],
)
def test_some_damage_has_lost_something(text, value):
    """Cut strings, missing values, ellipses and contradictions are lossy."""
    got, kinds = read(text)

    assert got == value
    assert max(GRADES[kind] for kind in kinds) is Grade.LOSSY


@pytest.mark.parametrize(
    ("text", "finished", "grade"),
    [
        ('{"a": [true', True, Grade.GUESS),
        ('{"a": true', False, Grade.LOSSY),
        ('{"a": 12', True, Grade.GUESS),
        ('{"a": 12, "b"', True, Grade.LOSSY),
        ('{"a": [true\n```', False, Grade.LOSSY),
        ('{"a": [true</answer>', False, Grade.GUESS),
    ],
)
def test_missing_brackets_at_the_end_count_as_cut(text, finished, grade):
    """Unless the writer had finished, or closed what is around the value."""
    _, kinds = read(text, finished=finished)

    assert max(GRADES[kind] for kind in kinds) is grade


@pytest.mark.parametrize(
    "text",
    ["{name}", '{"a": f({})}', '{"a": <b>}', '{"a" ] 1}', "[" * 200, "[" + "1 " * 1000 + "]"],
)
def test_what_cannot_be_told_is_not_told(text):
    """Expressions, symbols, endless nesting and endless faults are given up."""
    with pytest.raises(MalformedJSONError):
        parse_leniently(text, 0)


def test_a_value_ends_where_its_bracket_does():
    """What follows the value is not looked at."""
    text = '{"a": 1,} and {more'

    assert parse_leniently(text, 0).end == 9


SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(
        lambda text: text[1:2] != ":"  # `C:` and a tab: could be the folder `C:\\temp`
    ),
)
KEY = st.text("abc_ é", max_size=6)
JSON = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=12,
)
CONTAINER = st.lists(JSON, max_size=4) | st.dictionaries(KEY, JSON, max_size=4)


@settings(max_examples=150, deadline=None)
@given(CONTAINER, st.sampled_from([None, 1]), st.booleans())
def test_standard_json_needs_no_repair(value, indent, ascii_only):
    """What is JSON is read as it is."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    assert read(text) == (value, [])


@settings(max_examples=150, deadline=None)
@given(CONTAINER)
def test_python_is_read_without_loss(value):
    """The `repr` of a value, with its quotes and constants, comes back as the value."""
    got, kinds = read(repr(value))

    assert got == value
    assert all(GRADES[kind] is Grade.LOSSLESS for kind in kinds)


@settings(max_examples=150, deadline=None)
@given(CONTAINER)
def test_comments_and_trailing_commas_lose_nothing(value):
    """Comments at the ends of lines and commas before brackets change no value."""
    lines = json.dumps(value, indent=1).split("\n")
    pairs = zip(lines, [*lines[1:], ""], strict=True)
    damaged = [
        line + ("," if after.strip()[:1] in {"]", "}"} and line[-1] not in "[{," else "") + " // x"
        for line, after in pairs
    ]
    got, kinds = read("\n".join(damaged))

    assert got == value
    assert all(GRADES[kind] is Grade.LOSSLESS for kind in kinds)


@settings(max_examples=200, deadline=None)
@given(st.text("{}[]()\"'`:;,.\\/*#+-0123 \n\t\u201cantrufleNx<|", max_size=60))
def test_any_text_is_read_or_refused(text):
    """Whatever follows a bracket, there is a value or a `MalformedJSONError`."""
    try:
        value, end, _ = parse_leniently("{" + text, 0)
    except MalformedJSONError:
        return
    assert isinstance(value, dict | list)
    assert 0 < end <= len(text) + 1
