"""The limiter: as a gate, in flows, and as a chat model's own."""

import asyncio
import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompt_values import StringPromptValue
from langchain_core.runnables import ConfigurableField, RunnableLambda
from pydantic import ValidationError

from langchain_control import AuditLogger
from langchain_control._effects import Emit, Sleep, run
from langchain_control.components.limiter import RateLimiter, Reservation, approximate_tokens
from langchain_control.errors import RateLimited
from langchain_control.outcomes import FailureMode
from langchain_control.stores import InMemoryRateStore
from langchain_control.testing import ManualClock
from tests.cancellation import cancelled_at_every_wait


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def limiter(clock):
    return RateLimiter(requests_per_minute=3, store=InMemoryRateStore(clock=clock))


def perform(flow, clock):
    """Perform a flow whose waits move the clock. Returns the result and what it asked for."""
    effects, value = [], None
    while True:
        try:
            effect = flow.send(value)
        except StopIteration as stop:
            return stop.value, effects
        effects.append(effect)
        value = None if isinstance(effect, Emit | Sleep) else effect
        if isinstance(effect, Sleep):
            clock.sleep(effect.seconds)


# --- as a gate ------------------------------------------------------------------------------------


def test_turns_away_beyond_the_limit(limiter, call):
    """The fourth of three requests a minute learns when to come back."""
    assert [call(limiter, n) for n in range(3)] == [0, 1, 2]
    with pytest.raises(RateLimited, match="limit of 3 requests per minute") as refused:
        call(limiter, "hi")
    assert refused.value.retry_after == pytest.approx(20)
    assert refused.value.failure_mode is FailureMode.RATE_LIMITED


def test_lets_through_again_after_the_wait(limiter, clock, call):
    """`retry_after` is kept as promised."""
    for n in range(3):
        call(limiter, n)
    clock.advance(20)
    assert call(limiter, "hi") == "hi"


def test_no_user_has_the_limit_of_another_namespace(clock, call):
    """Whatever a user's name is: the first colon ends the namespace."""
    shared = {
        "requests_per_minute": 1,
        "key": lambda config: config["configurable"]["user_id"],
        "store": InMemoryRateStore(clock=clock),
    }
    free, paid = (RateLimiter(namespace=name, **shared) for name in ("rate", "rate:paid"))

    call(free, "hi", {"configurable": {"user_id": "paid:ann"}})

    assert call(paid, "hi", {"configurable": {"user_id": "ann"}}) == "hi"


def test_each_user_has_a_limit(clock, call):
    """With a function as key, one user's hurry does not slow another."""
    limiter = RateLimiter(
        requests_per_minute=1,
        key=lambda config: config["configurable"]["user_id"],
        store=InMemoryRateStore(clock=clock),
    )
    ann, bob = ({"configurable": {"user_id": name}} for name in ("ann", "bob"))
    assert call(limiter, "hi", ann) == "hi"
    with pytest.raises(RateLimited):
        call(limiter, "hi", ann)
    assert call(limiter, "hi", bob) == "hi"


def test_the_key_is_not_told(clock):
    """A user's id stays out of messages."""
    limiter = RateLimiter(requests_per_minute=1, key="ann@example.org")
    limiter.invoke("hi")
    with pytest.raises(RateLimited) as refused:
        limiter.invoke("hi")
    assert "ann" not in str(refused.value)


def test_counts_tokens(clock, call):
    """A large input uses up a token limit that small ones do not."""
    limiter = RateLimiter(tokens_per_minute=100, store=InMemoryRateStore(clock=clock))
    large = "some more words " * 20
    call(limiter, large)
    with pytest.raises(RateLimited, match="limit of 100 tokens per minute"):
        call(limiter, large)
    call(limiter, "a few words")


def test_what_weighs_nothing_passes_while_tokens_are_owed(clock):
    """A request without tokens is not held up by those that others used beyond the limit."""
    limiter = RateLimiter(
        tokens_per_minute=100, estimate_tokens=len, store=InMemoryRateStore(clock=clock)
    )
    limiter.settle(limiter.acquire("hi"), 150)
    assert not limiter.inspect("hi").passed
    assert limiter.inspect("").passed


def test_tokens_are_estimated_only_where_they_are_counted():
    """A limit of requests does not read its inputs."""
    asked = []
    RateLimiter(requests_per_minute=3, estimate_tokens=asked.append).invoke("hi")
    assert asked == []


