"""Waiting for a call, up to a time limit or until it is given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

__all__ = [
    "MAX_SECONDS",
    "Patience",
    "await_within",
    "no_answer",
    "raisable",
    "running_task",
    "waits",
]

T = TypeVar("T")

MAX_SECONDS = 86_400.0
"""A day: the longest time limit and the longest wait. Some clocks overflow at what is longer."""

Patience = Callable[[], float]
"""Returns how many seconds the next wait may take; 0 gives the call up."""


def waits(limit_seconds: float, patience: Patience | None = None) -> Iterator[float]:
    """Cut a time limit into waits.

    Args:
        limit_seconds: Where the waits end at the latest.
        patience: How long each may be. Without it there is one wait, up to the limit.
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


async def await_within(
    call: asyncio.Future[T], limit_seconds: float, patience: Patience | None = None
) -> T:
    """Await a call up to a time limit, even if it swallows its own cancellation.

    Raises:
        TimeoutError: There was no answer in time, or it was given up earlier.
    """
    started = time.monotonic()
    try:
        for step in waits(limit_seconds, patience):
            done, _ = await asyncio.wait({call}, timeout=step)
            if done:
                return call.result()
    except BaseException:
        _abandon(call)
        raise
    _abandon(call)
    raise no_answer(started)


def raisable(exc: BaseException) -> BaseException:
    """Wrap `StopIteration` and `GeneratorExit`: generators and futures take them for their end.

    LangChain's own executor makes the same of `StopIteration`.
    """
    if not isinstance(exc, StopIteration | GeneratorExit):
        return exc
    error = RuntimeError(f"a call raised `{type(exc).__name__}`")
    error.__cause__ = exc
    return error


def running_task() -> asyncio.Task[Any] | None:
    """Return the task that runs at this moment. A coroutine that is closed may be in none."""
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop is running
        return None


def no_answer(started: float) -> TimeoutError:
    """Build the error of a call without an answer since `started`, on the monotonic clock."""
    return TimeoutError(f"no answer within {time.monotonic() - started:.3g} s")


def _abandon(call: asyncio.Future[Any]) -> None:
    call.cancel()
    # Retrieve whatever it still raises, or asyncio complains at garbage collection.
    call.add_done_callback(lambda done: done.cancelled() or done.exception())
