"""A call may be given up before its time limit."""

import asyncio
import threading

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_control import CircuitBreaker, ControlPolicy, FallbackRouter, with_control
from langchain_control._effects import Call, arun, run
from langchain_control._threads import BoundedThreads
from langchain_control._waiting import waits
from langchain_control.circuits.failure_window import FailureWindow


@pytest.fixture
def hang():
    """Hang until the test is over, sync and async."""
    over = threading.Event()

    async def ahang(value):
        await asyncio.Event().wait()

    yield RunnableLambda(lambda value: over.wait(), afunc=ahang)
    over.set()


def perform(flow, how):
    return run(flow) if how == "sync" else asyncio.run(arun(flow))


def patient_call(runnable, patience, timeout_seconds=30.0):
    answer = yield Call(runnable, "hi", None, timeout_seconds, BoundedThreads(2), patience)
    return answer


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_call_ends_with_patience(how, hang):
    """When patience ends, the call fails as if its time were over, long before it is."""
    steps = iter([0.001, 0.001, 0.0])
    with pytest.raises(TimeoutError):
        perform(patient_call(hang, lambda: next(steps)), how)
    assert list(steps) == []


@pytest.mark.parametrize("how", ["sync", "async"])
def test_an_answer_is_not_kept_waiting(how):
    """A call that answers is not asked about again."""
    asked = []

    def patience():
        asked.append(1)
        return 10.0

    assert perform(patient_call(RunnableLambda(lambda value: value), patience), how) == "hi"
    assert len(asked) == 1


@pytest.mark.parametrize("how", ["sync", "async"])
def test_patience_does_not_outlast_the_limit(how, hang):
    """However patient, a call ends with its time limit."""
    with pytest.raises(TimeoutError):
        perform(patient_call(hang, lambda: 10.0, timeout_seconds=0.01), how)


def test_without_patience_there_is_one_wait():
    """The limit itself is the only wait."""
    assert list(waits(3.0)) == [3.0]
    assert list(waits(-1.0)) == [0.0]


def test_no_wait_is_longer_than_what_is_left():
    """The last wait ends with the limit."""
    assert next(waits(0.5, lambda: 10.0)) == pytest.approx(0.5, abs=0.1)


def test_a_policy_gives_late_calls_up_for_its_fallback(call, hang):
    """With the circuit open a user gets the fallback's answer long before the timeout."""
    policy = ControlPolicy(
        breaker=CircuitBreaker(
            failure_threshold=1,
            window=FailureWindow(slow_seconds=0.02, min_silence_seconds=0),
            give_up_late_calls=True,
        ),
        fallback=FallbackRouter(strategies=[("canned", lambda question: "come back later")]),
        timeout_seconds=600.0,
    )
    result = call(with_control(hang, policy, include_result=True), "hi")
    assert result.strategy == "fallback:canned"
    assert result.attempts[0]["failure_mode"] == "timeout"
    assert policy.breaker.state(result.attempts[0]["model"]) == "open"
