"""Asking one strategy."""

import json

import pytest
from langchain_core.messages import HumanMessage
from langgraph import errors as graph_errors
from langgraph.errors import GraphInterrupt
from pydantic import BaseModel, SecretStr

from langchain_control._effects import Call, run
from langchain_control.components.validator import ResponseValidator
from langchain_control.errors import CircuitOpen
from langchain_control.outcomes import ControlResult, FailureMode
from langchain_control.strategies import FallbackRequest
from langchain_control.strategies.asking import AnyAnswer, answering, ask


class Login(BaseModel):
    """An object with a secret."""

    token: SecretStr


REQUEST = FallbackRequest((HumanMessage("Why?"),), request_id="r1")


def asked(error):
    """Ask a strategy that raises."""

    def strategy(question):
        raise error

    return run(ask(answering("strategy", strategy, REQUEST, {}, Call), AnyAnswer()))


def test_what_a_strategy_raises_is_an_outcome():
    """Its error stays inside, by name only."""
    outcome, _, verdict, *_ = asked(KeyError("secret"))

    assert (outcome, verdict.message) == ("crashed", "KeyError")


def test_a_call_that_was_not_allowed_is_no_crash():
    """A strategy whose circuit is open was not asked; its own words say so, and when it may be."""
    result = ControlResult(
        status="rejected",
        failure_mode=FailureMode.CIRCUIT_OPEN,
        reason="the circuit is open",
        retry_after=7.0,
    )

    outcome, _, verdict, *_ = asked(CircuitOpen(result=result))

    assert (outcome, verdict.failure_mode) == ("refused", FailureMode.CIRCUIT_OPEN)
    assert (verdict.message, verdict.retry_after) == ("the circuit is open", 7.0)


def test_an_interrupt_gets_out():
    """A strategy may ask a person."""
    with pytest.raises(GraphInterrupt):
        asked(GraphInterrupt())


def test_an_invalid_resume_gets_out(monkeypatch):
    """An answer of that person that fits no interrupt is not the strategy's failure."""

    def is_invalid_resume(exc):
        return isinstance(exc, KeyError)

    monkeypatch.setattr(graph_errors, "is_invalid_resume", is_invalid_resume, raising=False)
    with pytest.raises(KeyError):
        asked(KeyError())


@pytest.mark.parametrize(
    ("contract", "token"),
    [
        (AnyAnswer(), "**********"),
        (ResponseValidator(response_schema={"type": "object"}), "**********"),
        (ResponseValidator(response_schema=Login), "abc"),
    ],
)
def test_a_secret_is_written_only_for_a_contract_that_reads_a_type(contract, token):
    """A person who reads the answer saw what the application had masked."""
    strategy = answering("strategy", lambda question: Login(token="abc"), REQUEST, {}, Call)

    judged = run(ask(strategy, contract))

    assert json.loads(judged.reply.text) == {"token": token}
