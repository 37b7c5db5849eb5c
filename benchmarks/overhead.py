"""What a guarded call costs, beside other breakers where they are installed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import timeit
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

from langchain_control.circuits import Outcome, Refusal
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.components.limiter import RateLimiter
from langchain_control.errors import CircuitOpen

__all__ = ["closed_overhead", "limiter_cost", "refusal_cost", "thread_efficiency"]

CALLS = 50_000
ROUNDS = 5

Guard = Callable[[Callable[[int], int]], Callable[[int], int]]
AsyncGuard = Callable[[Callable[[int], Awaitable[int]]], Callable[[int], Awaitable[int]]]


def by_hand(breaker: CircuitBreaker) -> Guard:
    """Guard a function as a `call` step does."""

    def guard(function: Callable[[int], int]) -> Callable[[int], int]:
        acquire, record = breaker.try_acquire, breaker.record

        def guarded(value: int) -> int:
            permit: Any = acquire()
            if isinstance(permit, Refusal):
                raise permit.error()
            try:
                result = function(value)
            except Exception as error:
                record(permit, breaker.outcome_of(error))
                raise
            record(permit, Outcome.SUCCESS)
            return result

        return guarded

    return guard


def by_hand_async(breaker: CircuitBreaker) -> AsyncGuard:
    """Guard a coroutine function as a `call` step does."""

    def guard(function: Callable[[int], Awaitable[int]]) -> Callable[[int], Awaitable[int]]:
        acquire, record = breaker.try_acquire, breaker.record

        async def guarded(value: int) -> int:
            permit: Any = acquire()
            if isinstance(permit, Refusal):
                raise permit.error()
            try:
                result = await function(value)
            except Exception as error:
                record(permit, breaker.outcome_of(error))
                raise
            record(permit, Outcome.SUCCESS)
            return result

        return guarded

    return guard


def ours() -> dict[str, Callable[[], CircuitBreaker]]:
    """Return the breakers that are measured."""
    return {
        "langchain_control": CircuitBreaker,
        "langchain_control, window": lambda: CircuitBreaker(window=FailureWindow()),
    }


def peers() -> dict[str, Any]:
    """Return decorators of the other breakers that can be imported."""
    found: dict[str, Any] = {}
    if find_spec("circuitbreaker"):
        from circuitbreaker import CircuitBreaker as Simple  # noqa: PLC0415

        found["circuitbreaker"] = Simple()
    if find_spec("pybreaker"):
        import pybreaker  # noqa: PLC0415

        found["pybreaker"] = pybreaker.CircuitBreaker()
    if find_spec("interlock"):
        import interlock  # noqa: PLC0415

        found["interlock-cb"] = interlock.CircuitBreaker(name="benchmark")
    return found


def closed_overhead() -> dict[str, tuple[float, float | None]]:
    """Measure microseconds over a bare call, sync and async, of a success on a closed circuit."""

    def work(value: int) -> int:
        return value

    async def awork(value: int) -> int:
        return value

    bare, abare = _per_call(work), _per_await(awork)
    rows: dict[str, tuple[float, float | None]] = {}
    for name, make in ours().items():
        sync = _per_call(by_hand(make())(work)) - bare
        rows[name] = sync, _per_await(by_hand_async(make())(awork)) - abare
    for name, decorate in peers().items():
        asynchronous = None if name == "pybreaker" else _per_await(decorate(awork)) - abare
        rows[name] = _per_call(decorate(work)) - bare, asynchronous
    return rows


def refusal_cost() -> tuple[float, float]:
    """Measure microseconds of a refusal on an open circuit: as a value, and as an exception."""
    breaker = CircuitBreaker()
    breaker.open()

    def raising(_: int) -> None:
        with contextlib.suppress(CircuitOpen):
            breaker.acquire()

    return _per_call(lambda _: breaker.try_acquire()), _per_call(raising)


def thread_efficiency(
    guard: Guard | None = None, *, threads: int = 8, calls: int = 10, seconds: float = 0.02
) -> float:
    """Measure how much of the parallelism of blocking calls is left behind one breaker."""

    def blocking(value: int) -> int:
        time.sleep(seconds)
        return value

    guarded = (guard or by_hand(CircuitBreaker()))(blocking)

    def work() -> None:
        for number in range(calls):
            guarded(number)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return calls * seconds / (time.perf_counter() - started)


def limiter_cost() -> float:
    """Measure microseconds of taking room in the memory store."""
    limiter = RateLimiter(requests_per_minute=1e12)
    take, demands = limiter.store.take, limiter._demands(1, 0)  # noqa: SLF001
    return _per_call(lambda _: take("key", demands, 0.0))


def paced_tasks(*, tasks: int = 1000, per_second: float = 500.0) -> tuple[float, float]:
    """Measure wall and CPU seconds of tasks that wait for their turns; ideal is tasks / rate."""
    pace = RateLimiter(
        requests_per_minute=per_second * 60, burst_seconds=0.001, on_limit="wait"
    ).for_model()

    async def all_of_them() -> None:
        await asyncio.gather(*(pace.aacquire() for _ in range(tasks)))

    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(all_of_them())
    return time.perf_counter() - wall, time.process_time() - cpu


def _per_call(function: Callable[[int], Any]) -> float:
    return min(timeit.repeat(lambda: function(1), number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def _per_await(function: Callable[[int], Awaitable[Any]]) -> float:
    async def many() -> float:
        started = time.perf_counter()
        for _ in range(CALLS):
            await function(1)
        return time.perf_counter() - started

    return min(asyncio.run(many()) for _ in range(ROUNDS)) / CALLS * 1e6