def test_what_never_fits_is_told_so(limiter):
    """No waiting helps a request that is larger than the limit."""
    tokens = RateLimiter(tokens_per_minute=100)
    with pytest.raises(RateLimited, match="ever holds") as refused:
        tokens.invoke("word " * 1000)
    assert refused.value.retry_after is None


def test_inspect_takes_nothing(limiter):
    """Looking whether there is room leaves it there."""
    assert all(limiter.inspect("hi").passed for _ in range(10))
    for n in range(3):
        limiter.invoke(n)
    verdict = limiter.inspect("hi")
    assert not verdict.passed
    assert verdict.retry_after == pytest.approx(20)


def test_a_low_rate_still_admits_one(clock):
    """However short the burst, one request fits."""
    limiter = RateLimiter(requests_per_minute=1, burst_seconds=0.001)
    assert limiter.invoke("hi") == "hi"


def test_batch_counts_each(limiter):
    """A batch is as many requests as it has inputs."""
    with pytest.raises(RateLimited):
        limiter.batch([1, 2, 3, 4], {"max_concurrency": 1})


async def test_astream(limiter):
    """The other ways to run a Runnable work as well."""
    assert [x async for x in limiter.astream("hi")] == ["hi"]
    assert list(limiter.stream("hi")) == ["hi"]


# --- waiting --------------------------------------------------------------------------------------


def test_waits_for_its_turn(limiter, clock):
    """With `on_limit="wait"` a request sleeps once, for exactly as long as it must."""
    patient = limiter.override(on_limit="wait")
    for n in range(3):
        patient.invoke(n)
    verdict, effects = perform(patient.admit({}), clock)
    assert verdict.passed
    assert [e.seconds for e in effects if isinstance(e, Sleep)] == [pytest.approx(20)]


def test_a_wait_is_told(limiter, clock):
    """Whoever reads the trace sees why the request took so long."""
    patient = limiter.override(on_limit="wait")
    for n in range(3):
        patient.invoke(n)
    _, effects = perform(patient.admit({}), clock)
    told = [e for e in effects if isinstance(e, Emit)]
    assert [e.name for e in told] == ["control.waited"]
    assert told[0].data["delay_seconds"] == pytest.approx(20)


def test_does_not_wait_longer_than_it_may(limiter, clock):
    """Beyond `max_wait_seconds` a request is turned away at once, with what is missing."""
    hasty = limiter.override(on_limit="wait", max_wait_seconds=5)
    for n in range(3):
        hasty.invoke(n)
    verdict, effects = perform(hasty.admit({}), clock)
    assert not verdict.passed
    assert verdict.retry_after == pytest.approx(15)
    assert not any(isinstance(e, Sleep) for e in effects)


def test_does_not_wait_past_a_deadline(limiter, clock):
    """What is left of a request's deadline bounds the wait."""
    patient = limiter.override(on_limit="wait")
    for n in range(3):
        patient.invoke(n)
    verdict, _ = perform(patient.admit({}, max_wait_seconds=10), clock)
    assert not verdict.passed


@pytest.mark.parametrize("left", [60, -5])
def test_a_deadline_makes_no_limiter_wait(limiter, clock, left):
    """One that turns away does so whatever time is left, and says when there is room."""
    for n in range(3):
        limiter.invoke(n)
    verdict, effects = perform(limiter.admit({}, max_wait_seconds=left), clock)
    assert not verdict.passed
    assert verdict.retry_after == pytest.approx(20)
    assert not any(isinstance(e, Sleep) for e in effects)


def test_cancelled_at_any_wait_gives_the_turn_back(limiter):
    """A request that gave up, while it was told of its wait or in it, holds up nobody."""
    patient = limiter.override(on_limit="wait")
    for n in range(3):
        patient.invoke(n)
    before, waits = limiter.inspect("hi").retry_after, []
    listened = {"callbacks": [BaseCallbackHandler()]}
    for wait in cancelled_at_every_wait(lambda: patient.admit(listened)):
        assert limiter.inspect("hi").retry_after == pytest.approx(before)
        waits.append(wait)
    assert waits == [Emit, Sleep]


