"""Wrappings around a value that nobody asked for."""

import pytest

from langchain_control.parsing.shapes import unwrap


def accepts(value):
    """Ask for an object with an `a`."""
    return isinstance(value, dict) and "a" in value


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ('{"a": 1}', "json_in_string"),
        ({"result": {"a": 1}}, "envelope"),
        ({"type": "object", "properties": {"a": 1}}, "schema_echo"),
        ({"name": "submit", "arguments": {"a": 1}}, "tool_call_wrapper"),
        ({"name": "submit", "arguments": '{"a": 1}'}, "tool_call_wrapper"),
    ],
)
def test_a_known_wrapping_is_taken_off_and_told(value, note):
    """What is inside goes on, with a note."""
    assert unwrap(value, accepts) == ({"a": 1}, note)


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"a": 1}},
        {"result": {"b": 1}},
        {"result": {"a": 1}, "more": 2},
        "no JSON",
        r'{"a": "\ud800"}',
        42,
    ],
)
def test_everything_else_stays_as_it_is(value):
    """A value that is accepted, or whose inside is not, is left alone."""
    assert unwrap(value, accepts) is None
