"""The breaker around a plain function or coroutine function."""

import asyncio
import inspect

import pytest

from langchain_control.circuits import CircuitState, Outcome, Permit, Refusal
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.errors import CircuitOpen
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.testing import ManualClock
from tests.components.breaker_kit import Provider, ThrottledError, open_circuit


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(
        failure_threshold=2, recovery_seconds=30, store=InMemoryCircuitStore(clock=clock)
    )


@pytest.fixture(params=["sync", "async"])
def protected(request, breaker):
    """Return a function that calls a provider behind the breaker, of either kind."""

    def protect(provider):
        if request.param == "sync":
            return breaker.protect(provider)

        async def answer(value):
            return provider(value)

        guarded = breaker.protect(answer)
        return lambda value: asyncio.run(guarded(value))

    return protect


def test_hands_on_what_goes_in_and_comes_out(breaker):
    """Arguments, the answer and the function's own name stay as they are."""

    @breaker.protect
    def add(one, *, other):
        """Add."""
        return one + other

    assert add(1, other=2) == 3
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    assert list(inspect.signature(add).parameters) == ["one", "other"]


def test_refuses_without_a_call_once_open(protected):
    """Failures count, and once there are enough nothing is called any more."""
    provider = Provider(TimeoutError())
    ask = protected(provider)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            ask("hi")
    with pytest.raises(CircuitOpen) as refused:
        ask("hi")
    assert provider.calls == 2
    assert refused.value.retry_after == pytest.approx(30)


def test_closes_after_a_good_probe(protected, breaker, clock):
    """An answer is a success, also for a probe."""
    open_circuit(breaker)
    clock.advance(30)
    assert protected(Provider())("hi") == "hi"
    assert breaker.state() is CircuitState.CLOSED


def test_a_success_ends_a_run(protected, breaker):
    """Only failures in a row open the circuit."""
    for _ in range(5):
        with pytest.raises(TimeoutError):
            protected(Provider(TimeoutError()))("hi")
        protected(Provider())("hi")
    assert breaker.state() is CircuitState.CLOSED


def test_a_bug_counts_as_nothing(protected, breaker, clock):
    """An error of ours says nothing about the provider, and gives a probe's slot back."""
    open_circuit(breaker)
    clock.advance(30)
    with pytest.raises(ZeroDivisionError):
        protected(Provider(ZeroDivisionError()))("hi")
    assert isinstance(breaker.try_acquire(), Permit)


def test_retry_after_opens_the_circuit_for_that_long(protected, breaker):
    """A provider that names a time is left alone until then."""
    with pytest.raises(ThrottledError):
        protected(Provider(ThrottledError({"retry-after": "7"})))("hi")
    assert breaker.try_acquire().retry_after == pytest.approx(7)


def test_changes_are_told(breaker, clock):
    """The listener hook hears what a protected call has changed."""
    heard = []
    ask = breaker.override(on_change=heard.append).protect(Provider())
    open_circuit(breaker)
    clock.advance(30)
    ask("hi")
    assert [change.after.value for change in heard] == ["half_open", "closed"]


async def test_a_cancelled_call_counts_as_nothing(breaker, clock):
    """Cancelling a probe gives its slot to the next caller."""
    open_circuit(breaker)
    clock.advance(30)
    entered = asyncio.Event()

    @breaker.protect
    async def hang():
        entered.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await entered.wait()
    assert isinstance(breaker.try_acquire(), Refusal)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(breaker.try_acquire(), Permit)


async def test_an_object_whose_call_is_async_is_awaited(breaker):
    """Success is an answer, not the making of a coroutine."""

    class Client:
        async def __call__(self):
            raise TimeoutError

    ask = breaker.protect(Client().__call__), breaker.protect(Client())
    for guarded in ask:
        with pytest.raises(TimeoutError):
            await guarded()
    assert breaker.state() is CircuitState.OPEN


def test_generator_functions_are_refused(breaker):
    """Their call runs nothing yet, so that it would always count as a success."""

    def stream():
        yield 1

    async def astream():
        yield 1

    for function in (stream, astream):
        with pytest.raises(TypeError, match="not a generator function"):
            breaker.protect(function)


def test_a_success_is_not_classified(breaker, monkeypatch):
    """The way of a good answer asks nothing about failures, nor what time it is."""
    asked = []
    monkeypatch.setattr(CircuitBreaker, "outcome_of", lambda *_: asked.append(1) or Outcome.IGNORED)
    clock = ManualClock()
    store = InMemoryCircuitStore(clock=lambda: asked.append("time") or clock())
    ask = breaker.override(store=store).protect(Provider())
    ask("the circuit is made")
    asked.clear()
    ask("hi")
    assert asked == []
