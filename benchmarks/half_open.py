"""How many probes a half-open circuit admits when many callers ask at the same moment."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import Counter

from langchain_control.circuits import Outcome, Permit
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.testing import ManualClock

__all__ = ["admitted_to_tasks", "admitted_to_threads"]

PROBES = 3


def admitted_to_threads(*, threads: int = 64, rounds: int = 1000) -> Counter[int]:
    """Count the rounds by the number of threads that were admitted."""
    clock, breaker = _breaker()
    together, admitted, seen = threading.Barrier(threads), [False] * threads, Counter[int]()

    def settle() -> None:
        """Runs in one thread, between rounds."""
        seen[sum(admitted)] += 1
        _half_open(breaker, clock)

    between = threading.Barrier(threads, action=settle)

    def ask(number: int) -> None:
        for _ in range(rounds):
            together.wait()
            admitted[number] = isinstance(breaker.try_acquire(), Permit)
            between.wait()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(interval)
    return seen


def admitted_to_tasks(*, tasks: int = 1000, rounds: int = 20) -> Counter[int]:
    """Count the rounds by the number of tasks that were admitted."""
    clock, breaker = _breaker()
    seen = Counter[int]()

    async def ask() -> bool:
        await asyncio.sleep(0)
        return isinstance(breaker.try_acquire(), Permit)

    async def all_rounds() -> None:
        for _ in range(rounds):
            seen[sum(await asyncio.gather(*(ask() for _ in range(tasks))))] += 1
            _half_open(breaker, clock)

    asyncio.run(all_rounds())
    return seen


def _breaker() -> tuple[ManualClock, CircuitBreaker]:
    clock = ManualClock()
    store = InMemoryCircuitStore(clock=clock)
    breaker = CircuitBreaker(failure_threshold=1, half_open_probes=PROBES, store=store)
    _half_open(breaker, clock)
    return clock, breaker


def _half_open(breaker: CircuitBreaker, clock: ManualClock) -> None:
    """Open the circuit again, and let its open time pass."""
    breaker.reset()
    permit = breaker.acquire()
    breaker.record(permit, Outcome.FAILURE)
    clock.advance(breaker.recovery_seconds)
