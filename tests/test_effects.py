"""Flows: one generator, two drivers."""

from __future__ import annotations

import asyncio
import threading

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_control._effects import Call, Ready, Sleep, arun, run
from langchain_control._threads import BoundedThreads, FreeThread, NoFreeThread


def double_flow(threads=None, seconds=None):
    answer = yield Call(RunnableLambda(lambda x: x * 2), 21, {}, seconds, threads)
    yield Sleep(0)
    plain = yield "a plain value comes back as it is"
    return answer, plain


@pytest.mark.parametrize("seconds", [None, 5])
def test_both_drivers_perform_the_same_flow(seconds):
    """A flow gives the same result sync and async, with and without a time limit."""
    expected = (42, "a plain value comes back as it is")

    assert expected == run(double_flow(BoundedThreads(), seconds))
    assert expected == asyncio.run(arun(double_flow(BoundedThreads(), seconds)))


def test_a_sync_call_with_a_limit_needs_threads():
    """A time limit without threads to run in is a mistake, not a silent wait."""
    with pytest.raises(TypeError, match="threads"):
        run(double_flow(None, 5))


def test_an_awaitable_from_a_plug_in_is_awaited():
    """An async plug-in answers in an async flow."""

    async def plug_in():
        return 7

    def flow():
        return (yield plug_in())

    assert asyncio.run(arun(flow())) == 7


def test_an_async_plug_in_in_a_sync_call_is_a_clear_error():
    """An async plug-in met by the sync driver says what to do instead."""

    async def plug_in():
        return 7

    def flow():
        return (yield plug_in())

    with pytest.raises(TypeError, match="ainvoke"):
        run(flow())


def test_a_failed_effect_is_raised_inside_the_flow():
    """A flow can handle what an effect raised and go on."""

    def broken(_):
        raise ConnectionError

    def flow():
        try:
            yield Call(RunnableLambda(broken), 1, {})
        except ConnectionError:
            return (yield "recovered")

    assert run(flow()) == "recovered"
    assert asyncio.run(arun(flow())) == "recovered"


def test_finally_runs_when_an_async_call_is_cancelled():
    """Cancelling a flow runs its `finally` blocks, effects in them included."""
    released, started = [], asyncio.Event()

    async def forever(_):
        started.set()
        await asyncio.Event().wait()

    def flow():
        try:
            yield Call(RunnableLambda(forever), 1, {})
        finally:
            released.append((yield "given back"))

    async def main():
        task = asyncio.create_task(arun(flow()))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert released == ["given back"]


@pytest.mark.parametrize("seconds", [None, 5])
def test_finally_runs_when_a_call_raises_generator_exit(seconds):
    """Effects in `finally` blocks included, as they would not be if it closed the flow."""
    released = []

    def leaves(_):
        raise GeneratorExit

    def inner():
        try:
            yield Call(RunnableLambda(leaves), 1, {}, seconds, BoundedThreads())
        finally:
            released.append((yield "given back"))

    def flow():
        yield from inner()

    for perform in (run, lambda flow: asyncio.run(arun(flow))):
        with pytest.raises(RuntimeError, match="GeneratorExit"):
            perform(flow())

    assert released == ["given back"] * 2


def test_a_flow_is_closed_where_its_coroutine_is():
    """Nothing can be performed any more, and nothing is tried."""
    seen = []

    def flow():
        try:
            yield Sleep(60)
        except BaseException as exc:
            seen.append(type(exc))
            raise

    async def begun():
        running = arun(flow())
        running.send(None)
        return running

    asyncio.run(begun()).close()

    assert seen == [GeneratorExit]


def test_an_async_call_that_swallows_cancellation_is_given_up_all_the_same():
    """The async limit is hard: a model that ignores its cancellation does not hold the caller."""
    stop = asyncio.Event()

    async def stubborn(_):
        while not stop.is_set():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if stop.is_set():
                    raise

    async def main():
        with pytest.raises(TimeoutError):
            await arun(_one_call(RunnableLambda(stubborn), 0.02))
        stop.set()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    asyncio.run(main())


def _one_call(runnable, seconds, threads=None):
    return (yield Call(runnable, 1, {}, seconds, threads))


def test_a_hundred_hung_sync_calls_hold_a_bounded_number_of_threads():
    """Those given up never hold more than twice the limit, and none once they have returned."""
    threads, gate = BoundedThreads(limit=4), threading.Event()
    hung = RunnableLambda(lambda _: gate.wait(10))
    before = _call_threads()

    for _ in range(100):
        with pytest.raises(TimeoutError):
            run(_one_call(hung, 0.001, threads))
        assert len(_call_threads() - before) <= 2 * threads.limit

    gate.set()
    for thread in _call_threads() - before:
        thread.join(5)
    assert _call_threads() <= before


