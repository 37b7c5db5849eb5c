"""Another model as a strategy: its circuit, its limit, and what they make of its calls."""

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelAPIError
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from langchain_control import CircuitBreaker, RateLimiter
from langchain_control._effects import Call, Emit, Ready
from langchain_control.errors import CircuitOpen, RateLimited
from langchain_control.stores import InMemoryRateStore
from langchain_control.strategies import other_model
from langchain_control.testing import ManualClock, Reply, ScriptedChatModel
from tests.cancellation import cancelled_at_every_wait


@pytest.fixture
def clock():
    """The time of limits."""
    return ManualClock()


def limited(clock, **settings):
    """A limiter on the clock that holds one minute's worth."""
    return RateLimiter(store=InMemoryRateStore(clock=clock), **settings)


def test_a_limit_that_is_used_up_costs_no_call(call, clock):
    """The limit refuses, and says until when."""
    model = ScriptedChatModel(script=["one"])
    backup = other_model(model, limiter=limited(clock, requests_per_minute=1))

    call(backup, "Why?")
    with pytest.raises(RateLimited) as refused:
        call(backup, "Why?")

    assert refused.value.retry_after == 60
    assert len(model.calls) == 1


def test_the_limit_is_told_what_an_answer_used(call, clock):
    """Tokens that were estimated and not needed are there for the next call."""
    model = ScriptedChatModel(script=[Reply("hi", input_tokens=4, output_tokens=6)] * 2)
    limiter = limited(clock, tokens_per_minute=120, answer_tokens=100)

    backup = other_model(model, limiter=limiter)

    assert [call(backup, "Why?").text for _ in range(2)] == ["hi", "hi"]


@pytest.mark.parametrize("reported", [None, -(10**6), 10**15, float("nan")])
def test_what_is_not_reported_stays_as_it_was_estimated(call, clock, reported):
    """An answer without a report that counts does not switch the limit off, or use it up."""
    answer = AIMessage("hi")
    answer.usage_metadata = reported and {"total_tokens": reported}
    model = ScriptedChatModel(script=[answer] * 3, usage=False)
    limiter = limited(clock, tokens_per_minute=120, estimate_tokens=lambda _: 100)
    backup = other_model(model, limiter=limiter)

    call(backup, "Why?")
    with pytest.raises(RateLimited) as refused:
        call(backup, "Why?")

    assert refused.value.retry_after == pytest.approx(40)


def test_a_text_stays_as_it_was_estimated(call, clock):
    """It reports nothing: settled as if it had used nothing, no call was ever refused."""
    limiter = limited(clock, tokens_per_minute=120, estimate_tokens=lambda _: 100)
    backup = other_model(RunnableLambda(lambda _: "hi"), limiter=limiter)

    call(backup, "Why?")
    with pytest.raises(RateLimited) as refused:
        call(backup, "Why?")

    assert refused.value.retry_after == pytest.approx(40)


def test_an_answer_from_a_cache_used_no_tokens(call, clock):
    """No model was called for it: what was estimated is there for the next call."""
    answer = AIMessage("hi")
    answer.usage_metadata = {"total_tokens": 100, "total_cost": 0}
    limiter = limited(clock, tokens_per_minute=120, estimate_tokens=lambda _: 100)
    backup = other_model(RunnableLambda(lambda _: answer), limiter=limiter)

    assert [call(backup, "Why?").text for _ in range(2)] == ["hi", "hi"]


def test_a_failed_call_used_no_tokens(call, clock):
    """Nor does an error keep what was reserved for its answer."""
    model = ScriptedChatModel(script=[ModelAPIError(), "hi"])
    backup = other_model(model, limiter=limited(clock, tokens_per_minute=120, answer_tokens=100))

    with pytest.raises(ModelAPIError):
        call(backup, "Why?")

    assert call(backup, "Why?").text == "hi"


def test_an_open_circuit_takes_no_room_of_the_limit(call, clock):
    """What is not called is not counted."""
    breaker = CircuitBreaker()
    backup = other_model(
        ScriptedChatModel(script=["hi"]),
        breaker=breaker,
        limiter=limited(clock, requests_per_minute=1),
    )

    breaker.open()
    with pytest.raises(CircuitOpen):
        call(backup, "Why?")
    breaker.reset()

    assert call(backup, "Why?").text == "hi"


def test_a_half_open_circuit_gives_the_room_back(call, clock):
    """A circuit that waits for its probe refuses after the limit was asked, which gets it back."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_seconds=0.000_001)
    breaker.record(breaker.acquire(), breaker.outcome_of(TimeoutError()))
    probe = breaker.acquire()
    backup = other_model(
        ScriptedChatModel(script=["hi"]),
        breaker=breaker,
        limiter=limited(clock, requests_per_minute=1),
    )

    with pytest.raises(CircuitOpen):
        call(backup, "Why?")
    breaker.release(probe)

    assert call(backup, "Why?").text == "hi"


def test_cancelled_at_any_wait_it_leaves_nothing_behind(clock):
    """Neither the probe of a half-open circuit nor more of the limit than the request itself."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_seconds=0.000_001)
    limiter = limited(clock, tokens_per_minute=120, answer_tokens=100)
    model = ScriptedChatModel(script=lambda _: Reply("hi", input_tokens=1, output_tokens=1))
    backup = other_model(model, breaker=breaker, limiter=limiter)
    listened = {"callbacks": [BaseCallbackHandler()]}

    breaker.record(breaker.acquire(), breaker.outcome_of(TimeoutError()))
    breaker.release(breaker.acquire())
    waits = []
    for wait in cancelled_at_every_wait(lambda: backup.called("Why?", listened)):
        breaker.release(breaker.acquire())
        waits.append(wait)

    assert waits == [Ready, Call, Emit]
    assert limiter.inspect("Why?").passed


def test_arguments_reach_the_model(call):
    """What is bound to the strategy is bound to its model."""
    model = ScriptedChatModel(script=["hi"])

    assert call(other_model(model).bind(stop=["x"]), "Why?").text == "hi"


def test_its_repr_names_the_model():
    """No key and no address of the model shows."""
    assert repr(other_model(ScriptedChatModel(script=[]))) == "other_model(ScriptedChatModel)"
