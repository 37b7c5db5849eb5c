"""What a shared circuit does when its server, or the holder of its probe, is gone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import NamedTuple

from benchmarks.redis_server import RedisServer
from langchain_control.circuits import Outcome, Permit
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import RedisCircuitStore

__all__ = ["Away", "away", "print_faults", "seconds_until_traffic"]

REFUSED = "redis://127.0.0.1:1/0"
"""Nobody listens there."""

LEASE_SECONDS, OPEN_SECONDS, JITTER = 2.0, 1.0, 0.1
BOUND_SECONDS = LEASE_SECONDS + OPEN_SECONDS * (1 + JITTER)


class Away(NamedTuple):
    """What a circuit costs and does while its server does not answer."""

    mean_us: float
    """Per good call, over some seconds, all waiting included."""
    worst_ms: float
    """The slowest of them: the one that asked the server."""
    calls_reached: int
    """Calls, of 100, that reached a dead backend."""


def print_faults(server: RedisServer) -> None:
    """Print what happens without the server, and without the holder of a probe."""
    print("server away: µs per good call, slowest in ms, calls of 100 that reach a dead backend")
    print(f"  refused {_row(away(REFUSED, 'refused'))}")
    with _stalled(server):
        print(f"  stalled {_row(away(server.url, 'stalled'))}")
    print(f"probe lost: seconds until traffic (lease and open time are {BOUND_SECONDS:g} s)")
    for how, number in {"killed": signal.SIGKILL, "hung": signal.SIGSTOP}.items():
        print(f"  {how:8}{seconds_until_traffic(server.url, how, number):.2f}")


def away(url: str, name: str, seconds: float = 3.0) -> Away:
    """Measure a circuit whose server does not answer."""
    breaker = CircuitBreaker(name=name, store=RedisCircuitStore(url, prefix="away:"))
    calls, worst = 0, 0.0
    breaker.record(breaker.acquire(), Outcome.SUCCESS)  # learns that the server is away
    started = last = time.perf_counter()
    while last < started + seconds:
        breaker.record(breaker.acquire(), Outcome.SUCCESS)
        now = time.perf_counter()
        calls, worst, last = calls + 1, max(worst, now - last), now
    reached = 0
    for _ in range(100):
        permit = breaker.try_acquire()
        if isinstance(permit, Permit):
            reached += 1
            breaker.record(permit, Outcome.FAILURE)
    return Away((last - started) / calls * 1e6, worst * 1e3, reached)


def seconds_until_traffic(url: str, name: str, number: int) -> float:
    """Measure how long nobody is admitted after the holder of the only probe got a signal."""
    context = multiprocessing.get_context("spawn")
    holds = context.Event()
    breaker = _probed(url, name)
    breaker.record(breaker.acquire(), Outcome.FAILURE)
    holder = context.Process(target=_hold_a_probe, args=(url, name, holds))
    holder.start()
    holds.wait()
    if holder.pid is not None:
        os.kill(holder.pid, number)
    started = time.perf_counter()
    while not isinstance(breaker.try_acquire(), Permit):
        time.sleep(0.001)
    waited = time.perf_counter() - started
    holder.kill()
    holder.join()
    return waited


def _hold_a_probe(url: str, name: str, holds: Event) -> None:
    breaker = _probed(url, name)
    while not isinstance(breaker.try_acquire(), Permit):
        time.sleep(0.001)
    holds.set()
    signal.pause()


def _probed(url: str, name: str) -> CircuitBreaker:
    return CircuitBreaker(
        name=name,
        failure_threshold=1,
        recovery_seconds=OPEN_SECONDS,
        recovery_jitter=JITTER,
        probe_timeout_seconds=LEASE_SECONDS,
        store=RedisCircuitStore(url, prefix="probes:"),
    )


@contextmanager
def _stalled(server: RedisServer) -> Iterator[None]:
    server.stall()
    try:
        yield
    finally:
        server.go_on()


def _row(measured: Away) -> str:
    return f"{measured.mean_us:>8.2f}{measured.worst_ms:>8.1f}{measured.calls_reached:>6}"
