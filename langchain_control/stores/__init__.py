"""Where circuits and rate limits keep their state.

A store is the only place that knows the time and holds locks. Each operation is one atomic step;
no lock is held while a caller's code runs. One store may serve any number of components; names
keep them apart.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, runtime_checkable

from langchain_control._lazy_attributes import lazy_attributes

if TYPE_CHECKING:
    from langchain_control.circuits import (
        CircuitRules,
        CircuitState,
        CircuitView,
        Outcome,
        Permit,
        Refusal,
        StateChange,
    )
    from langchain_control.stores.in_memory_circuits import InMemoryCircuitStore
    from langchain_control.stores.in_memory_rates import InMemoryRateStore
    from langchain_control.stores.rates import Demand, Denial, Grant
    from langchain_control.stores.redis_circuits import RedisCircuitStore
    from langchain_control.stores.redis_rates import RedisRateStore

__all__ = [
    "Changes",
    "CircuitStore",
    "InMemoryCircuitStore",
    "InMemoryRateStore",
    "MaybeAwaitable",
    "RateStore",
    "RedisCircuitStore",
    "RedisRateStore",
]

T = TypeVar("T")

MaybeAwaitable: TypeAlias = T | Awaitable[T]
"""A value, or an awaitable of one from a store that answers asynchronously."""

Changes: TypeAlias = "tuple[StateChange, ...]"
"""What an operation changed, or found changed since the last one."""


@runtime_checkable
class CircuitStore(Protocol):
    """Keeps circuits. What a store of your own must do is what `InMemoryCircuitStore` does.

    `rules` come with every call and are never kept: a component is its own configuration.
    Every state change is reported once: by the operation that caused or first noticed it. An
    implementation must not raise for trouble of its own, such as a lost connection: it must
    guard on with what it knows.

    A store may answer with awaitables. Calls made with `ainvoke` and permits asked for with
    `aacquire` wait for them. Cancelled while it asks, such a store gives back what it was just
    granted, or a probe's slot stays taken until its lease ends.

    A breaker's `state`, `snapshot`, `open`, `close`, `reset` and `give_up_late_calls`, for which
    `view`, `keys`, `hold` and `reset` are asked, need a store that answers at once.
    """

    def acquire(self, key: str, rules: CircuitRules) -> MaybeAwaitable[Permit | Refusal]:
        """Admit or refuse one call."""

    def record(
        self,
        permit: Permit,
        outcome: Outcome,
        rules: CircuitRules,
        retry_after: float | None = None,
    ) -> MaybeAwaitable[Changes]:
        """Take the verdict of one call. Outdated and repeated permits have no effect."""

    def hold(self, key: str, state: CircuitState) -> MaybeAwaitable[Changes]:
        """Put a circuit into `OPEN` or `CLOSED` until `reset`."""

    def reset(self, key: str) -> MaybeAwaitable[Changes]:
        """Close a circuit and forget its past."""

    def view(self, key: str, rules: CircuitRules) -> MaybeAwaitable[CircuitView]:
        """Describe one circuit. Describing it uses up nothing."""

    def keys(self) -> MaybeAwaitable[tuple[str, ...]]:
        """Name the circuits that are known here."""


@runtime_checkable
class RateStore(Protocol):
    """Keeps rate limits. What a store of your own must do is what `InMemoryRateStore` does."""

    def take(
        self, key: str, demands: tuple[Demand, ...], max_wait_seconds: float
    ) -> MaybeAwaitable[Grant | Denial]:
        """Take room for all demands, or for none if one would wait too long."""

    def give_back(
        self, key: str, demands: tuple[Demand, ...], turn: float | None = None
    ) -> MaybeAwaitable[None]:
        """Return room that was not needed. A negative amount takes what was needed in excess.

        Args:
            key: Whose room it was.
            demands: How much of it.
            turn: From the `Grant`, where its turn was not used. While somebody else has a later
                one, nothing comes back: who came next would share that turn with them.
        """


__getattr__ = lazy_attributes(
    __name__,
    {
        "InMemoryCircuitStore": "in_memory_circuits",
        "InMemoryRateStore": "in_memory_rates",
        "RedisCircuitStore": "redis_circuits",
        "RedisRateStore": "redis_rates",
    },
)
