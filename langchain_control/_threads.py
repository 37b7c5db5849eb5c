"""A bounded number of threads for sync calls with a hard time limit."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from enum import Enum, auto
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_control._at_fork import renew_in_children
from langchain_control._shared import Shared
from langchain_control._waiting import Patience, await_within, no_answer, raisable, waits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["BoundedThreads", "FreeThread", "NoFreeThread", "was_given_up"]

T = TypeVar("T")

POLL_SECONDS = 0.01
"""How often async code looks for a free thread: waiting for it must not block the event loop."""


class NoFreeThread(TimeoutError):  # noqa: N818  (named for what happened, like its relatives)
    """All threads were busy for as long as a call may wait; it was not started."""


class Standing(Enum):
    """What a thread counts as."""

    AWAITED = auto()
    """Somebody waits for its call."""
    NESTED = auto()
    """So does a call in another of the threads, which counts for both."""
    GIVEN_UP = auto()
    """Its call goes on, and nobody waits for it any more."""
    ENDED = auto()


def was_given_up() -> bool:
    """Say whether nobody waits any more for a call that the caller is part of."""
    return any(thread.standing is Standing.GIVEN_UP for thread in _CALLS.get())


class BoundedThreads(Shared):
    """Run sync calls on a bounded number of threads, each call within its own time limit.

    Python cannot stop a thread: a call that outlives its limit keeps its thread until it returns.
    So there is room for `limit` calls that somebody waits for, and for as many that were given up;
    further ones of these take room from the first. A call that finds none fails with
    `NoFreeThread` without being started. Its own limit begins with its thread, so waiting for one
    does not shorten it. Threads end with their call; nothing stays behind. A forked child begins
    with all of them free.

    A call made within one of the threads needs no room while it is waited for: its caller has it
    already, and would keep it while the call waits.
    """

    def __init__(self, limit: int = 32) -> None:
        """Make room for `limit` calls at a time, and as many again that were given up."""
        if limit < 1:
            msg = f"`limit` must be at least 1, got {limit}"
            raise ValueError(msg)
        self.limit = limit
        self._apart: dict[str, BoundedThreads] = {}
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self.counts: Counter[Standing] = (
            Counter()
        )  # in a child, another than its parent's calls have

    def of(self, name: str) -> BoundedThreads:
        """Return as many threads again, for calls of this name alone."""
        apart = self._apart.get(name)
        return apart or self._apart.setdefault(name, BoundedThreads(self.limit))

    def take(self, max_wait_seconds: float) -> FreeThread:
        """Return a thread for one call, which must run in it or give it back.

        Raises:
            NoFreeThread: There was no room that long.
        """
        taken = partial(self._taken, time.monotonic())
        with self._changed:
            thread = self._changed.wait_for(taken, max(0.0, max_wait_seconds))
        if thread is None:
            raise self._none_free(max_wait_seconds)
        return thread

    async def atake(self, max_wait_seconds: float) -> FreeThread:
        """Return a thread for one call. See `take`; the event loop is never blocked."""
        started = time.monotonic()
        while (thread := self._taken(started)) is None:
            if time.monotonic() - started >= max_wait_seconds:
                raise self._none_free(max_wait_seconds)
            await asyncio.sleep(POLL_SECONDS)
        return thread

    def move(self, thread: FreeThread, standing: Standing) -> None:
        """Count a thread as something else from now on. No effect once its call has ended."""
        with self._changed:
            if thread.standing is Standing.ENDED:
                return
            thread.counts[thread.standing] -= 1
            thread.counts[standing] += 1
            thread.standing = standing
            self._changed.notify()

    def _taken(self, started: float) -> FreeThread | None:
        around = _AROUND.get().get(self)
        is_nested = around is not None and around.standing is not Standing.ENDED
        standing = Standing.NESTED if is_nested else Standing.AWAITED
        with self._changed:
            if standing is Standing.AWAITED and not self._has_room():
                return None
            self.counts[standing] += 1
            return FreeThread(self, time.monotonic() - started, standing)

    def _has_room(self) -> bool:
        too_many_given_up = max(0, self.counts[Standing.GIVEN_UP] - self.limit)
        return self.counts[Standing.AWAITED] + too_many_given_up < self.limit

    def _none_free(self, seconds: float) -> NoFreeThread:
        return NoFreeThread(f"no free thread within {seconds:g} s ({self.limit} are busy)")

    def __repr__(self) -> str:
        """Show the bound."""
        return f"BoundedThreads(limit={self.limit})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as an empty set of threads: running calls stay in their process."""
        return BoundedThreads, (self.limit,)


class FreeThread:
    """A thread that was taken for one call."""

    def __init__(
        self,
        threads: BoundedThreads,
        waited_seconds: float,
        standing: Standing = Standing.AWAITED,
    ) -> None:
        """Take over a thread.

        Args:
            threads: Where it was taken, and is given back.
            waited_seconds: How long that took.
            standing: What it counts as there.
        """
        self.waited_seconds = waited_seconds
        self.standing = standing
        self.counts = threads.counts
        self._threads = threads
        self._is_ours = True

    def run(
        self, call: Callable[[], T], timeout_seconds: float, patience: Patience | None = None
    ) -> T:
        """Return what `call` returns or raise what it raises.

        Args:
            call: Runs in the thread.
            timeout_seconds: How long to wait for it.
            patience: May give it up earlier.

        Raises:
            TimeoutError: There was no answer within the time limit, or it was given up earlier.
        """
        started = time.monotonic()
        outcome = self._start(call)
        try:
            for step in waits(timeout_seconds, patience):
                try:
                    outcome.exception(timeout=step)
                except TimeoutError:  # of waiting: what the call itself raises is returned
                    continue
                return outcome.result()
        finally:
            self._threads.move(self, Standing.GIVEN_UP)
        raise no_answer(started)

    async def arun(
        self, call: Callable[[], T], timeout_seconds: float, patience: Patience | None = None
    ) -> T:
        """Await what `call` returns or raises. See `run`."""
        outcome = asyncio.wrap_future(self._start(call))
        try:
            return await await_within(outcome, timeout_seconds, patience)
        finally:
            self._threads.move(self, Standing.GIVEN_UP)

    def give_back(self) -> None:
        """Leave the thread to others. No effect once a call has begun: it gives it back itself."""
        if self._is_ours:
            self._is_ours = False
            self._release()

    def _start(self, call: Callable[[], T]) -> Future[T]:
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()  # so that nobody can cancel it any more
        context = copy_context()
        context.run(_AROUND.set, {**_AROUND.get(), self._threads: self})
        context.run(_CALLS.set, (*_CALLS.get(), self))

        def work() -> None:
            try:
                result = context.run(call)
            except BaseException as exc:  # noqa: BLE001  (raised again where it is waited for)
                self._release()
                outcome.set_exception(raisable(exc))
            else:
                self._release()
                outcome.set_result(result)

        self._is_ours = False
        try:
            threading.Thread(target=work, name="langchain-control-call", daemon=True).start()
        except BaseException:
            self._release()
            raise
        return outcome

    def _release(self) -> None:
        self._threads.move(self, Standing.ENDED)


_AROUND: ContextVar[Mapping[BoundedThreads, FreeThread]] = ContextVar(
    "langchain_control_threads_around", default=MappingProxyType({})
)
"""The threads that a call is made in, one of each set."""

_CALLS: ContextVar[tuple[FreeThread, ...]] = ContextVar(
    "langchain_control_calls_around", default=()
)
"""All threads that a call is made in, the outermost first."""
