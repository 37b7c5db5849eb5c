"""The bulkhead: places, queue, and what happens to those who leave."""

import asyncio
import copy
import pickle
import threading

import pytest
from langchain_core.exceptions import ModelAuthenticationError
from langchain_core.runnables import RunnableLambda
from pydantic import ValidationError

from langchain_control import (
    AuditLogger,
    Bulkhead,
    CircuitBreaker,
    ControlPolicy,
    FallbackRouter,
    with_control,
)
from langchain_control.errors import RateLimited
from langchain_control.outcomes import FailureMode
from langchain_control.sinks import MemorySink
from langchain_control.stores.slots import Slots
from langchain_control.testing import ManualClock, ScriptedChatModel


async def settled():
    """Let every task run as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Busy:
    """Calls that stay under way until they are let go; knows how many there are."""

    def __init__(self):
        self.inside, self.most, self.go = 0, 0, asyncio.Event()

    async def __call__(self, value):
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.go.wait()
        self.inside -= 1
        return value


async def test_no_more_than_its_places_at_a_time():
    """However many tasks come, the provider sees a bounded number, and all are served."""
    busy = Busy()
    guarded = Bulkhead(max_concurrent=3, max_queued=97).wrap(RunnableLambda(busy))
    tasks = [asyncio.create_task(guarded.ainvoke(number)) for number in range(100)]
    await settled()
    assert busy.inside == 3
    busy.go.set()
    assert await asyncio.gather(*tasks) == list(range(100))
    assert busy.most == 3


async def test_turns_away_beyond_the_queue():
    """With places and queue full, a call fails at once instead of waiting."""
    busy = Busy()
    guarded = Bulkhead(max_concurrent=1, max_queued=1).wrap(RunnableLambda(busy))
    tasks = [asyncio.create_task(guarded.ainvoke(number)) for number in range(2)]
    await settled()
    with pytest.raises(
        RateLimited, match="the bulkhead is full: 1 under way, 1 waiting"
    ) as refused:
        await guarded.ainvoke(3)
    assert refused.value.failure_mode is FailureMode.BULKHEAD_FULL
    busy.go.set()
    assert await asyncio.gather(*tasks) == [0, 1]


async def test_waits_no_longer_than_it_may():
    """A call that does not get a place in time is turned away, and leaves the queue."""
    busy = Busy()
    bulkhead = Bulkhead(max_concurrent=1, max_queued=1, max_wait_seconds=0.01)
    guarded = bulkhead.wrap(RunnableLambda(busy))
    first = asyncio.create_task(guarded.ainvoke(1))
    await settled()
    with pytest.raises(RateLimited, match=r"within 0\.01 s"):
        await guarded.ainvoke(2)
    assert bulkhead.slots.waiting("default") == 0
    busy.go.set()
    assert await first == 1


@pytest.mark.parametrize("which", [0, 1])
async def test_cancelled_calls_give_their_place_back(which):
    """Inside or in the queue, a cancelled call makes room for the next."""
    busy = Busy()
    bulkhead = Bulkhead(max_concurrent=1, max_queued=2)
    guarded = bulkhead.wrap(RunnableLambda(busy))
    tasks = [asyncio.create_task(guarded.ainvoke(number)) for number in range(3)]
    await settled()
    tasks[which].cancel()
    await settled()
    busy.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(r, asyncio.CancelledError) for r in results] == [
        i == which for i in range(3)
    ]
    assert (bulkhead.slots.inside("default"), bulkhead.slots.waiting("default")) == (0, 0)


def test_threads_and_tasks_share_the_places():
    """A thread inside keeps a task waiting, and its leaving wakes the task."""
    bulkhead = Bulkhead(max_concurrent=1, max_queued=1)
    entered, go = threading.Event(), threading.Event()

    def block(value):
        entered.set()
        go.wait(10)
        return value

    thread = threading.Thread(target=bulkhead.wrap(block).invoke, args=("thread",))
    thread.start()
    assert entered.wait(10)

    async def task():
        waiting = asyncio.create_task(bulkhead.wrap(lambda value: value).ainvoke("task"))
        await settled()
        assert bulkhead.slots.waiting("default") == 1
        go.set()
        return await waiting

    assert asyncio.run(task()) == "task"
    thread.join()


def test_many_threads():
    """Blocking threads take turns; the bound holds and nobody is forgotten."""
    lock, inside, most, served = threading.Lock(), [0], [0], []

    def work(value):
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        with lock:
            inside[0] -= 1
            served.append(value)
        return value

    guarded = Bulkhead(max_concurrent=2, max_queued=64).wrap(work)
    threads = [threading.Thread(target=guarded.invoke, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] <= 2
    assert sorted(served) == list(range(32))


def test_an_error_gives_the_place_back(call):
    """A call that fails leaves as one that succeeds."""
    bulkhead = Bulkhead(max_concurrent=1, max_queued=0)

    def fail(value):
        raise ValueError(value)

    for _ in range(3):
        with pytest.raises(ValueError, match="hi"):
            call(bulkhead.wrap(fail), "hi")
    assert bulkhead.slots.inside("default") == 0


async def test_keys_have_places_of_their_own():
    """One tenant's hanging calls do not take another's places."""
    busy = Busy()
    bulkhead = Bulkhead(
        max_concurrent=1, max_queued=0, key=lambda config: config["configurable"]["tenant"]
    )
    one, other = ({"configurable": {"tenant": name}} for name in ("one", "other"))
    hanging = asyncio.create_task(bulkhead.wrap(RunnableLambda(busy)).ainvoke(1, one))
    await settled()
    assert await bulkhead.wrap(lambda value: value).ainvoke(2, other) == 2
    busy.go.set()
    await hanging


async def test_alone_it_stops_a_chain_only_when_full():
    """In front of a chain it says whether there is room, and takes none."""
    busy = Busy()
    bulkhead = Bulkhead(max_concurrent=1, max_queued=0)
    assert await bulkhead.ainvoke("hi") == "hi"
    hanging = asyncio.create_task(bulkhead.wrap(RunnableLambda(busy)).ainvoke(1))
    await settled()
    with pytest.raises(RateLimited):
        await bulkhead.ainvoke("hi")
    busy.go.set()
    await hanging
    assert bulkhead.invoke("hi") == "hi"


@pytest.mark.parametrize("whose", [7, None])
def test_a_key_may_be_no_text(whose, call):
    """User ids are often numbers, and some calls have no user."""
    bulkhead = Bulkhead(max_concurrent=1, max_queued=0, key=lambda _: whose)
    assert call(bulkhead.wrap(RunnableLambda(lambda value: value)), "hi") == "hi"
    bulkhead.slots.enter(str(whose), places=1, queue=0)
    with pytest.raises(RateLimited):
        call(bulkhead, "hi")


@pytest.mark.parametrize("settings", [{"max_concurrent": 0}, {"max_queued": -1}, {"max": 3}])
def test_refuses_settings_that_make_no_sense(settings):
    """A mistake is named at construction."""
    with pytest.raises(ValidationError, match=next(iter(settings))):
        Bulkhead(**settings)


def test_pickles_and_copies():
    """Places belong to their process; copies of a policy within it share them."""
    bulkhead = Bulkhead(max_concurrent=3)
    assert repr(pickle.loads(pickle.dumps(bulkhead))) == "Bulkhead(max_concurrent=3)"
    assert copy.deepcopy(bulkhead).slots is bulkhead.slots
    assert repr(Slots()) == "Slots(keys=0)"


# --- in a policy ----------------------------------------------------------------------------------


def taken(bulkhead, *keys):
    """Take a place for each key."""
    return [bulkhead.slots.enter(key, places=1, queue=0) for key in keys]


def test_a_call_gives_its_place_back(call):
    """Whether it answers or fails, the next one finds a place."""
    bulkhead = Bulkhead(max_concurrent=1, max_queued=0)
    model = ScriptedChatModel(script=["one", ModelAuthenticationError("401"), "two"])
    controlled = with_control(model, ControlPolicy(bulkhead=bulkhead), include_result=True)

    assert [call(controlled, "Q?").status for _ in range(3)] == [
        "accepted",
        "exhausted",
        "accepted",
    ]


def test_each_model_has_places_of_its_own(call):
    """One slow provider does not hold up another under the same policy."""
    bulkhead = Bulkhead(max_concurrent=1, max_queued=0)
    taken(bulkhead, "default:slow")
    slow, quick = (ScriptedChatModel(script=["hi"], model_name=n) for n in ("slow", "quick"))

    results = [
        call(with_control(model, ControlPolicy(bulkhead=bulkhead), include_result=True), "Q?")
        for model in (slow, quick)
    ]

    assert [result.status for result in results] == ["exhausted", "accepted"]


def test_without_a_fallback_a_full_bulkhead_is_an_error_with_a_name(call):
    """As it is around a Runnable."""
    bulkhead = Bulkhead(max_concurrent=1, max_queued=0)
    taken(bulkhead, "default:scripted")

    with pytest.raises(RateLimited, match="the bulkhead is full: 1 under way, 0 waiting"):
        call(with_control(ScriptedChatModel(script=[]), ControlPolicy(bulkhead=bulkhead)), "Q?")


def test_a_full_bulkhead_says_nothing_about_the_provider(call):
    """Its circuit does not hear of calls that were not made."""
    breaker, bulkhead = (
        CircuitBreaker(failure_threshold=1),
        Bulkhead(max_concurrent=1, max_queued=0),
    )
    taken(bulkhead, "default:scripted")
    rules = ControlPolicy(bulkhead=bulkhead, breaker=breaker)

    call(with_control(ScriptedChatModel(script=[]), rules, include_result=True), "Q?")

    assert breaker.snapshot() == {}


def test_the_deadline_bounds_the_wait_for_a_place(call):
    """Nobody queues for longer than the request may take."""
    bulkhead = Bulkhead(max_concurrent=1, max_queued=1, max_wait_seconds=3600)
    taken(bulkhead, "default:scripted")
    rules = ControlPolicy(bulkhead=bulkhead, deadline_seconds=0.02, clock=ManualClock())

    result = call(with_control(ScriptedChatModel(script=[]), rules, include_result=True), "Q?")

    assert result.failure_mode is FailureMode.BULKHEAD_FULL


async def test_a_wait_for_a_place_is_told():
    """The trail says how long a call has queued."""
    sink, clock = MemorySink(), ManualClock()
    bulkhead = Bulkhead(max_concurrent=1, max_queued=1, clock=clock)
    [place] = taken(bulkhead, "default:scripted")
    rules = ControlPolicy(bulkhead=bulkhead, audit=AuditLogger(None, sinks=[sink]))

    task = asyncio.create_task(with_control(ScriptedChatModel(script=["hi"]), rules).ainvoke("Q?"))
    while not bulkhead.slots.waiting("default:scripted"):
        await settled()
    clock.advance(2)
    bulkhead.slots.leave(place)
    await task

    [waited] = [r for r in sink.records if r["event"] == "control.waited"]
    assert (waited["component"], waited["delay_seconds"]) == ("Bulkhead", 2)


def test_a_router_answers_where_a_bulkhead_is_full(call):
    """It is the provider's limit, not the user's: there is no reason to turn the input away."""
    bulkhead = Bulkhead(max_concurrent=1, max_queued=0)
    taken(bulkhead, "default")
    router = FallbackRouter(strategies=[("apology", "Sorry.")])

    assert call(router.wrap(bulkhead.wrap(RunnableLambda(str))), "Q?").text == "Sorry."