def _call_threads() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name == "langchain-control-call"}


def test_a_call_that_finds_no_free_thread_is_never_started():
    """A call that found no thread in time fails by name and does not run later."""
    threads, gate, started = BoundedThreads(limit=1), threading.Event(), []

    def note(_):
        started.append(1)
        gate.wait(10)

    for _ in range(4):
        with pytest.raises(TimeoutError):
            run(_one_call(RunnableLambda(note), 0.01, threads))
    gate.set()

    assert started == [1, 1]


def test_the_limit_of_a_call_begins_with_its_thread():
    """Of 80 calls with 32 threads half timed out, their limits used up before they began."""
    call = Call(RunnableLambda(str), 1, {}, 5, BoundedThreads())

    late = call.given(FreeThread(BoundedThreads(), waited_seconds=4))

    assert (late.limit_seconds, late.is_fair) == (5, True)


def test_a_wait_for_a_thread_counts_against_the_deadline():
    """What is left to a request bounds waiting and calling together, and excuses being late."""
    call = Call(RunnableLambda(str), 1, {}, 5, BoundedThreads(), remaining_seconds=6)

    late = call.given(FreeThread(BoundedThreads(), waited_seconds=4))

    assert (call.limit_seconds, call.is_fair) == (5, True)
    assert (late.limit_seconds, late.is_fair) == (2, False)


@pytest.mark.parametrize(
    ("timeout", "deadline", "remaining", "is_fair"),
    [
        (30, 10, 10, True),
        (30, 10, 5, True),
        (30, 10, 4, False),
        (30, 45, 15, True),
        (30, 45, 14, False),
        (None, 10, 10, True),
        (None, 10, 4, False),
        (30, None, None, True),
    ],
)
def test_a_timeout_counts_after_half_of_the_time_there_is(timeout, deadline, remaining, is_fair):
    """No call has its full time limit where the deadline is shorter: none would count."""
    call = Call(
        RunnableLambda(str),
        1,
        {},
        timeout,
        remaining_seconds=remaining,
        deadline_seconds=deadline,
    )

    assert call.is_fair is is_fair


@pytest.mark.parametrize("perform", [run, lambda flow: asyncio.run(arun(flow))])
def test_a_thread_that_is_not_used_is_left_to_others(perform):
    """A call that is ready and is not made, as its circuit refuses, holds no thread."""
    threads = BoundedThreads(1)

    def flow():
        ready = yield Ready(Call(RunnableLambda(str), 1, {}, 5, threads))
        with pytest.raises(NoFreeThread):
            threads.take(0)
        ready.give_back()

    perform(flow())
    assert threads.take(0)


@pytest.mark.parametrize("perform", [run, lambda flow: asyncio.run(arun(flow))])
def test_a_call_that_may_not_wait_is_ready_or_not(perform):
    """Whoever has something better to do than to wait is told at once that no thread is free."""
    threads = BoundedThreads(1)
    held = threads.take(0)

    def flow():
        yield Ready(Call(RunnableLambda(str), 1, {}, 3600, threads), may_wait=False)

    with pytest.raises(NoFreeThread):
        perform(flow())
    held.give_back()


def test_what_a_limited_call_raises_reaches_the_caller():
    """An exception in the call's thread is raised in the caller's."""

    def broken(_):
        msg = "no"
        raise KeyError(msg)

    with pytest.raises(KeyError):
        run(_one_call(RunnableLambda(broken), 5, BoundedThreads()))


@pytest.mark.parametrize("seconds", [None, 5])
@pytest.mark.parametrize("perform", [run, lambda flow: asyncio.run(arun(flow))])
def test_a_call_that_raises_stop_iteration_fails_at_once(perform, seconds):
    """No future can carry it: an async call of a fake that had run dry hung until its limit."""

    def dry(_):
        return next(iter(()))

    with pytest.raises(RuntimeError) as raised:
        perform(_one_call(RunnableLambda(dry), seconds, BoundedThreads()))
    assert isinstance(raised.value.__cause__, StopIteration)


@pytest.mark.parametrize("perform", [run, lambda flow: asyncio.run(arun(flow))])
def test_a_flow_can_handle_what_was_a_stop_iteration(perform):
    """It goes on with what comes next, as after any other failure."""

    def dry(_):
        return next(iter(()))

    def flow():
        try:
            yield Call(RunnableLambda(dry), 1, {}, 5, BoundedThreads())
        except RuntimeError:
            return (yield "recovered")

    assert perform(flow()) == "recovered"


def test_a_limit_of_no_threads_is_refused():
    """A bound of zero threads could never call anything."""
    with pytest.raises(ValueError, match="limit"):
        BoundedThreads(0)
