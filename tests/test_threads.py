"""Threads for sync calls: how many there are, and what counts."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading

import pytest

from langchain_control._threads import BoundedThreads, NoFreeThread, was_given_up


@pytest.fixture
def gate():
    """Closed until the test is over."""
    gate = threading.Event()
    yield gate
    gate.set()


def give_up_sync(threads, call):
    """Begin a call and stop waiting for it."""
    with pytest.raises(TimeoutError):
        threads.take(0).run(call, 0.001)


def give_up_async(threads, call):
    async def main():
        with pytest.raises(TimeoutError):
            await (await threads.atake(0)).arun(call, 0.001)

    asyncio.run(main())


def give_up_interrupted(threads, call):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        threads.take(0).run(call, 5, interrupt)


@pytest.mark.parametrize("give_up", [give_up_sync, give_up_async, give_up_interrupted])
def test_calls_that_were_given_up_leave_their_room_to_others(gate, give_up):
    """A provider that hung for some does not keep everybody else from being called."""
    threads = BoundedThreads(3)
    for _ in range(threads.limit):
        give_up(threads, gate.wait)

    taken = [threads.take(0) for _ in range(threads.limit)]

    assert [thread.run(lambda: "answer", 5) for thread in taken] == ["answer"] * 3


def test_those_given_up_are_bounded_as_well(gate):
    """Each beyond the bound keeps the room that it had, until it returns."""
    threads = BoundedThreads(2)
    for _ in range(2 * threads.limit):
        give_up_sync(threads, gate.wait)
    with pytest.raises(NoFreeThread):
        threads.take(0)

    gate.set()

    assert threads.take(5).run(lambda: "answer", 5) == "answer"


def taken_within(threads):
    return threads.take(0).run(lambda: "inner", 5)


def taken_within_a_loop(threads):
    async def main():
        return await (await threads.atake(0)).arun(lambda: "inner", 5)

    return asyncio.run(main())


@pytest.mark.parametrize("within", [taken_within, taken_within_a_loop])
def test_a_call_within_a_call_needs_no_room(within):
    """Its caller would keep its own while the call waits for it."""
    threads = BoundedThreads(1)

    assert threads.take(0).run(lambda: within(threads), 5) == "inner"


def test_a_call_within_a_call_of_others_does(gate):
    """Each set of threads has a bound of its own."""
    inner = BoundedThreads(1)
    held = inner.take(0)

    with pytest.raises(NoFreeThread):
        BoundedThreads(1).take(0).run(lambda: taken_within(inner), 5)
    held.give_back()


def test_a_call_within_a_call_counts_once_it_is_given_up(gate):
    """However many calls one call makes, those that hang stay bounded."""
    threads = BoundedThreads(1)

    def agent():
        for _ in range(2 * threads.limit):
            give_up_sync(threads, gate.wait)

    threads.take(0).run(agent, 5)

    with pytest.raises(NoFreeThread):
        threads.take(0)


def test_what_a_call_leaves_behind_is_not_within_it():
    """Work that goes on in the context of a call that has ended has no room there."""
    threads = BoundedThreads(1)
    context = threads.take(0).run(contextvars.copy_context, 5)
    held = threads.take(0)

    with pytest.raises(NoFreeThread):
        context.run(threads.take, 0)
    held.give_back()


def test_calls_by_name_have_threads_of_their_own():
    """As many for each name, whoever holds the others."""
    threads = BoundedThreads(1)
    held = threads.take(0), threads.of("a").take(0)

    threads.of("b").take(0).give_back()

    with pytest.raises(NoFreeThread):
        threads.of("a").take(0)
    for thread in held:
        thread.give_back()


@pytest.mark.parametrize("inner", [BoundedThreads(2), None], ids=["others", "the same"])
def test_a_call_within_one_that_was_given_up_can_tell(gate, inner):
    """Somebody waits for the inner call, but nobody for what it is part of."""
    outer, told = BoundedThreads(2), queue.Queue()

    def tell():
        gate.wait()
        told.put(was_given_up())

    def call():
        told.put(was_given_up())
        (inner or outer).take(5).run(tell, 5)

    give_up_sync(outer, call)
    gate.set()

    assert [told.get(timeout=5) for _ in range(2)][-1]
    assert not was_given_up()
