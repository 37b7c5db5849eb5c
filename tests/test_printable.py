"""Texts that take one line and do nothing to a terminal."""

import pytest

from langchain_control._printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain: é 日本 😀", "plain: é 日本 😀"),
        ("a\nb\r\t", "a\\nb\\r\\t"),
        ("\x1b[31m\x9b2J", "\\x1b[31m\\x9b2J"),
        ("\u202eevil\u2028", "\\u202eevil\\u2028"),
        ("\ud83d", "\\ud83d"),
    ],
)
def test_what_nobody_sees_is_written_out(text, shown):
    """Everything else stays as it is."""
    assert printable(text) == shown
