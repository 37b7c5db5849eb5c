"""The tree of errors that an application meets."""

import pickle

import pytest
from langchain_core.exceptions import LangChainException, OutputParserException
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import RetryPolicy

from langchain_control import errors
from langchain_control.errors import (
    AnswersRejected,
    AttemptsExhausted,
    BudgetExceeded,
    CircuitOpen,
    ControlError,
    InputRejected,
    RateLimited,
    ResponseRejected,
    classify,
    error_for,
    rejection,
)
from langchain_control.outcomes import ControlResult, FailureMode, Finding, Violation, failure

TOO_MANY = ControlResult(
    status="rejected", failure_mode=FailureMode.RATE_LIMITED, reason="too many"
)
KINDS = [getattr(errors, name) for name in errors.__all__ if name[0].isupper()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_every_error_is_one_of_the_family(kind):
    """One `except ControlError` catches all of them; so does LangChain's own base."""
    assert issubclass(kind, ControlError)
    assert issubclass(kind, LangChainException)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_a_node_with_a_retry_policy_does_not_repeat_a_controlled_request(kind):
    """An attack was judged three times, and three attempts became nine."""
    runs = []

    def answer(_):
        runs.append(kind)
        raise kind

    builder = StateGraph(MessagesState)
    builder.add_node("answer", answer, retry_policy=RetryPolicy(initial_interval=0))
    builder.add_edge(START, "answer")

    with pytest.raises(kind):
        builder.compile().invoke({"messages": []})
    assert runs == [kind]


def test_a_rejected_answer_is_an_error_of_a_parser():
    """Handlers written for LangChain's parsers recognize it, and get no model output from it."""
    error = ResponseRejected("no")

    assert isinstance(error, OutputParserException)
    assert (error.llm_output, error.observation, error.send_to_llm) == (None, None, False)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_an_error_carries_its_result(kind):
    """Failure mode and reason are those of the result, and it means what it says."""
    result = ControlResult(
        status="rejected", failure_mode=FailureMode.RATE_LIMITED, reason="too many"
    )
    error = kind(result=result)

    assert (error.result, error.failure_mode, str(error)) == (
        result,
        FailureMode.RATE_LIMITED,
        "too many",
    )
    assert classify(error) is FailureMode.RATE_LIMITED


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_an_error_survives_pickling(kind):
    """Process pools hand it on with its result."""
    result = ControlResult(
        status="rejected", failure_mode=FailureMode.RATE_LIMITED, reason="too many"
    )
    copy = pickle.loads(pickle.dumps(kind(result=result)))

    assert type(copy) is kind
    assert (copy.result, str(copy)) == (result, "too many")


def test_an_error_may_be_made_of_a_message():
    """Whoever raises one by hand need not build a result."""
    error = InputRejected("not today")

    assert (str(error), error.result.reason, error.result.status) == (
        "not today",
        "not today",
        "rejected",
    )


@pytest.mark.parametrize(
    ("status", "mode", "step", "kind"),
    [
        ("rejected", FailureMode.PROMPT_INJECTION, "guard", InputRejected),
        ("rejected", FailureMode.CONSTRAINT_VIOLATION, "guard", InputRejected),
        ("rejected", FailureMode.TOKEN_OVERFLOW, "guard", InputRejected),
        ("rejected", FailureMode.TOKEN_OVERFLOW, "build", BudgetExceeded),
        ("rejected", FailureMode.RATE_LIMITED, "guard", RateLimited),
        ("exhausted", FailureMode.RATE_LIMITED, "call", AttemptsExhausted),
        ("exhausted", FailureMode.CIRCUIT_OPEN, "call", CircuitOpen),
        ("exhausted", FailureMode.TIMEOUT, "call", AttemptsExhausted),
        ("exhausted", FailureMode.SCHEMA_VIOLATION, "validate", AnswersRejected),
        ("exhausted", FailureMode.DEADLINE_EXCEEDED, "validate", AttemptsExhausted),
        ("exhausted", FailureMode.REFUSAL, "call", AttemptsExhausted),
    ],
)
def test_a_failed_result_has_its_error(status, mode, step, kind):
    """How a run ended decides what its caller can catch."""
    result = ControlResult(status=status, failure_mode=mode, step=step)

    assert type(error_for(result)) is kind


@pytest.mark.parametrize("kind", [CircuitOpen, RateLimited])
def test_some_errors_say_when_to_come_back(kind):
    """A web application can answer with `Retry-After` itself."""
    assert kind(result=ControlResult(status="rejected", retry_after=4.0)).retry_after == 4.0
    assert kind("now").retry_after is None


def test_a_rejection_keeps_the_verdict():
    """What a gate found is in the error it raises."""
    verdict = failure(
        FailureMode.SCHEMA_VIOLATION,
        "a key is missing",
        violations=(Violation("required", "the key `a`"),),
        findings=(Finding("override", "LLM01"),),
    )

    error = rejection(verdict, ResponseRejected)

    assert str(error) == "a key is missing"
    assert error.result.violations == verdict.violations
    assert error.result.findings == verdict.findings
