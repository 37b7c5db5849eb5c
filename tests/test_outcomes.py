"""What a request or a gate hands back, and how it reads."""

import json

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_control import ResponseValidator
from langchain_control.errors import AttemptsExhausted
from langchain_control.outcomes import (
    ControlResult,
    FailureMode,
    Finding,
    Scores,
    Violation,
    failure,
)

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


def test_a_message_that_says_why_there_is_no_answer_is_none():
    """A run without an answer ends in a message, too; unwrapped, it is an error."""
    result = ControlResult(status="exhausted", message=AIMessage("Please try again later."))

    with pytest.raises(AttemptsExhausted):
        result.unwrap()


@pytest.mark.parametrize(
    ("status", "model"), [("accepted", "larger"), ("fallback", "stand-in"), ("exhausted", None)]
)
def test_the_model_is_the_one_that_answered(status, model):
    """Those that were asked before it, and failed, did not."""
    result = ControlResult(
        status=status,
        attempts=({"model": "small"}, {"model": "larger"}),
        fallbacks=({"model": "other"}, {"model": "stand-in"}),
    )

    assert result.model == model


def test_notes_are_those_of_the_last_attempt():
    """What an earlier prompt left out is no news of this answer."""
    attempts = ({"notes": ["context_cut"]}, {"notes": ["extracted"]})

    assert ControlResult(status="accepted", attempts=attempts).notes == ("extracted",)
    assert ControlResult(status="rejected").notes == ()


def test_a_failure_scores_nothing():
    """Unless its gate has measured how far the value was from right."""
    assert failure(FailureMode.REFUSAL, "no").score == 0
    assert failure(FailureMode.REFUSAL, "no", score=0.5).score == 0.5


def test_a_result_out_of_a_checkpoint_is_the_one_that_was_kept():
    """MessagePack has no tuples: it came back with lists, and was another one."""
    types = [ControlResult, FailureMode, Scores, Violation, Finding]
    serializer = JsonPlusSerializer(allowed_msgpack_modules=types)
    result = ControlResult(
        "rejected",
        failure_mode=FailureMode.PROMPT_INJECTION,
        violations=(Violation("required", "a name"),),
        findings=(Finding("a", "LLM01", span=(0, 3)), Finding("b", "LLM01")),
    )

    kept = serializer.loads_typed(serializer.dumps_typed(result))

    assert kept == result
    assert hash(kept.findings) == hash(result.findings)
