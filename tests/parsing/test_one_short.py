"""Objects that lack nothing but their last bracket, and all that must not be taken for one."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from langchain_control.parsing import RepairPolicy, one_bracket_short

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=4)


@given(OBJECTS, st.data(), st.booleans())
def test_what_broke_off_elsewhere_is_never_completed(value, data, indented):
    """Of all beginnings of an object, a value comes from the one that holds everything."""
    text = json.dumps(value, indent=2 if indented else None)
    cut = data.draw(st.integers(0, len(text) - 1))
    found = one_bracket_short(text[:cut], value.keys(), RepairPolicy.LENIENT)

    assert found is None or json.dumps(found.value) == json.dumps(value)


@given(OBJECTS)
def test_the_bracket_alone_is_forgiven(value):
    """Every object is read without it, unless what ends it might have gone on."""
    last = list(value.values())[-1]
    assume(isinstance(last, bool) or not isinstance(last, int | float))
    assume(not isinstance(last, str) or (last and last[-1].isalnum() and last.isascii()))
    found = one_bracket_short(json.dumps(value)[:-1], value.keys(), RepairPolicy.LENIENT)

    assert found is not None
    assert json.dumps(found.value) == json.dumps(value)
    assert found.notes == ("repaired", "repair:missing_closer")


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ('{"a": "x"', ()),
        ('{"a": "x"', ("a", "b")),
        ('{"a": 1', ("a",)),
        ('{"a": "x",', ("a",)),
        ('{"a": {"a": "x"', ("a",)),
        ('{"a": ["x"', ("a",)),
        ('[{"a": "x"}', ("a",)),
        ('{"a": "x", "a": "y"', ("a",)),
        ('{"a": "x"}', ("a",)),
        ("{'a': 'x'", ("a",)),
        ('{"a": "he said "x"', ("a",)),
        ('{"a": "he said "', ("a",)),
        ('{"a": ""', ("a",)),
        ('{"a": "x:"', ("a",)),
        ('He said {"a": "x"', ("a",)),
        ('{"a": "y"} or {"a": "x"', ("a",)),
    ],
)
def test_nothing_else_is_forgiven_along_with_it(text, members):
    """Members that are missing, what may go on, other brackets, other damage, other words."""
    assert one_bracket_short(text, frozenset(members)) is None


@pytest.mark.parametrize("policy", RepairPolicy)
def test_it_is_a_guess_to_every_policy(policy):
    """Where only certain repairs may stand, it may not."""
    found = one_bracket_short('{"a": "x"', {"a"}, policy)

    assert (found is not None) is (policy in {RepairPolicy.AGREED, RepairPolicy.LENIENT})
