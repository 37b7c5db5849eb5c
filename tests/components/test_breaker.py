"""The breaker around a Runnable, alone in a chain, and by hand."""

import asyncio
import itertools
import threading
from contextlib import suppress

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.errors import GraphBubbleUp

from langchain_control._effects import Call, Emit, Ready
from langchain_control.circuits import CircuitState, Outcome, Permit, Refusal
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.errors import CircuitOpen, ResponseRejected
from langchain_control.outcomes import ControlResult, FailureMode
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.testing import ManualClock, ScriptedChatModel
from tests.cancellation import cancelled_at_every_wait
from tests.components.breaker_kit import Provider, ThrottledError, fail, open_circuit

LISTENED = {"callbacks": [BaseCallbackHandler()]}
"""A config on which events are sent."""


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(
        failure_threshold=2, recovery_seconds=30, store=InMemoryCircuitStore(clock=clock)
    )


# --- around a Runnable ----------------------------------------------------------------------------


def test_refuses_without_a_call_once_open(breaker, call):
    """With the circuit open the provider hears nothing, and the caller learns when to return."""
    provider = Provider(TimeoutError())
    guarded = breaker.wrap(provider)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            call(guarded, "hi")
    with pytest.raises(CircuitOpen) as refused:
        call(guarded, "hi")
    assert provider.calls == 2
    assert refused.value.retry_after == pytest.approx(30)
    assert refused.value.failure_mode is FailureMode.CIRCUIT_OPEN


def test_an_answer_from_a_cache_says_nothing_of_the_provider(breaker, clock, call):
    """It closes no circuit, and ends no run of failures."""
    cache = InMemoryCache()
    model = ScriptedChatModel(script=["fine", *[TimeoutError()] * 2, "well"], cache=cache)
    guarded = breaker.wrap(model)
    for question in ("known", "one", "known", "two"):
        with suppress(TimeoutError):
            call(guarded, question)
    assert breaker.state() is CircuitState.OPEN

    clock.advance(30)
    assert call(guarded, "known").text == "fine"
    assert breaker.state() is CircuitState.HALF_OPEN
    assert call(guarded, "new").text == "well"
    assert breaker.state() is CircuitState.CLOSED