async def test_cancelled_waits_do_not_raise_the_rate():
    """Who came after some had hung up shared the turns of those who still waited."""
    clock = ManualClock()
    pace = RateLimiter(
        requests_per_minute=60,
        burst_seconds=1,
        on_limit="wait",
        store=InMemoryRateStore(clock=clock),
    )
    pace.acquire()
    waiting = [asyncio.create_task(pace.aacquire()) for _ in range(4)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[1].cancel()
    await asyncio.wait(waiting[:2])

    verdict, _ = perform(pace.take({}, None, 60), clock)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert verdict.value.wait_seconds == pytest.approx(5)


# --- settling -------------------------------------------------------------------------------------


def test_settling_replaces_the_estimate(clock):
    """What was reserved for the answer and not used can be used by others."""
    limiter = RateLimiter(
        tokens_per_minute=100, answer_tokens=90, store=InMemoryRateStore(clock=clock)
    )
    reservation = limiter.acquire("hi")
    assert reservation == Reservation("rate:default", 1, 91, 0.0)
    assert not limiter.inspect("hi").passed
    limiter.settle(reservation, 9)
    assert limiter.inspect("hi").passed


@pytest.mark.parametrize("tokens", [-1, float("nan"), float("inf"), 10**15, 10**400])
def test_tokens_that_no_request_takes_are_refused_by_name(clock, tokens):
    """Settled by them, a limit would be off, or used up for good."""
    store = InMemoryRateStore(clock=clock)
    limiter = RateLimiter(tokens_per_minute=100, answer_tokens=90, store=store)
    reservation = limiter.acquire("hi")

    with pytest.raises(ValueError, match="`tokens` must be between 0 and"):
        limiter.settle(reservation, tokens)
    with pytest.raises(ValueError, match="`estimate_tokens` must be between 0 and"):
        limiter.override(estimate_tokens=lambda _: tokens).acquire("hi")

    assert limiter.inspect("hi").retry_after == pytest.approx((2 * 91 - 100) * 0.6)
    limiter.settle(reservation, 9)
    assert limiter.inspect("hi").passed


async def test_acquire_raises(limiter):
    """By hand, a refusal is the package's own exception, sync and async."""
    reservations = [limiter.acquire(), await limiter.aacquire(), limiter.acquire()]
    assert all(reservation.wait_seconds == 0 for reservation in reservations)
    with pytest.raises(RateLimited):
        limiter.acquire()
    with pytest.raises(RateLimited):
        await limiter.aacquire()


@pytest.fixture
def pace(clock):
    """One request at a time; the next one waits for a millisecond."""
    return RateLimiter(
        requests_per_minute=60_000,
        burst_seconds=0.001,
        on_limit="wait",
        store=InMemoryRateStore(clock=clock),
    )


async def test_acquire_waits_outside_of_any_run(pace):
    """By hand it raised a `RuntimeError` as soon as it had to wait: there was no run to tell."""
    reservations = [pace.acquire(), pace.acquire(), await pace.aacquire()]

    assert [r.wait_seconds for r in reservations] == pytest.approx([0, 0.001, 0.002])


def test_acquire_by_hand_tells_of_its_wait_in_a_run(call, pace):
    """In a step of somebody's chain the wait is told on that step's run."""
    trail = AuditLogger(path=None)

    async def pausing(_):
        return [await pace.aacquire(), await pace.aacquire()]

    step = RunnableLambda(lambda _: [pace.acquire(), pace.acquire()], afunc=pausing)
    call(step.with_config(callbacks=[trail]), "hi")

    assert [record["event"] for record in trail.to_records()] == ["control.waited"]


def test_a_refund_takes_the_request_back(limiter):
    """A request that was never made costs nothing."""
    reservations = [limiter.acquire() for _ in range(3)]
    assert not limiter.inspect("hi").passed
    limiter.refund(reservations[0])
    assert limiter.inspect("hi").passed


@pytest.mark.parametrize(
    "travels", [lambda r: r, copy.copy, lambda r: pickle.loads(pickle.dumps(r))]
)
def test_a_reservation_counts_once(limiter, travels):
    """A refund in `finally`, after it was settled, switched the limit off."""
    for _ in range(3):
        reservation = limiter.acquire("hi")
        limiter.settle(reservation, tokens=5)
        limiter.refund(travels(reservation))

    assert not limiter.inspect("hi").passed


def test_tokens_come_back_once(clock):
    """Settling twice does not give the difference back twice."""
    limiter = RateLimiter(
        tokens_per_minute=200, answer_tokens=90, store=InMemoryRateStore(clock=clock)
    )
    reservations = [limiter.acquire("hi"), limiter.acquire("hi")]
    for _ in range(2):
        limiter.settle(reservations[0], tokens=50)

    assert not limiter.inspect("hi").passed


@given(
    used=st.lists(st.integers(0, 60), max_size=20),
)
def test_settled_tokens_are_the_tokens_used(used):
    """After settling, the limit has lost exactly what was used, whatever was estimated."""
    clock = ManualClock()
    limiter = RateLimiter(
        tokens_per_minute=600, on_limit="wait", answer_tokens=30, max_wait_seconds=86_400
    ).override(store=InMemoryRateStore(clock=clock))
    for tokens in used:
        verdict, _ = perform(limiter.take({}, "hello", 86_400), clock)
        limiter.settle(verdict.value, tokens)
    verdict, _ = perform(limiter.take({}, "hello", 86_400), clock)
    expected = max(0.0, (sum(used) + verdict.value.tokens - 600) / 10)
    assert verdict.value.wait_seconds == pytest.approx(expected, abs=1e-6)


# --- as a chat model's own ------------------------------------------------------------------------


def test_serves_a_chat_model(clock):
    """LangChain's models ask it before each call, sync and async."""
    limiter = RateLimiter(requests_per_minute=600, store=InMemoryRateStore(clock=clock))
    model = GenericFakeChatModel(
        messages=iter([AIMessage("one"), AIMessage("two")]), rate_limiter=limiter.for_model()
    )
    assert model.invoke("hi").content == "one"
    assert asyncio.run(model.ainvoke("hi")).content == "two"
    verdict = run(limiter.take({}, None, 1e9))
    assert verdict.passed


def test_a_models_limiter_says_no_without_blocking(limiter):
    """`acquire(blocking=False)` answers at once."""
    for_model = limiter.for_model()
    assert [for_model.acquire(blocking=False) for _ in range(4)] == [True, True, True, False]


async def test_a_models_limiter_says_no_without_blocking_async(limiter):
    """`aacquire(blocking=False)` answers at once."""
    for_model = limiter.for_model()
    assert [await for_model.aacquire(blocking=False) for _ in range(4)] == [True] * 3 + [False]


async def test_a_model_call_cancelled_in_its_wait_gives_the_turn_back(limiter):
    """A model that is not called any more does not hold up other models."""
    for_model = limiter.for_model()
    for _ in range(3):
        await for_model.aacquire()
    before = limiter.inspect("hi").retry_after
    waiting = asyncio.create_task(for_model.aacquire())
    await asyncio.sleep(0)
    assert limiter.inspect("hi").retry_after > before
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert limiter.inspect("hi").retry_after == pytest.approx(before)


def test_a_models_limiter_needs_a_fixed_key():
    """A model's limiter sees no config, so it cannot ask a function for the key."""
    limiter = RateLimiter(requests_per_minute=1, key=lambda config: "ann")
    with pytest.raises(TypeError, match="key"):
        limiter.for_model()
    assert limiter.for_model("gpt").acquire(blocking=False)


# --- estimates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "some words here",
        StringPromptValue(text="some words here"),
        HumanMessage("some words here"),
        [HumanMessage("some words here")],
        {"input": "some words here", "number": 3},
    ],
    ids=lambda value: type(value).__name__,
)
def test_estimates_what_chains_carry(value):
    """Texts, prompts, messages and mappings all have a size."""
    assert 3 <= approximate_tokens(value) <= 10


