"""Sync and async, written once.

Logic with I/O is a generator that yields what it needs, as httpx does for `auth_flow`; `run` and
`arun` perform it. Logic without I/O stays a plain function.

What may be yielded: `Call`, `Ready`, `Await`, `Sleep`, `Emit`, or the result of a plug-in, which
may be an awaitable.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from langchain_core.callbacks.manager import adispatch_custom_event, dispatch_custom_event
from langchain_core.runnables.config import ensure_config

from langchain_control._least import least
from langchain_control._waiting import await_within, raisable, running_task
from langchain_control.errors.listeners import listening
from langchain_control.sync_only import is_sync_only

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from langchain_core.runnables import Runnable, RunnableConfig

    from langchain_control._threads import BoundedThreads, FreeThread
    from langchain_control._waiting import Patience

__all__ = [
    "AsyncInSyncCallError",
    "Await",
    "Call",
    "Emit",
    "Flow",
    "Ready",
    "Sleep",
    "arun",
    "run",
]

T = TypeVar("T")

FAIR_SHARE = 0.5
"""What a call must have had of the time that it can have at most, for a timeout to count."""

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
    """Full time limit of the call."""
    threads: BoundedThreads | None = None
    """Where a sync call with a time limit runs, and any call of a Runnable that has no async."""
    patience: Patience | None = None
    """May give the call up before the limit."""
    remaining_seconds: float | None = None
    """What is left to its request, for waiting and calling together. `None` sets no limit."""
    deadline_seconds: float | None = None
    """What its request had in all. `None` if that has no deadline."""
    thread: FreeThread | None = None
    """The thread it runs in, once one is free."""

    @property
    def limit_seconds(self) -> float | None:
        """How long it may take: its full time limit, or what its request has left, if less."""
        return least(self.timeout_seconds, self.remaining_seconds)

    @property
    def is_fair(self) -> bool:
        """Whether a timeout says something about the provider.

        It does if the call may take at least half of the shorter of its time limit and the whole
        deadline of its request. With less, what came before it may be to blame. If the
        deadline is shorter, it acts as the time limit: otherwise a provider that hangs would never
        count as timed out.
        """
        limit = self.limit_seconds
        whole = least(self.timeout_seconds, self.deadline_seconds)
        return limit is None or whole is None or limit >= FAIR_SHARE * whole

    def without_limit(self) -> Call:
        """Return the call as one that takes no time: it needs no thread to be given up in."""
        return self._replace(timeout_seconds=None, remaining_seconds=None)

    def given(self, thread: FreeThread) -> Call:
        """Return the call with its thread, less the time that was spent waiting for it."""
        left = self.remaining_seconds
        remaining = None if left is None else max(0.0, left - thread.waited_seconds)
        return self._replace(thread=thread, remaining_seconds=remaining)

    def give_back(self) -> None:
        """Leave the thread to others, if the call has not begun."""
        if self.thread is not None:
            self.thread.give_back()


class Ready(NamedTuple):
    """Wait until a call can begin at once, and return it, with its thread if it needs one.

    Whoever asks for it makes the call, or calls its `give_back`. Raises `NoFreeThread`.
    """

    call: Call
    may_wait: bool = True
    """Whether to wait for a thread as long as the call may take. Else there is one or none."""


class Await(NamedTuple):
    """Await what a plug-in gave, within a hard time limit."""

    given: Awaitable[Any]
    timeout_seconds: float


class Sleep(NamedTuple):
    """Wait."""

    seconds: float


class Emit(NamedTuple):
    """Send a LangChain custom event to whoever listens on `config`; outside a run, to nobody."""

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
            error = raisable(exc)


async def arun(flow: Flow[T]) -> T:
    """Perform a flow asynchronously. See `run`."""
    task = running_task()
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
            is_closed = task is None or running_task() is not task  # nobody performs it any more
            error = exc if is_closed else raisable(exc)


def _perform(effect: Any) -> Any:
    match effect:
        case Call():
            return _called(effect)
        case Ready(call, may_wait):
            return _ready(call, may_wait=may_wait)
        case Sleep(seconds):
            return time.sleep(seconds)
        case Emit(name, data, config):
            if _in_a_run(config):
                with listening():
                    dispatch_custom_event(name, data, config=config)
            return None
        case Await(given):
            raise _not_in_sync(given)
        case _ if inspect.isawaitable(effect):
            raise _not_in_sync(effect)
        case plain:
            return plain


def _called(call: Call) -> Any:
    runnable, given, config, *_ = call = _ready(call)
    limit = call.limit_seconds
    if call.thread is None or limit is None:
        return runnable.invoke(given, config)
    return call.thread.run(lambda: runnable.invoke(given, config), limit, call.patience)


def _ready(call: Call, *, may_wait: bool = True) -> Call:
    limit = call.limit_seconds
    if limit is None or call.thread is not None:
        return call
    if call.threads is None:
        msg = "a sync call with a time limit needs `threads`"
        raise TypeError(msg)
    return call.given(call.threads.take(limit if may_wait else 0))


def _in_a_run(config: RunnableConfig) -> bool:
    """Say whether LangChain finds a run to send an event on: without one it raises."""
    callbacks = config.get("callbacks") or ensure_config(config).get("callbacks")
    return getattr(callbacks, "parent_run_id", None) is not None


def _not_in_sync(given: Awaitable[Any]) -> AsyncInSyncCallError:
    if inspect.iscoroutine(given):
        given.close()
    return AsyncInSyncCallError()


async def _aperform(effect: Any) -> Any:
    match effect:
        case Call():
            return await _acalled(effect)
        case Ready(call, may_wait):
            return await _aready(call, may_wait=may_wait)
        case Sleep(seconds):
            return await asyncio.sleep(seconds)
        case Emit(name, data, config):
            if _in_a_run(config):
                with listening():
                    await adispatch_custom_event(name, data, config=config)
            return None
        case Await(given, seconds):
            return await await_within(asyncio.ensure_future(given), seconds)
        case other:
            return await other if inspect.isawaitable(other) else other


async def _acalled(call: Call) -> Any:
    runnable, given, config, *_ = call = await _aready(call)
    limit = call.limit_seconds
    if limit is None:
        return await runnable.ainvoke(given, config)
    if call.thread is not None:
        return await call.thread.arun(lambda: runnable.invoke(given, config), limit, call.patience)
    answering = asyncio.ensure_future(runnable.ainvoke(given, config))
    return await await_within(answering, limit, call.patience)


async def _aready(call: Call, *, may_wait: bool = True) -> Call:
    limit = call.limit_seconds
    if limit is None or call.threads is None or call.thread is not None:
        return call
    if not is_sync_only(call.runnable):
        return call
    return call.given(await call.threads.atake(limit if may_wait else 0))
