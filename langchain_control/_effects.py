"""Sync and async, written once.

Logic with I/O is a generator that yields what it needs, as httpx does for `auth_flow`; `run` and
`arun` perform it. Logic without I/O stays a plain function.

What may be yielded: `Call`, `Sleep`, `Emit`, or the result of a plug-in, which may be an awaitable.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from langchain_core.callbacks.manager import adispatch_custom_event, dispatch_custom_event

from langchain_control._threads import waits

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from langchain_core.runnables import Runnable, RunnableConfig

    from langchain_control._threads import BoundedThreads

__all__ = ["Call", "Emit", "Flow", "Sleep", "arun", "run"]

T = TypeVar("T")
Flow = Generator[Any, Any, T]
"""A generator of effects that returns a `T`."""


class Call(NamedTuple):
    """Invoke a Runnable, within a hard time limit if one is given."""

    runnable: Runnable[Any, Any]
    input: Any
    config: RunnableConfig | None
    timeout_seconds: float | None = None
    threads: BoundedThreads | None = None
    """Where a sync call with a time limit runs; needed only with `timeout_seconds`."""
    patience: Callable[[], float] | None = None
    """Asked within the time limit, at the start and after each wait, how many seconds to wait
    before asking again. 0 gives the call up, as the limit does."""


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


class Emit(NamedTuple):
    """Send a LangChain custom event to whoever listens on `config`."""

    name: str
    data: dict[str, Any]
    config: RunnableConfig


def run(flow: Flow[T]) -> T:
    """Perform a flow synchronously.

    Every `BaseException` goes back into the flow, so that its `finally` blocks also run when a
    call is interrupted.
    """
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            effect = flow.throw(error) if error is not None else flow.send(value)
        except StopIteration as stop:
            result: T = stop.value
            return result
        value, error = None, None
        try:
            value = _perform(effect)
        except BaseException as exc:  # noqa: BLE001  (handed to the flow, never swallowed)
            error = exc


async def arun(flow: Flow[T]) -> T:
    """Perform a flow asynchronously. See `run`."""
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            effect = flow.throw(error) if error is not None else flow.send(value)
        except StopIteration as stop:
            result: T = stop.value
            return result
        value, error = None, None
        try:
            value = await _aperform(effect)
        except BaseException as exc:  # noqa: BLE001  (handed to the flow, never swallowed)
            error = exc


def _perform(effect: Any) -> Any:
    match effect:
        case Call(runnable, given, config, None):
            return runnable.invoke(given, config)
        case Call(runnable, given, config, float() | int() as seconds, threads, patience):
            if threads is None:
                msg = "a sync call with a time limit needs `threads`"
                raise TypeError(msg)
            return threads.run(lambda: runnable.invoke(given, config), seconds, patience)
        case Sleep(seconds):
            return time.sleep(seconds)
        case Emit(name, data, config):
            return dispatch_custom_event(name, data, config=config)
        case _ if inspect.isawaitable(effect):
            if inspect.iscoroutine(effect):
                effect.close()
            msg = "an async plug-in cannot answer a sync call; use `ainvoke`"
            raise TypeError(msg)
        case plain:
            return plain


async def _aperform(effect: Any) -> Any:
    match effect:
        case Call(runnable, given, config, None):
            return await runnable.ainvoke(given, config)
        case Call(runnable, given, config, float() | int() as seconds, _, patience):
            return await _within(seconds, runnable.ainvoke(given, config), patience)
        case Sleep(seconds):
            return await asyncio.sleep(seconds)
        case Emit(name, data, config):
            return await adispatch_custom_event(name, data, config=config)
        case other:
            return await other if inspect.isawaitable(other) else other


async def _within(
    seconds: float, call: Coroutine[Any, Any, T], patience: Callable[[], float] | None
) -> T:
    """Await a call for at most `seconds`, even if it swallows its own cancellation."""
    started = time.monotonic()
    task = asyncio.ensure_future(call)
    try:
        for step in waits(seconds, patience):
            done, _ = await asyncio.wait({task}, timeout=step)
            if done:
                return task.result()
    except BaseException:
        _abandon(task)
        raise
    _abandon(task)
    msg = f"no answer within {time.monotonic() - started:.3g} s"
    raise TimeoutError(msg)


def _abandon(task: asyncio.Future[Any]) -> None:
    task.cancel()
    # Retrieve whatever it still raises, or asyncio complains at garbage collection.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