@pytest.mark.parametrize("value", [None, 3, object(), b"bytes"])
def test_other_values_weigh_nothing(value):
    """What holds no text is not counted, and is no error."""
    assert approximate_tokens(value) == 0


@pytest.mark.parametrize("text", ["\ud800", "\0", " " * 1_000_000, "é" * 100_000])
def test_hostile_text_is_only_text(limiter, text):
    """No text breaks an estimate."""
    assert approximate_tokens(text) >= 1


# --- a component like the others ------------------------------------------------------------------


def test_needs_a_limit():
    """A limiter that limits nothing is a mistake."""
    with pytest.raises(ValidationError, match="requests_per_minute"):
        RateLimiter()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"tokens_per_minute": -1}, "tokens_per_minute"),
        ({"requests_per_minute": 1, "on_limit": "ask"}, "on_limit"),
        ({"requests_per_minute": 1, "store": object()}, "store"),
        ({"requests_per_minute": 1, "rpm": 3}, "rpm"),
    ],
)
def test_refuses_settings_that_make_no_sense(settings, field):
    """A mistake is named at construction."""
    with pytest.raises(ValidationError, match=field):
        RateLimiter(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"tokens_per_minute": 100, "answer_tokens": 200},
        {"tokens_per_minute": 100, "answer_tokens": 60, "burst_seconds": 30},
        {"tokens_per_minute": 100, "answer_tokens": 201, "on_limit": "wait"},
    ],
    ids=["rate", "burst", "wait"],
)
def test_refuses_limits_that_nothing_ever_fits(settings):
    """A reservation for the answer that is larger than the limit is named at construction."""
    with pytest.raises(ValidationError, match=r"`answer_tokens` .* `tokens_per_minute`"):
        RateLimiter(**settings)


