"""How many calls a half-open circuit admits when many callers ask at the same moment."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from benchmarks.peers import Decorate
from langchain_control.circuits import Outcome, Permit
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import CircuitStore, InMemoryCircuitStore, RedisCircuitStore
from langchain_control.testing import ManualClock

__all__ = [
    "PROBES",
    "admitted_to_processes",
    "admitted_to_tasks",
    "admitted_to_threads",
    "calls_into_a_dead_provider",
    "seconds_after_a_hung_probe",
]

PROBES = 3


def admitted_to_threads(*, threads: int = 64, rounds: int = 1000) -> Counter[int]:
    """Count the rounds by the number of threads that were admitted."""
    clock = ManualClock()
    breaker = _breaker(InMemoryCircuitStore(clock=clock))
    _half_open(breaker, clock)
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
        _run_all([threading.Thread(target=ask, args=(number,)) for number in range(threads)])
    finally:
        sys.setswitchinterval(interval)
    return seen


def admitted_to_tasks(*, tasks: int = 1000, rounds: int = 1000) -> Counter[int]:
    """Count the rounds by the number of tasks that were admitted."""
    clock = ManualClock()
    breaker = _breaker(InMemoryCircuitStore(clock=clock))
    seen = Counter[int]()

    async def ask() -> bool:
        await asyncio.sleep(0)
        return isinstance(breaker.try_acquire(), Permit)

    async def all_rounds() -> None:
        for _ in range(rounds):
            _half_open(breaker, clock)
            seen[sum(await asyncio.gather(*(ask() for _ in range(tasks))))] += 1

    asyncio.run(all_rounds())
    return seen


def admitted_to_processes(url: str, *, processes: int = 4, rounds: int = 1000) -> Counter[int]:
    """Count the rounds by the number of calls that processes with one Redis were admitted.

    Each process asks as often as there are probes. Each round is a circuit of its own, which all
    but one of the processes meet for the first time.
    """
    context = multiprocessing.get_context("spawn")
    now, together, counts = context.Value("d", 1.0), context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=_ask_in_all_rounds, args=(url, rounds, now, together, counts))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    admitted = [counts.get() for _ in workers]
    for worker in workers:
        worker.join()
    return Counter(sum(of_one_round) for of_one_round in zip(*admitted, strict=True))


def _ask_in_all_rounds(url: str, rounds: int, now: Any, together: Any, counts: Any) -> None:
    store = RedisCircuitStore(
        url, prefix="half-open:", timeout_seconds=5, clock=lambda: float(now.value)
    )
    breaker = _breaker(store)
    if together.wait() == 0:
        for number in range(rounds):
            _fail(breaker, f"{number}")
        now.value += breaker.recovery_seconds
    admitted = []
    for number in range(rounds):
        together.wait()
        decisions = [breaker.try_acquire(f"{number}") for _ in range(PROBES)]
        admitted.append(sum(isinstance(decision, Permit) for decision in decisions))
    counts.put(admitted)
    store.close()


def calls_into_a_dead_provider(decorate: Decorate, open_seconds: float, threads: int = 64) -> int:
    """Count the calls of threads that all ask after the open time and meet an error.

    Args:
        decorate: Guards a function with a new breaker, open for `open_seconds`.
        open_seconds: How long to wait before asking.
        threads: How many ask at the same moment.
    """
    reached, together = [], threading.Barrier(threads)

    def provider() -> None:
        reached.append(1)
        time.sleep(0.05)
        raise TimeoutError

    ask = decorate(provider)
    _until_refused(ask, reached)
    time.sleep(open_seconds + 1.1)  # some count in whole seconds
    reached.clear()

    def work() -> None:
        together.wait()
        _ask_once(ask)

    _run_all([threading.Thread(target=work) for _ in range(threads)])
    return len(reached)


def seconds_after_a_hung_probe(
    decorate: Decorate, open_seconds: float, watch_seconds: float
) -> float | None:
    """Measure how long nobody is admitted after a probe began that never ends.

    Args:
        decorate: Guards a function with a new breaker, open for `open_seconds`.
        open_seconds: How long to wait before the probe.
        watch_seconds: When to give up and return `None`.
    """
    is_down, over, reached, admitted = True, threading.Event(), list[int](), threading.Event()

    def provider(*, hangs: bool = False) -> None:
        reached.append(1)
        if is_down:
            raise TimeoutError
        if hangs:
            over.wait()
        else:
            admitted.set()

    ask = decorate(provider)
    _until_refused(ask, reached)
    time.sleep(open_seconds + 1.1)
    is_down = False
    reached.clear()
    callers = [threading.Thread(target=ask, kwargs={"hangs": True})]
    callers[0].start()
    while not reached:
        time.sleep(0.001)
    started = time.perf_counter()
    while not admitted.is_set() and time.perf_counter() < started + watch_seconds:
        callers.append(threading.Thread(target=_ask_once, args=(ask,)))
        callers[-1].start()
        admitted.wait(0.05)
    waited = time.perf_counter() - started if admitted.is_set() else None
    over.set()
    for caller in callers:
        caller.join()
    return waited


def _until_refused(ask: Callable[[], Any], reached: list[int]) -> None:
    made = -1
    while len(reached) > made:
        made = len(reached)
        _ask_once(ask)


def _ask_once(ask: Callable[[], Any]) -> None:
    with suppress(Exception):
        ask()


def _run_all(workers: list[threading.Thread]) -> None:
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _breaker(store: CircuitStore) -> CircuitBreaker:
    return CircuitBreaker(failure_threshold=1, half_open_probes=PROBES, store=store)


def _half_open(breaker: CircuitBreaker, clock: ManualClock) -> None:
    """Open the circuit again, and let its open time pass."""
    breaker.reset()
    _fail(breaker)
    clock.advance(breaker.recovery_seconds)


def _fail(breaker: CircuitBreaker, key: str | None = None) -> None:
    breaker.record(breaker.acquire(key), Outcome.FAILURE)
