"""Asking one strategy."""

import pytest
from langchain_core.messages import HumanMessage
from langgraph import errors as graph_errors
from langgraph.errors import GraphInterrupt

from langchain_control._effects import Call, run
from langchain_control.strategies import FallbackRequest
from langchain_control.strategies.asking import AnyAnswer, ask

REQUEST = FallbackRequest((HumanMessage("Why?"),), request_id="r1")


def asked(error):
    """Ask a strategy that raises."""

    def strategy(question):
        raise error

    def make_call(runnable, given):
        return Call(runnable, given, None)

    return run(ask("strategy", strategy, REQUEST, AnyAnswer(), make_call))


def test_what_a_strategy_raises_is_an_outcome():
    """Its error stays inside, by name only."""
    assert str(asked(KeyError("secret")).tried) == "`strategy` crashed (KeyError)"


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
