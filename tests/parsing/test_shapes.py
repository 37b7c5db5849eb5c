"""Wrappings around a value that nobody asked for."""

import pytest

from langchain_control.parsing.shapes import unwrap


def needs_a(value):
    """Ask for an object with an `a`."""
    return isinstance(value, dict) and "a" in value


def any_object(value):
    """Ask for an object, and for nothing in it."""
    return isinstance(value, dict)


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ('{"a": 1}', "json_in_string"),
        ({"result": {"a": 1}}, "envelope"),
        ({"Data": {"a": 1}}, "envelope"),
        ({"invoice": {"a": 1}}, "envelope"),
        ({"type": "object", "properties": {"a": 1}}, "schema_echo"),
        ({"type": "object", "properties": {"a": 1}, "required": ["a"]}, "schema_echo"),
        ({"name": "submit", "arguments": {"a": 1}}, "tool_call_wrapper"),
        ({"name": "submit", "arguments": '{"a": 1}'}, "tool_call_wrapper"),
    ],
)
def test_a_known_wrapping_is_taken_off_and_told(value, note):
    """What is inside goes on, with a note."""
    assert unwrap(value, needs_a, names={"a"}, titles={"Invoice"}) == ({"a": 1}, note)


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"a": 1}},
        {"result": {"b": 1}},
        {"result": {"a": 1}, "more": 2},
        {"error": {"a": 1}},
        {"type": "object", "properties": {"a": {"type": "integer"}}},
        {"type": "object", "properties": {"a": 1}, "id": 7},
        "no JSON",
        r'{"a": "\ud800"}',
        42,
    ],
)
def test_everything_else_stays_as_it_is(value):
    """A value that is accepted, whose inside is not, or whose wrapping says something."""
    assert unwrap(value, needs_a, names={"a"}) is None


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"result": {"a": 1}}, "result"),
        ({"type": "object", "properties": {"a": 1}}, "properties"),
        ({"name": "submit", "arguments": {"a": 1}}, "arguments"),
    ],
)
def test_a_property_is_no_wrapping(value, place):
    """What stands under a key that the contract names is the value of that property."""

    def needs_only_a(value):
        return isinstance(value, dict) and set(value) == {"a"}

    assert unwrap(value, needs_only_a, names={"a"}) is not None
    assert unwrap(value, needs_only_a, names={"a", place}) is None


@pytest.mark.parametrize("value", ['{"b": 1}', '"7"', "7", "[1]"])
@pytest.mark.parametrize("names", [set(), {"a"}])
def test_what_could_be_anything_is_not_taken_out(value, names):
    """A contract that an object meets by chance does not make it the answer."""
    assert unwrap(value, lambda inner: not isinstance(inner, str), names=names) is None
    assert unwrap([value], any_object, names=names) is None
