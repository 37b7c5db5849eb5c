"""Many processes, one Redis, one dead backend: what reaches it, and what asking costs.

`python -m benchmarks.shared_circuit` starts a `redis-server` of its own on a loopback port.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
import timeit
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from statistics import quantiles
from typing import NamedTuple

from benchmarks.redis_server import RedisServer
from benchmarks.shared_faults import print_faults
from langchain_control.circuits import Outcome, Permit
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import InMemoryCircuitStore, RedisCircuitStore

__all__ = ["calls_into_a_dead_backend", "closed_cost", "print_shared", "trip_delays"]


class Load(NamedTuple):
    """What many processes do to a backend that always fails."""

    processes: int
    workers: int
    """Threads in each process."""
    seconds: float
    pause_seconds: float
    """Between two calls of a worker."""
    open_seconds: float
    ideal: int
    """Calls under way at the first failure, or the threshold, and one probe per open time."""


BUSY = Load(
    processes=4, workers=8, seconds=9.0, pause_seconds=0.0, open_seconds=2.0, ideal=4 * 8 + 4
)
QUIET = Load(processes=8, workers=1, seconds=4.0, pause_seconds=0.2, open_seconds=60.0, ideal=5)
CALL_SECONDS = 0.02


def main() -> None:
    """Print what sharing costs and saves, and what happens without the server."""
    print_shared()


def print_shared() -> None:
    """Print all figures of the shared circuit, on a server of its own."""
    try:
        server = RedisServer()
    except LookupError as missing:
        print(f"shared circuits: not measured, {missing}")
        return
    with server:
        cost, trips = closed_cost(server.url)
        print(f"closed path: {cost:.2f} µs and {trips:.4f} round trips per call")
        delays = trip_delays(server.url)
        percentiles = quantiles(delays, n=100)
        print(
            f"trip seen by another store, of {len(delays)}: median {percentiles[49] * 1e3:.1f} ms, "
            f"p99 {percentiles[98] * 1e3:.1f} ms"
        )
        print("calls into a dead backend: shared, each process alone, ideal")
        for name, load in {"busy": BUSY, "quiet": QUIET}.items():
            shared = calls_into_a_dead_backend(server.url, load, f"dead-{name}")
            alone = calls_into_a_dead_backend(None, load, f"dead-{name}")
            size = f"{load.processes} x {load.workers}, {load.seconds:g} s"
            print(f"  {name:6}({size:12}) {shared:>6}{alone:>6}{load.ideal:>6}")
        print_faults(server)


def closed_cost(url: str, calls: int = 50_000) -> tuple[float, float]:
    """Measure microseconds of processor and round trips of a success on a closed circuit."""
    breaker = _breaker(url, "closed", BUSY.open_seconds)
    _succeed(breaker)
    before = _scripts_run(url)
    seconds = timeit.timeit(lambda: _succeed(breaker), timer=time.process_time, number=calls)
    return seconds / calls * 1e6, (_scripts_run(url) - before) / calls


def trip_delays(url: str, trips: int = 200) -> list[float]:
    """Measure seconds from the last failure until another store refuses."""
    here, there = (_breaker(url, "trips", BUSY.open_seconds) for _ in range(2))
    delays = []
    for number in range(trips):
        key = f"{number}"
        for breaker in (here, there):
            _succeed(breaker, key)
        time.sleep(0.005)
        for _ in range(here.failure_threshold - 1):
            _fail(here, key)
        started = time.perf_counter()
        _fail(here, key)
        while isinstance(there.try_acquire(key), Permit):
            time.sleep(0)
        delays.append(time.perf_counter() - started)
    return delays


def calls_into_a_dead_backend(url: str | None, load: Load, name: str) -> int:
    """Count the calls that reach a backend which always fails. Without `url`, nothing is shared."""
    context = multiprocessing.get_context("spawn")
    counts, together = context.Queue(), context.Barrier(load.processes)
    processes = [
        context.Process(target=_process, args=(url, load, name, counts, together))
        for _ in range(load.processes)
    ]
    for process in processes:
        process.start()
    total: int = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return total


def _process(url: str | None, load: Load, name: str, counts: Queue[int], together: Barrier) -> None:
    breaker = _breaker(url, name, load.open_seconds)
    _succeed(breaker)
    made = [0] * load.workers
    together.wait()
    time.sleep(random.uniform(0, load.pause_seconds))

    def work(worker: int) -> None:
        ends = time.monotonic() + load.seconds
        while time.monotonic() < ends:
            permit = breaker.try_acquire()
            time.sleep(CALL_SECONDS)
            if isinstance(permit, Permit):
                made[worker] += 1
                breaker.record(permit, Outcome.FAILURE)
            time.sleep(load.pause_seconds)

    _run_all(work, load.workers)
    counts.put(sum(made))


def _run_all(work: Callable[[int], None], workers: int) -> None:
    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _breaker(url: str | None, name: str, open_seconds: float) -> CircuitBreaker:
    shared = None if url is None else RedisCircuitStore(url, prefix="benchmark:")
    return CircuitBreaker(
        name=name, recovery_seconds=open_seconds, store=shared or InMemoryCircuitStore()
    )


def _succeed(breaker: CircuitBreaker, key: str | None = None) -> None:
    breaker.record(breaker.acquire(key), Outcome.SUCCESS)


def _fail(breaker: CircuitBreaker, key: str | None = None) -> None:
    breaker.record(breaker.acquire(key), Outcome.FAILURE)


def _scripts_run(url: str) -> int:
    from redis import Redis  # noqa: PLC0415  (an extra)

    statistics = Redis.from_url(url).info("commandstats")
    calls: int = statistics.get("cmdstat_evalsha", {}).get("calls", 0)
    return calls


if __name__ == "__main__":
    main()
