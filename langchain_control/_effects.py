"""Sync and async, written once.

Logic with I/O is a generator that yields what it needs, as httpx does for `auth_flow`; `run` and
`arun` perform it. Logic without I/O stays a plain function.

What may be yielded: `Call`, `Await`, `Sleep`, `Emit`, or the result of a plug-in, which may be an
awaitable.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from langchain_core.callbacks.manager import adispatch_custom_event, dispatch_custom_event

from langchain_control._waiting import await_within
from langchain_control.sync_only import is_sync_only

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from langchain_core.runnables import Runnable, RunnableConfig

    from langchain_control._threads import BoundedThreads
    from langchain_control._waiting import Patience

__all__ = ["AsyncInSyncCallError", "Await", "Call", "Emit", "Flow", "Sleep", "arun", "run"]

T = TypeVar("T")
Flow = Generator[Any, Any, T]
"""A generator of effects that returns a `T`."""


class AsyncInSyncCallError(TypeError):
    """An async plug-in was asked by a sync call."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("an async plug-in cannot answer a sync call; use `ainvoke`")


class Call(NamedTuple):
    """Invoke a Runnable, within a hard time limit if one is given."""

    runnable: Runnable[Any, Any]
    input: Any
    config: RunnableConfig | None
    timeout_seconds: float | None = None
    threads: BoundedThreads | None = None
    """Where a sync call with a time limit runs, and any call of a Runnable that has no async."""
    patience: Patience | None = None
    """May give the call up before the limit."""
    is_fair: bool = True
    """Whether it has the time that is its due. One that has not proves nothing by being late."""


class Await(NamedTuple):
    """Await what a plug-in gave, within a hard time limit."""

    given: Awaitable[Any]
    timeout_seconds: float


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
    if isinstance(effect, Call) and effect.timeout_seconds is None:  # the usual one, at once
        return effect.runnable.invoke(effect.input, effect.config)
    match effect:
        case Call(runnable, given, config, float() | int() as seconds, threads, patience):
            if threads is None:
                msg = "a sync call with a time limit needs `threads`"
                raise TypeError(msg)
            return threads.run(lambda: runnable.invoke(given, config), seconds, patience)
        case Sleep(seconds):
            return time.sleep(seconds)
        case Emit(name, data, config):
            return dispatch_custom_event(name, data, config=config)
        case Await(given):
            raise _not_in_sync(given)
        case _ if inspect.isawaitable(effect):
            raise _not_in_sync(effect)
        case plain:
            return plain


def _not_in_sync(given: Awaitable[Any]) -> AsyncInSyncCallError:
    if inspect.iscoroutine(given):
        given.close()
    return AsyncInSyncCallError()


async def _aperform(effect: Any) -> Any:
    if isinstance(effect, Call) and effect.timeout_seconds is None:
        return await effect.runnable.ainvoke(effect.input, effect.config)
    match effect:
        case Call(runnable, given, config, float() | int() as seconds, threads, patience):
            if threads is not None and is_sync_only(runnable):
                return await threads.arun(lambda: runnable.invoke(given, config), seconds, patience)
            coming = runnable.ainvoke(given, config)
        case Await(coming, seconds):
            patience = None
        case Sleep(seconds):
            return await asyncio.sleep(seconds)
        case Emit(name, data, config):
            return await adispatch_custom_event(name, data, config=config)
        case other:
            return await other if inspect.isawaitable(other) else other
    return await await_within(asyncio.ensure_future(coming), seconds, patience)
