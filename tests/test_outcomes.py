"""What is wrong with an answer reads as one line."""

import json

import pytest

from langchain_control import ResponseValidator
from langchain_control.outcomes import Violation

EVIL = "a\n2026-01-01 all is well\x1b[2J\x9b\u202e"


@pytest.mark.parametrize(
    "violation",
    [
        Violation("type", "a number", path=f"/{EVIL}"),
        Violation("tool.unknown", "a call of `f`", EVIL),
        Violation("of.ones.own", EVIL),
    ],
    ids=["path", "found", "expected"],
)
def test_a_violation_reads_as_one_line(violation):
    """Keys and excerpts are a model's: they forged lines of a log, and drove terminals."""
    assert str(violation).isprintable()
    assert "\\n2026-01-01 all is well\\x1b[2J\\x9b\\u202e" in str(violation)


def test_what_a_model_calls_its_keys_does_not_break_the_line():
    """The path itself is data, and leads to the place in the answer."""
    schema = {"additionalProperties": {"type": "integer"}}
    answer = json.dumps({EVIL: "x"})

    [violation] = ResponseValidator(response_schema=schema).inspect(answer).violations

    assert violation.path == f"/{EVIL}"
    assert str(violation).isprintable()
