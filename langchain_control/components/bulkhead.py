"""Let a bounded number of calls be under way at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import Field

from langchain_control._effects import Call, Flow
from langchain_control.components._base import Wrapper
from langchain_control.errors import ControlError, RateLimited, rejection
from langchain_control.events import blocked
from langchain_control.outcomes import FailureMode, ValidationResult, failure
from langchain_control.stores.slots import Slots, Ticket

__all__ = ["Bulkhead"]


class Bulkhead(Wrapper[Any, Any]):
    """Bound how many calls are under way at a time, and how many wait.

    A provider that slows down fills an application with waiting calls until nothing else gets
    done. Behind a bulkhead it fills its own places and its own queue; what comes then is turned
    away at once.

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
    """Calls that may wait for a place. More than are served within `max_wait_seconds` is no use."""
    max_wait_seconds: float = Field(default=10.0, gt=0)
    """How long a call waits before it is turned away."""
    key: str | Callable[[RunnableConfig], str] = "default"
    """Whose places: a fixed name for all, or a function of the config, such as its tenant."""
    slots: Slots = Field(default_factory=Slots, repr=False, exclude=True)
    """The places."""

    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        key = self._key(config)
        ticket = self.slots.enter(key, places=self.max_concurrent, queue=self.max_queued)
        if ticket is None:
            raise (yield from self._refusal(self._full(), config))
        try:
            if not (yield _turn(ticket, self.max_wait_seconds)):
                raise (yield from self._refusal(self._too_late(), config))
            return (yield Call(bound, value, config))
        finally:  # also when cancelled, inside or in the queue
            self.slots.leave(ticket)

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:
        key = self._key(config)
        full = self.slots.inside(key) >= self.max_concurrent
        if full and self.slots.waiting(key) >= self.max_queued:
            raise (yield from self._refusal(self._full(), config))
        return value

    def _refusal(self, verdict: ValidationResult, config: RunnableConfig) -> Flow[ControlError]:
        yield blocked(type(self).__name__, verdict, config)
        return rejection(verdict, RateLimited)

    def _full(self) -> ValidationResult:
        message = f"{self.max_concurrent} calls are under way and {self.max_queued} wait"
        return failure(FailureMode.RATE_LIMITED, message)

    def _too_late(self) -> ValidationResult:
        message = f"no call of {self.max_concurrent} has ended within {self.max_wait_seconds:g} s"
        return failure(FailureMode.RATE_LIMITED, message)

    def _key(self, config: RunnableConfig) -> str:
        return self.key if isinstance(self.key, str) else self.key(config)


class _Turn:
    """The wait for a place, in the shape of a call."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket

    def invoke(self, seconds: float, config: RunnableConfig | None = None) -> bool:  # noqa: ARG002
        return self._ticket.wait(seconds)

    async def ainvoke(self, seconds: float, config: RunnableConfig | None = None) -> bool:  # noqa: ARG002
        return await self._ticket.await_turn(seconds)


def _turn(ticket: Ticket, seconds: float) -> Call:
    return Call(cast("Runnable[Any, Any]", _Turn(ticket)), seconds, None)