@pytest.mark.parametrize(
    "settings", [{"answer_tokens": 100}, {"answer_tokens": 200, "on_limit": "wait"}]
)
def test_limits_that_something_just_fits_are_accepted(settings, clock):
    """An answer as large as the limit is let through, if need be after the longest wait."""
    limiter = RateLimiter(tokens_per_minute=100, store=InMemoryRateStore(clock=clock), **settings)
    verdict, _ = perform(limiter.admit({}), clock)
    assert verdict.passed


def test_configurable_fields_keep_what_was_taken(limiter, call):
    """Changing a setting per call does not refill the limit."""
    tunable = limiter.configurable_fields(requests_per_minute=ConfigurableField(id="rpm"))
    for n in range(3):
        call(tunable, n)
    with pytest.raises(RateLimited):
        call(tunable, "hi", {"configurable": {"rpm": 2}})


def test_pickles_and_has_schemas():
    """It travels to other processes and describes itself."""
    limiter = RateLimiter(requests_per_minute=1, on_limit="wait")
    assert repr(pickle.loads(pickle.dumps(limiter))) == repr(limiter)
    assert limiter.get_input_jsonschema()
    assert limiter.get_output_jsonschema()


class Listener(BaseCallbackHandler):
    """Keeps the custom events it hears."""

    def __init__(self):
        self.heard = []

    def on_custom_event(self, name, data, **kwargs):
        self.heard.append((name, data))


def test_a_rejection_is_told(limiter, call):
    """Whoever listens hears that a request was turned away."""
    listener = Listener()
    for n in range(3):
        call(limiter, n)
    with pytest.raises(RateLimited):
        call(limiter, "hi", {"callbacks": [listener]})
    assert [name for name, _ in listener.heard] == ["control.blocked"]
    assert listener.heard[0][1]["failure_mode"] == "rate_limited"


# --- with a store that answers asynchronously -----------------------------------------------------


class AsyncStore:
    """The memory store behind awaitables, as a remote one would be."""

    def __init__(self, inner):
        self._inner = inner

    async def take(self, *args):
        return self._inner.take(*args)

    async def give_back(self, *args):
        return self._inner.give_back(*args)


async def test_an_async_store_serves_async_calls(limiter):
    """The flow awaits whatever the store answers."""
    remote = limiter.override(store=AsyncStore(limiter.store))
    assert [await remote.ainvoke(n) for n in range(3)] == [0, 1, 2]
    assert not (await remote.ainspect("hi")).passed
    await remote.refund(Reservation("rate:default", 1, 0, 0))
    assert (await remote.ainspect("hi")).passed


async def test_an_async_store_is_awaited_each_time(limiter):
    """Also where a reservation was handed back before, and nothing is left to do."""
    remote = limiter.override(store=AsyncStore(limiter.store))
    reservations = [await remote.aacquire() for _ in range(3)]
    for _ in range(2):
        await remote.settle(reservations[0], 5)

    assert not (await remote.ainspect("hi")).passed


def test_an_async_store_refuses_sync_calls(limiter):
    """Mixing the two is a mistake with a name, not a coroutine that nobody awaits."""
    with pytest.raises(TypeError, match="ainvoke"):
        limiter.override(store=AsyncStore(limiter.store)).invoke("hi")
