"""Let a bounded number of calls be under way at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import Field

from langchain_control._effects import Call, Flow
from langchain_control._least import least
from langchain_control._waiting import MAX_SECONDS
from langchain_control.components.shapes import Wrapper
from langchain_control.errors import RateLimited, rejection
from langchain_control.events import EventName, blocked, event
from langchain_control.outcomes import FailureMode, ValidationResult, failure
from langchain_control.stores.keys import joined
from langchain_control.stores.slots import Slots, Ticket

__all__ = ["Bulkhead", "NoPlace"]

T = TypeVar("T")


class NoPlace(NamedTuple):
    """No place for a call: all were taken, and the queue was full or too slow."""

    verdict: ValidationResult


class Bulkhead(Wrapper[Any, Any]):
    """Bound how many calls are under way at a time, and how many wait.

    A provider that slows down fills an application with waiting calls until nothing else gets
    done. Behind a bulkhead it fills its own places and its own queue; what comes then is turned
    away at once.

    !!! example "No more than 20 calls of each model at a time"

        ```python
        policy = ControlPolicy(bulkhead=Bulkhead(max_concurrent=20))
        ```

    !!! example "No more than 20 calls at a time, for each tenant"

        ```python
        model = Bulkhead(
            max_concurrent=20,
            key=lambda config: config["configurable"]["tenant"],
        ).wrap(ChatOpenAI(model="gpt-4o"))
        ```

    Invoked as a Runnable of its own it hands its input on, unless its places and its queue are
    full. That takes no place, as nobody would give it back.
    """

    max_concurrent: int = Field(default=32, ge=1)
    """Calls under way at a time. About what the provider serves without slowing down."""
    max_queued: int = Field(default=32, ge=0)
    """Calls that may wait for a place. Those not served within `max_wait_seconds` wait in vain."""
    max_wait_seconds: float = Field(default=10.0, gt=0, le=MAX_SECONDS)
    """How long a call waits before it is turned away."""
    key: str | Callable[[RunnableConfig], str] = "default"
    """Whose places: a fixed name for all, or a function of the config, such as its tenant."""
    slots: Slots = Field(default_factory=Slots, repr=False, exclude=True)
    """The places."""
    clock: Callable[[], float] = Field(default=time.monotonic, repr=False, exclude=True)
    """Seconds from any start, for waits."""

    def inside(
        self,
        calling: Flow[T],
        config: RunnableConfig,
        *,
        name: str | None = None,
        max_wait_seconds: float | None = None,
    ) -> Flow[T | NoPlace]:
        """Perform a flow in a place of its own, as a flow.

        Args:
            calling: Begins once there is a place.
            config: Names the key; hears of waits.
            name: Whose places they are under this key, such as the model's.
            max_wait_seconds: What is left of a deadline; bounds the wait further.

        Returns:
            What `calling` returns, or `NoPlace`.
        """
        key = self._key(config, name)
        ticket = self.slots.enter(key, places=self.max_concurrent, queue=self.max_queued)
        if ticket is None:
            return (yield from self._turned_away(self._full(), config))
        try:
            if not ticket.is_admitted:
                patience = least(self.max_wait_seconds, max_wait_seconds)
                if not (yield from self._queued(ticket, patience, config)):
                    return (yield from self._turned_away(self._too_late(patience), config))
            return (yield from calling)
        finally:  # also when cancelled, inside or in the queue
            self.slots.leave(ticket)

    def would_queue(self, config: RunnableConfig, name: str | None = None) -> bool:
        """Say whether all places are taken at this moment."""
        return self.slots.inside(self._key(config, name)) >= self.max_concurrent

    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        answer = yield from self.inside(_called(bound, value, config), config)
        if isinstance(answer, NoPlace):
            raise rejection(answer.verdict, RateLimited)
        return answer

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:
        key = self._key(config)
        if self.would_queue(config) and self.slots.waiting(key) >= self.max_queued:
            no_place = yield from self._turned_away(self._full(), config)
            raise rejection(no_place.verdict, RateLimited)
        return value

    def _queued(self, ticket: Ticket, seconds: float, config: RunnableConfig) -> Flow[bool]:
        started = self.clock()
        is_admitted: bool = yield _turn(ticket, seconds)
        waited = round(self.clock() - started, 6)
        name = type(self).__name__
        yield event(EventName.WAITED, config, component=name, delay_seconds=waited)
        return is_admitted

    def _turned_away(self, message: str, config: RunnableConfig) -> Flow[NoPlace]:
        verdict = failure(FailureMode.BULKHEAD_FULL, message)
        yield blocked(type(self).__name__, verdict, config)
        return NoPlace(verdict)

    def _full(self) -> str:
        return f"the bulkhead is full: {self.max_concurrent} under way, {self.max_queued} waiting"

    def _too_late(self, seconds: float) -> str:
        return f"no place in the bulkhead became free within {seconds:g} s"

    def _key(self, config: RunnableConfig, name: str | None = None) -> str:
        key = self.key if isinstance(self.key, str) else self.key(config)
        return joined(str(key), name)


def _called(bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
    return (yield Call(bound, value, config))


class _Turn:
    """Waiting for a place; called as a Runnable is."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket

    def invoke(self, seconds: float, config: RunnableConfig | None = None) -> bool:  # noqa: ARG002
        return self._ticket.wait(seconds)

    async def ainvoke(self, seconds: float, config: RunnableConfig | None = None) -> bool:  # noqa: ARG002
        return await self._ticket.await_turn(seconds)


def _turn(ticket: Ticket, seconds: float) -> Call:
    return Call(cast("Runnable[Any, Any]", _Turn(ticket)), seconds, None)
