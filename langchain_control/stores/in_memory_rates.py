"""Rate limits in the memory of one process."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_control._at_fork import renew_in_children
from langchain_control._shared import Shared
from langchain_control.stores.rates import (
    Demand,
    Denial,
    Grant,
    denied,
    others_wait,
    virtual_schedule,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["InMemoryRateStore"]

AT_ONCE = Grant(0.0)


class InMemoryRateStore(Shared):
    """Keep rate limits in memory, shared by the threads and tasks of one process.

    A forked child begins with every limit untouched.
    """

    def __init__(
        self, *, max_keys: int = 100_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with every limit untouched.

        Args:
            max_keys: Keys to remember. Beyond, the one not used for longest is forgotten, and
                has its whole burst again.
            clock: Seconds that never go back.
        """
        if max_keys < 1:
            msg = f"`max_keys` must be at least 1, got {max_keys}"
            raise ValueError(msg)
        self._max_keys, self._clock = max_keys, clock
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._arrivals: dict[str, dict[str, float]] = {}

    def take(
        self, key: str, demands: tuple[Demand, ...], max_wait_seconds: float
    ) -> Grant | Denial:
        """Take room for all demands, or for none if one would wait too long."""
        now = self._clock()
        longest, tightest, after = 0.0, None, {}
        with self._lock:
            arrivals = self._used_locked(key)
            for demand in demands:
                name = demand.name
                wait, after[name] = virtual_schedule(arrivals.get(name, now), demand, now)
                if wait > longest:
                    longest, tightest = wait, demand
            if tightest is not None and longest > max_wait_seconds:
                return denied(tightest, longest, max_wait_seconds)
            arrivals |= after
        return Grant(longest, now + longest) if longest else AT_ONCE

    def give_back(self, key: str, demands: tuple[Demand, ...], turn: float | None = None) -> None:
        """Return room that was not needed, unless others wait behind its turn."""
        now = self._clock()
        with self._lock:
            arrivals = self._used_locked(key)
            before = [max(arrivals.get(demand.name, now), now) for demand in demands]
            if turn is not None and others_wait(before, demands, turn, now):
                return
            for demand, arrival in zip(demands, before, strict=True):
                arrivals[demand.name] = arrival - demand.amount / demand.per_second

    def _used_locked(self, key: str) -> dict[str, float]:
        """Return the arrival times of a key, which is the last one to be forgotten from now on."""
        arrivals = self._arrivals.pop(key, None)
        if arrivals is None:
            arrivals = {}
            if len(self._arrivals) >= self._max_keys:
                del self._arrivals[next(iter(self._arrivals))]
        self._arrivals[key] = arrivals
        return arrivals

    def __repr__(self) -> str:
        """Show the bound and how much of it is used."""
        return f"InMemoryRateStore(keys={len(self._arrivals)}, max_keys={self._max_keys})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as an empty store: what was taken belongs to its process."""
        return partial(InMemoryRateStore, max_keys=self._max_keys, clock=self._clock), ()
