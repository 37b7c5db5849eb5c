"""What an application says of its own exceptions goes for all that meets them."""

from __future__ import annotations

import pickle

import pytest
from pydantic import ValidationError

from langchain_control import (
    CircuitBreaker,
    ControlPolicy,
    FailureMode,
    FallbackRouter,
    RetryEngine,
    with_control,
)
from langchain_control.circuits import Outcome
from langchain_control.errors import CircuitOpen, classify
from langchain_control.testing import Reply, ScriptedChatModel
from tests.doors import DOORS
from tests.scenarios import AT_ONCE

CANNED = "Please try again later."


class GatewayError(Exception):
    """What the SDK of some company raises."""


class BusyError(GatewayError):
    """One of its kinds."""


class VeryBusyError(BusyError):
    """A kind of a kind."""


DECLARED = {GatewayError: "model_error", BusyError: "rate_limited", TimeoutError: "model_rejected"}
SAID = ControlPolicy(failure_modes=DECLARED).failure_modes


def because_of(cause):
    error = RuntimeError("wrapped")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("exc", "mode"),
    [
        (GatewayError(), FailureMode.MODEL_ERROR),
        (BusyError(), FailureMode.RATE_LIMITED),
        (VeryBusyError(), FailureMode.RATE_LIMITED),
        (TimeoutError(), FailureMode.MODEL_REJECTED),
        (because_of(BusyError()), FailureMode.RATE_LIMITED),
        (CircuitOpen("no"), FailureMode.NONE),
        (ConnectionError(), FailureMode.MODEL_ERROR),
        (KeyError(), None),
    ],
    ids=repr,
)
def test_the_nearest_type_decides(exc, mode):
    """Subclasses count, causes too; what nobody declared means what it always meant."""
    assert classify(exc, SAID) is mode


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        ({GatewayError: "modle_error"}, "modle_error"),
        ({GatewayError: "none"}, "GatewayError"),
        ({"GatewayError": "timeout"}, "failure_modes"),
        ({KeyboardInterrupt: "timeout"}, "KeyboardInterrupt"),
    ],
)
@pytest.mark.parametrize("kind", [ControlPolicy, RetryEngine, FallbackRouter, CircuitBreaker])
def test_what_is_no_failure_mode_is_refused_by_name(kind, declared, named):
    """So is what is no type of exceptions."""
    with pytest.raises(ValidationError, match=named):
        kind(failure_modes=declared)


def policy(**changes):
    fields = {
        "retry": RetryEngine(max_attempts=2, **AT_ONCE),
        "fallback": {"strategies": [("canned", CANNED)]},
        "failure_modes": DECLARED,
    }
    return ControlPolicy(**fields | changes)


def failing(exc):
    return ScriptedChatModel(script=lambda _: Reply(error=exc))


@pytest.mark.parametrize("door", DOORS)
def test_a_declared_exception_is_retried_and_then_answered_by_others(door):
    """It went past the retries and the fallback."""
    result = door(failing(GatewayError()), policy())

    assert [attempt["failure_mode"] for attempt in result.attempts] == ["model_error"] * 2
    assert result.message.text == CANNED


@pytest.mark.parametrize("door", DOORS)
def test_an_exception_that_nobody_declared_is_raised_on(door):
    """A bug stays a bug."""
    with pytest.raises(GatewayError):
        door(failing(GatewayError()), policy(failure_modes={}))


def test_a_declared_exception_opens_the_circuits_of_a_policy(call):
    """That of the model, and that of a model among the strategies."""
    models = failing(GatewayError()), failing(GatewayError())
    rules = policy(
        breaker=CircuitBreaker(failure_threshold=1), fallback={"strategies": [("b", models[1])]}
    )

    call(with_control(models[0], rules, include_result=True), "x")

    circuits = rules.breaker.snapshot().values()
    assert [circuit["state"] for circuit in circuits] == ["open", "open"]


def test_a_strategy_fails_by_what_was_declared(call):
    """Unless it is said, whatever a strategy raises is a `model_error`."""
    rules = policy(fallback={"strategies": [("other", failing(BusyError()))]})

    result = call(with_control(failing(GatewayError()), rules, include_result=True), "x")

    assert result.fallbacks[-1]["failure_mode"] == "rate_limited"


def test_a_policy_says_it_for_its_parts_until_it_is_changed():
    """What a part says for itself is kept."""
    own = CircuitBreaker(failure_modes={GatewayError: "timeout"})
    rules = policy(breaker=own)

    assert rules.breaker.failure_modes == own.failure_modes
    assert rules.fallback.failure_modes == rules.failure_modes
    assert rules.override(failure_modes={}).fallback.failure_modes == ()
    assert rules.override(fallback={"answer_blocked_input": True}).fallback.failure_modes == SAID


def test_a_policy_that_declares_exceptions_is_picklable():
    """Process pools carry types by their names."""
    assert pickle.loads(pickle.dumps(policy())).failure_modes == SAID


def test_components_of_their_own_take_it_too(call):
    """Around a Runnable as in a policy."""
    model, said = failing(GatewayError()), {"failure_modes": DECLARED}
    retrying = RetryEngine(max_attempts=3, **AT_ONCE, **said).wrap(model)
    answering = FallbackRouter(strategies=[("canned", CANNED)], **said).wrap(retrying)

    assert call(answering, "x").text == CANNED
    assert len(model.calls) == 3
    assert CircuitBreaker(**said).outcome_of(BusyError()) is Outcome.THROTTLED
