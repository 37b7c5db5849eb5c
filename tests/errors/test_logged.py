"""What the application's own log says of exceptions that become values."""

import logging

import pytest

from langchain_control.errors.logged import log_failure

LOGGER = "langchain_control"


def failed():
    """An exception that was raised, with content in its text."""
    with pytest.raises(KeyError) as caught:
        {}["said in confidence"]
    return caught.value


def test_the_log_names_what_failed_and_where(caplog):
    """Type and place lead to a bug; the text may be a user's."""
    with caplog.at_level(logging.INFO, LOGGER):
        log_failure("the tool `t`", failed())

    [record] = caplog.records
    line = record.getMessage()
    assert record.levelno == logging.WARNING
    assert line.startswith(f"the tool `t` failed with `KeyError` in `failed` ({__file__}:")
    assert "confidence" not in caplog.text


def test_who_debugs_sees_the_text(caplog):
    """A developer asks for it by the level of the logger."""
    with caplog.at_level(logging.DEBUG, LOGGER):
        log_failure("the tool `t`", failed())

    assert "said in confidence" in caplog.text


def test_an_exception_that_was_never_raised_has_no_place(caplog):
    """Some are set on a future."""
    log_failure("it", TimeoutError())

    assert caplog.messages == ["it failed with `TimeoutError`"]


def test_a_name_does_not_break_the_line(caplog):
    """Tools and models have names from outside: one forged a line of its own."""
    log_failure("the tool `t\n2026-01-01 all is well\x1b[2J\x9b`", TimeoutError())

    assert caplog.messages == [
        "the tool `t\\n2026-01-01 all is well\\x1b[2J\\x9b` failed with `TimeoutError`"
    ]
