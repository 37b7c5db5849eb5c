"""Circuits in the memory of one process."""

from __future__ import annotations

import itertools
import random
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_control._at_fork import renew_in_children
from langchain_control._shared import Shared
from langchain_control.circuits import Outcome, Permit
from langchain_control.circuits.machine import Circuit
from langchain_control.stores.eviction import to_forget

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_control.circuits import (
        CircuitRules,
        CircuitState,
        CircuitView,
        Refusal,
    )
    from langchain_control.stores import Changes

__all__ = ["InMemoryCircuitStore"]

SUCCESS = Outcome.SUCCESS  # read once, see `langchain_control.circuits.machine`


class InMemoryCircuitStore(Shared):
    """Keep circuits in memory, shared by the threads and tasks of one process.

    An admitted call that succeeds on a closed circuit takes no lock. Every other operation holds
    the store's lock for its own few microseconds, never while a caller's code runs. A forked child
    begins with an empty store: all circuits are closed, also those held open by hand.
    """

    def __init__(
        self,
        *,
        max_keys: int = 1024,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        """Start empty.

        Args:
            max_keys: Circuits to remember. Beyond, one that was not used lately is forgotten,
                closed ones first.
            clock: Seconds that never go back.
            uniform: Random numbers between 0 and 1, for jitter.
        """
        if max_keys < 1:
            msg = f"`max_keys` must be at least 1, got {max_keys}"
            raise ValueError(msg)
        self._max_keys, self._clock, self._uniform = max_keys, clock, uniform
        self._numbers = itertools.count(1).__next__
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._circuits: dict[str, Circuit] = {}

    def acquire(self, key: str, rules: CircuitRules) -> Permit | Refusal:
        """Admit or refuse one call."""
        circuit = self._circuits.get(key)
        if circuit is not None and (permit := circuit.standing_permit) is not None:
            circuit.used = True
            if rules.window is None:
                return permit
            return Permit(key, permit.generation, self._numbers(), self._clock())
        now = self._clock()
        with self._lock:
            return self._circuit_locked(key, now).admit(rules, now)

    def record(
        self,
        permit: Permit,
        outcome: Outcome,
        rules: CircuitRules,
        retry_after: float | None = None,
    ) -> Changes:
        """Take the verdict of one call."""
        circuit = self._circuits.get(permit.key)
        if circuit is None or (outcome is SUCCESS and circuit.success_tells_nothing(permit)):
            return ()
        now = self._clock()
        with self._lock:
            circuit.record(permit, outcome, rules, now, retry_after)
            return circuit.take_changes()

    def hold(self, key: str, state: CircuitState) -> Changes:
        """Put a circuit into a state until `reset`."""
        now = self._clock()
        with self._lock:
            circuit = self._circuit_locked(key, now)
            circuit.hold(state, now)
            return circuit.take_changes()

    def reset(self, key: str) -> Changes:
        """Close a circuit and forget its past."""
        now = self._clock()
        with self._lock:
            circuit = self._circuit_locked(key, now)
            circuit.reset(now)
            return circuit.take_changes()

    def view(self, key: str, rules: CircuitRules) -> CircuitView:
        """Describe one circuit."""
        now = self._clock()
        with self._lock:
            circuit = self._circuits.get(key) or self._new(key, now)
            return circuit.view(rules, now)

    def keys(self) -> tuple[str, ...]:
        """Name the circuits that are remembered."""
        with self._lock:
            return tuple(self._circuits)

    def _circuit_locked(self, key: str, now: float) -> Circuit:
        circuit = self._circuits.get(key)
        if circuit is None:
            if len(self._circuits) >= self._max_keys:
                del self._circuits[to_forget(self._circuits)]
            circuit = self._circuits[key] = self._new(key, now)
        circuit.used = True
        return circuit

    def _new(self, key: str, now: float) -> Circuit:
        return Circuit(key, now=now, numbers=self._numbers, uniform=self._uniform)

    def __repr__(self) -> str:
        """Show the bound and how much of it is used."""
        return f"InMemoryCircuitStore(circuits={len(self._circuits)}, max_keys={self._max_keys})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as an empty store: circuits belong to their process."""
        rebuild = partial(
            InMemoryCircuitStore, max_keys=self._max_keys, clock=self._clock, uniform=self._uniform
        )
        return rebuild, ()
