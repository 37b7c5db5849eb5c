"""A bounded number of threads for sync calls with a hard time limit."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BoundedThreads", "NoFreeThread", "waits"]

T = TypeVar("T")


class NoFreeThread(TimeoutError):  # noqa: N818  (named for what happened, like its relatives)
    """All threads were busy for the whole time limit; the call was not started."""


class BoundedThreads:
    """Run sync calls on at most `limit` threads, each call within its own time limit.

    Python cannot stop a thread: a call that outlives its limit keeps its thread until it returns.
    So the number of threads is bounded, and a call that finds none free within its limit fails
    with `NoFreeThread` without being started. Threads end with their call; nothing stays behind.
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

    def run(
        self,
        call: Callable[[], T],
        timeout_seconds: float,
        patience: Callable[[], float] | None = None,
    ) -> T:
        """Return what `call` returns or raise what it raises.

        Args:
            call: Runs in a thread of its own.
            timeout_seconds: How long to wait for it.
            patience: May give it up earlier; see `waits`.

        Raises:
            TimeoutError: There was no answer within the time limit, or it was given up earlier.
            NoFreeThread: All threads were busy that long.
        """
        started = time.monotonic()
        if not self._free.acquire(timeout=max(0.0, timeout_seconds)):
            msg = f"no free call thread within {timeout_seconds:g} s ({self.limit} are busy)"
            raise NoFreeThread(msg)
        outcome: dict[str, Any] = {}
        finished = threading.Event()
        context = copy_context()

        def work() -> None:
            try:
                outcome["value"] = context.run(call)
            except BaseException as exc:  # noqa: BLE001  (raised again in the caller's thread)
                outcome["error"] = exc
            finally:
                self._free.release()
                finished.set()

        thread = threading.Thread(target=work, name="langchain-control-call", daemon=True)
        try:
            thread.start()
        except BaseException:
            self._free.release()
            raise
        remaining = timeout_seconds - (time.monotonic() - started)
        if not any(finished.wait(step) for step in waits(remaining, patience)):
            msg = f"no answer within {time.monotonic() - started:.3g} s"
            raise TimeoutError(msg)
        if "error" in outcome:
            raise outcome["error"]
        value: T = outcome["value"]
        return value

    def __repr__(self) -> str:
        """Show the bound."""
        return f"BoundedThreads(limit={self.limit})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as an empty set of threads: running calls stay in their process."""
        return BoundedThreads, (self.limit,)

    def __deepcopy__(self, memo: dict[int, Any]) -> BoundedThreads:
        """Copy as the same set: copies of a policy share the bound."""
        return self


def waits(limit_seconds: float, patience: Callable[[], float] | None = None) -> Iterator[float]:
    """Cut a time limit into waits.

    Args:
        limit_seconds: Where the waits end at the latest.
        patience: Asked before each wait how long it may be; 0 ends the waits. Without it there is
            one wait, up to the limit.
    """
    if patience is None:
        yield max(0.0, limit_seconds)
        return
    ends = time.monotonic() + limit_seconds
    while (remaining := ends - time.monotonic()) > 0:
        step = patience()
        if step <= 0:
            return
        yield min(step, remaining)