def test_closes_after_a_good_probe(breaker, clock, call):
    """After the open time one good answer brings everybody back."""
    provider = Provider(ConnectionError())
    guarded = breaker.wrap(provider)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            call(guarded, "hi")
    clock.advance(30)
    provider.error = None
    assert call(guarded, "hi") == "hi"
    assert breaker.state() is CircuitState.CLOSED


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        KeyError("a bug"),
        GraphBubbleUp(),
        ModelRateLimitError("no time given"),
        ResponseRejected(
            result=ControlResult(status="rejected", failure_mode=FailureMode.SCHEMA_VIOLATION)
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_the_providers_fault_does_not_count(breaker, call, error):
    """Bugs, interrupts, throttling and broken contracts pass through and open nothing."""
    guarded = breaker.wrap(Provider(error))
    for _ in range(10):
        with pytest.raises(type(error)):
            call(guarded, "hi")
    assert breaker.state() is CircuitState.CLOSED


@pytest.mark.parametrize("error", [ValueError("a bug"), GraphBubbleUp()])
def test_an_error_of_ours_gives_the_probe_back(breaker, clock, call, error):
    """A probe that told nothing about the provider does not shut others out."""
    open_circuit(breaker)
    clock.advance(30)
    with pytest.raises(type(error)):
        call(breaker.wrap(Provider(error)), "hi")
    assert isinstance(breaker.try_acquire(), Permit)


def test_retry_after_opens_the_circuit_for_that_long(breaker, clock, call):
    """A provider that names a time is left alone until then, and then believed."""
    guarded = breaker.wrap(Provider(ThrottledError({"retry-after": "7"})))
    with pytest.raises(ThrottledError):
        call(guarded, "hi")
    assert breaker.try_acquire().retry_after == pytest.approx(7)
    clock.advance(7)
    assert breaker.state() is CircuitState.CLOSED


async def test_a_cancelled_call_counts_as_nothing(breaker, clock):
    """Cancelling a probe gives its slot to the next caller."""
    open_circuit(breaker)
    clock.advance(30)
    entered = asyncio.Event()

    async def hang(value):
        entered.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(breaker.wrap(RunnableLambda(hang)).ainvoke("hi"))
    await entered.wait()
    assert isinstance(breaker.try_acquire(), Refusal)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert breaker.state() is CircuitState.HALF_OPEN
    assert isinstance(breaker.try_acquire(), Permit)


def test_cancelled_at_any_wait_leaves_no_lease(breaker, clock):
    """Wherever a probe is cancelled, before, in or after its call, the slot is free again."""

    def probe():
        breaker.reset()
        open_circuit(breaker)
        clock.advance(30)
        return breaker._around(RunnableLambda(lambda value: value), "hi", LISTENED)

    waits = []
    for wait in cancelled_at_every_wait(probe):
        assert breaker.snapshot()["default"]["probes"] == 0
        waits.append(wait)
    assert waits == [Ready, Emit, Call, Emit]  # in turn, told of half-open, made, told of closed


async def test_a_task_cancelled_at_any_await_leaves_no_lease(breaker, clock):
    """The same in an event loop, with LangChain's own awaits around it."""
    guarded, is_over = breaker.wrap(RunnableLambda(Provider(), afunc=_slowly)), False
    for steps in itertools.count():
        breaker.reset()
        open_circuit(breaker)
        clock.advance(30)
        task = asyncio.create_task(guarded.ainvoke("hi"))
        for _ in range(steps):
            await asyncio.sleep(0)
        is_over = not task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert breaker.snapshot()["default"]["probes"] == 0
        if is_over:
            break
    assert steps > 5


async def _slowly(value):
    for _ in range(5):
        await asyncio.sleep(0)
    return value


class Stops(BaseCallbackHandler):
    """A listener without which nothing may go on, and which cannot listen."""

    raise_error = run_inline = True

    def on_custom_event(self, name, data, **kwargs):
        """Fail to write it down."""
        raise PermissionError


class Hangs(AsyncCallbackHandler):
    """A listener that takes its time."""

    def __init__(self):
        self.reached = asyncio.Event()

    async def on_custom_event(self, name, data, **kwargs):
        """Never come back."""
        self.reached.set()
        await asyncio.Event().wait()


def test_a_listener_that_stops_a_probe_leaves_no_lease(breaker, clock, call):
    """When the news of the half-open circuit cannot be told, the probe is the next caller's."""
    open_circuit(breaker)
    clock.advance(30)
    with pytest.raises(PermissionError):
        call(breaker.wrap(Provider()), "hi", {"callbacks": [Stops()]})
    assert isinstance(breaker.try_acquire(), Permit)


async def test_cancelled_while_a_listener_hears_of_a_probe_leaves_no_lease(breaker, clock):
    """Cancelled between its admission and its call, a probe is the next caller's."""
    open_circuit(breaker)
    clock.advance(30)
    provider, listener = Provider(), Hangs()
    task = asyncio.create_task(breaker.wrap(provider).ainvoke("hi", {"callbacks": [listener]}))
    await listener.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert provider.calls == 0
    assert isinstance(breaker.try_acquire(), Permit)


async def test_a_thousand_tasks_share_the_probes(clock):
    """However many tasks wait for the provider to return, only the probes reach it."""
    breaker = CircuitBreaker(
        failure_threshold=1, half_open_probes=3, store=InMemoryCircuitStore(clock=clock)
    )
    open_circuit(breaker)
    clock.advance(30)
    all_refused, reached, done = asyncio.Event(), [], []

    def count(task):
        done.append(task)
        if len(done) == 997:
            all_refused.set()

    async def answer(value):
        reached.append(value)
        await all_refused.wait()
        return value

    guarded = breaker.wrap(RunnableLambda(answer))
    tasks = [asyncio.create_task(guarded.ainvoke(number)) for number in range(1000)]
    for task in tasks:
        task.add_done_callback(count)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert len(reached) == 3
    assert sum(isinstance(result, CircuitOpen) for result in results) == 997
    assert breaker.state() is CircuitState.CLOSED


def test_no_lock_is_held_during_a_call(breaker):
    """Threads behind one breaker are inside the provider at the same time."""
    together = threading.Barrier(8, timeout=10)
    guarded = breaker.wrap(lambda _: together.wait())
    threads = [threading.Thread(target=guarded.invoke, args=("hi",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not together.broken
    assert breaker.snapshot()["default"]["failures_in_a_row"] == 0


def test_keeps_the_types_of_what_it_wraps(breaker):
    """A wrapped model still looks like a model to the chain around it."""
    model = GenericFakeChatModel(messages=iter([AIMessage("hello")]))
    guarded = breaker.wrap(model)
    assert guarded.InputType == model.InputType
    assert guarded.invoke("hi").content == "hello"


# --- as a Runnable of its own ---------------------------------------------------------------------


def test_alone_it_hands_its_input_on(breaker, call):
    """In a chain, a closed breaker is not noticed."""
    assert call(breaker | (lambda x: x + 1), 1) == 2


def test_alone_it_stops_the_chain_while_open(breaker, clock, call):
    """In front of a model it answers for it, and takes no probe's slot."""
    open_circuit(breaker)
    with pytest.raises(CircuitOpen):
        call(breaker, "hi")
    clock.advance(30)
    assert call(breaker, "hi") == "hi"
    assert breaker.snapshot()["default"]["probes"] == 0


def test_batch_and_stream(breaker):
    """The other ways to run a Runnable work as well."""
    assert breaker.batch([1, 2]) == [1, 2]
    assert list(breaker.stream(1)) == [1]


async def test_abatch_and_astream(breaker):
    """The other ways to run a Runnable work as well, asynchronously."""
    assert await breaker.abatch([1, 2]) == [1, 2]
    assert [x async for x in breaker.astream(1)] == [1]


# --- by hand --------------------------------------------------------------------------------------


def test_acquire_raises_with_the_wait(breaker):
    """By hand, a refusal is the package's own exception."""
    open_circuit(breaker)
    with pytest.raises(CircuitOpen, match="`default` is open; try again in 30 s"):
        breaker.acquire()


async def test_aacquire(breaker):
    """The async twin admits and refuses alike."""
    assert isinstance(await breaker.aacquire(), Permit)
    open_circuit(breaker)
    with pytest.raises(CircuitOpen):
        await breaker.aacquire()


def test_keys_have_circuits_of_their_own(breaker):
    """One breaker serves many models; each has its own trouble."""
    open_circuit(breaker, key="gpt")
    assert breaker.state("gpt") is CircuitState.OPEN
    assert breaker.state("claude") is CircuitState.CLOSED
    assert breaker.acquire("claude").key == "default:claude"


def test_names_keep_breakers_apart_in_one_store(clock):
    """A shared store does not mix the circuits of different breakers."""
    store = InMemoryCircuitStore(clock=clock)
    one, other = CircuitBreaker(name="one", store=store), CircuitBreaker(name="other", store=store)
    same = CircuitBreaker(name="one", store=store)
    one.open()
    assert same.state() is CircuitState.OPEN
    assert other.state() is CircuitState.CLOSED
    assert list(one.snapshot()) == ["one"]


def test_breakers_do_not_share_by_default():
    """Two policies never meet on one circuit by accident."""
    one, other = CircuitBreaker(), CircuitBreaker()
    one.open()
    assert other.state() is CircuitState.CLOSED


def test_open_close_and_reset_by_hand(breaker, clock):
    """An operator's word holds until it is taken back."""
    breaker.open()
    clock.advance(1e6)
    assert breaker.try_acquire().retry_after is None
    breaker.close()
    fail(breaker, times=10)
    assert breaker.state() is CircuitState.CLOSED
    breaker.reset()
    fail(breaker, times=2)
    assert breaker.state() is CircuitState.OPEN


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (FailureMode.TIMEOUT, Outcome.FAILURE),
        (FailureMode.MODEL_ERROR, Outcome.FAILURE),
        (FailureMode.RATE_LIMITED, Outcome.THROTTLED),
        (FailureMode.MODEL_REJECTED, Outcome.IGNORED),
        (FailureMode.SCHEMA_VIOLATION, Outcome.IGNORED),
        (ConnectionResetError(), Outcome.FAILURE),
        (ZeroDivisionError(), Outcome.IGNORED),
    ],
)
def test_outcome_of(breaker, mode, outcome):
    """Only a provider that is down counts; see `counts`."""
    assert breaker.outcome_of(mode) is outcome


def test_a_validity_circuit_counts_broken_contracts():
    """A second breaker may watch whether a model keeps a contract."""
    validity = CircuitBreaker(name="validity", counts=[FailureMode.SCHEMA_VIOLATION])
    assert validity.outcome_of(FailureMode.SCHEMA_VIOLATION) is Outcome.FAILURE
    assert validity.outcome_of(FailureMode.TIMEOUT) is Outcome.IGNORED
