"""A bounded number of threads for sync calls with a hard time limit."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_control._waiting import Patience, await_within, no_answer, raisable, waits

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BoundedThreads", "FreeThread", "NoFreeThread"]

T = TypeVar("T")

POLL_SECONDS = 0.01
"""How often async code looks for a free thread: waiting for it must not block the event loop."""


class NoFreeThread(TimeoutError):  # noqa: N818  (named for what happened, like its relatives)
    """All threads were busy for as long as a call may wait; it was not started."""


class BoundedThreads:
    """Run sync calls on at most `limit` threads, each call within its own time limit.

    Python cannot stop a thread: a call that outlives its limit keeps its thread until it returns.
    So the number of threads is bounded, and a call that finds none free fails with `NoFreeThread`
    without being started. A call's time limit begins when it has its thread, so waiting for one
    does not shorten it. Threads end with their call; nothing stays behind.
    """

    def __init__(self, limit: int = 32) -> None:
        """Allow `limit` calls at a time, those included that were given up but still run."""
        if limit < 1:
            msg = f"`limit` must be at least 1, got {limit}"
            raise ValueError(msg)
        self.limit = limit
        self._free = threading.BoundedSemaphore(limit)

    @property
    def is_free(self) -> bool:
        """Whether a call would find a thread right now."""
        if taken := self._free.acquire(blocking=False):
            self._free.release()
        return taken

    def take(self, max_wait_seconds: float) -> FreeThread:
        """Return a thread for one call, which must run in it or give it back.

        Raises:
            NoFreeThread: All were busy that long.
        """
        started = time.monotonic()
        if not self._free.acquire(timeout=max(0.0, max_wait_seconds)):
            raise self._none_free(max_wait_seconds)
        return FreeThread(self._free, time.monotonic() - started)

    async def atake(self, max_wait_seconds: float) -> FreeThread:
        """Return a thread for one call. See `take`; the event loop is never blocked."""
        started = time.monotonic()
        while not self._free.acquire(blocking=False):
            if time.monotonic() - started >= max_wait_seconds:
                raise self._none_free(max_wait_seconds)
            await asyncio.sleep(POLL_SECONDS)
        return FreeThread(self._free, time.monotonic() - started)

    def _none_free(self, seconds: float) -> NoFreeThread:
        return NoFreeThread(f"no free thread within {seconds:g} s ({self.limit} are busy)")

    def __repr__(self) -> str:
        """Show the bound."""
        return f"BoundedThreads(limit={self.limit})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as an empty set of threads: running calls stay in their process."""
        return BoundedThreads, (self.limit,)

    def __deepcopy__(self, memo: dict[int, Any]) -> BoundedThreads:
        """Copy as the same set: copies of a policy share the bound."""
        return self


class FreeThread:
    """A thread that was taken for one call."""

    def __init__(self, places: threading.BoundedSemaphore, waited_seconds: float) -> None:
        """Take over a thread.

        Args:
            places: The semaphore it was taken from, and is given back to.
            waited_seconds: How long it was waited for.
        """
        self.waited_seconds = waited_seconds
        self._places = places
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
        for step in waits(timeout_seconds, patience):
            try:
                outcome.exception(timeout=step)
            except TimeoutError:  # of waiting: what the call itself raises is returned, not raised
                continue
            return outcome.result()
        raise no_answer(started)

    async def arun(
        self, call: Callable[[], T], timeout_seconds: float, patience: Patience | None = None
    ) -> T:
        """Await what `call` returns or raises. See `run`."""
        outcome = asyncio.wrap_future(self._start(call))
        return await await_within(outcome, timeout_seconds, patience)

    def give_back(self) -> None:
        """Leave the thread to others. No effect once a call has begun: it gives it back itself."""
        if self._is_ours:
            self._is_ours = False
            self._places.release()

    def _start(self, call: Callable[[], T]) -> Future[T]:
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()  # so that nobody can cancel it any more
        context = copy_context()

        def work() -> None:
            try:
                result = context.run(call)
            except BaseException as exc:  # noqa: BLE001  (raised again where it is waited for)
                self._places.release()
                outcome.set_exception(raisable(exc))
            else:
                self._places.release()
                outcome.set_result(result)

        self._is_ours = False
        try:
            threading.Thread(target=work, name="langchain-control-call", daemon=True).start()
        except BaseException:
            self._places.release()
            raise
        return outcome
