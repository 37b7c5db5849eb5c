"""What models are called, by those who choose them and by those who serve them."""

import pytest
from langchain_core.messages import AIMessage

from langchain_control.models.names import name_behind, named_in


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini", None),
        ("gpt-4o-mini-2024-07-18", None),
        ("gpt-4-0613", "gpt-4"),
        ("gpt-4-32k", None),
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-3-5", None),
        ("claude-sonnet-4-5-20250929", None),
        ("claude-sonnet-4-1-2025-08-05", None),
        ("gemini@20261123", "gemini"),
        ("gemini-05-20", "gemini"),
        ("gemini-08-2024", "gemini"),
        ("gemini-240806", "gemini"),
        ("", None),
    ],
)
def test_a_dated_snapshot_is_its_model(name, expected):
    """Anything else behind the name makes another model."""
    known = ["gpt-4o", "gpt-4", "claude-sonnet-4", "claude-3", "gemini"]

    assert named_in(name, known) == expected


def test_the_longest_name_wins():
    """Who names a snapshot means it."""
    assert named_in("a-2024-01-02", ["a", "a-2024-01-02", "a-2024"]) == "a-2024-01-02"


@pytest.mark.parametrize(
    "name", ["", None, 5, True, ["a"], {"a": 1}, b"a", "a\nb", "a\x9b", "a" * 501]
)
def test_what_is_no_name_is_not_reported(name):
    """It raised an `AttributeError` where prices were looked up by it, or broke lines of a log."""
    assert name_behind(AIMessage("x", response_metadata={"model_name": name})) is None


def test_a_provider_names_its_model():
    """What did not answer has none."""
    assert name_behind(AIMessage("x", response_metadata={"model_name": "a"})) == "a"
    assert name_behind(AIMessage("x")) is None
    assert name_behind(None) is None
