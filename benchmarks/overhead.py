"""What guarded calls cost when nothing is wrong, beside others where they are installed.

Costs of single calls are processor time, so that other programs do not show in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
import timeit
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from benchmarks.peers import SYNC_ONLY, Decorate, decorators
from langchain_control._effects import arun, run
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.components.limiter import RateLimiter
from langchain_control.components.retry import RetryEngine
from langchain_control.errors import CircuitOpen

__all__ = [
    "breaker_overhead",
    "limiter_cost",
    "paced_tasks",
    "refusal_cost",
    "retry_overhead",
    "runnable_overhead",
    "thread_efficiency",
]

CALLS = 5_000
ROUNDS = 25

Contestant = tuple[Callable[[int], Any], Callable[[int], Awaitable[Any]] | None]
Costs = dict[str, tuple[float, float | None]]
"""Microseconds over a bare call by name: sync, and async where there is such a thing."""


def work(value: int) -> int:
    """Stand for a call."""
    return value


async def awork(value: int) -> int:
    """Stand for an asynchronous call."""
    return value


def breaker_overhead() -> Costs:
    """Measure a success on a closed circuit, everybody as a decorator."""
    ours: dict[str, Decorate] = {
        "langchain_control": lambda function: CircuitBreaker().protect(function),
        "langchain_control, window": lambda function: CircuitBreaker(
            window=FailureWindow()
        ).protect(function),
    }
    return _over_bare(
        {
            name: (decorate(work), None if name in SYNC_ONLY else decorate(awork))
            for name, decorate in {**ours, **decorators()}.items()
        }
    )


def retry_overhead() -> Costs:
    """Measure a success at the first attempt: our engine's flow, others as decorators."""
    engine, config = RetryEngine(), RunnableConfig()
    around = engine._around  # noqa: SLF001  (what `wrap` adds to a Runnable's own cost)
    contestants: dict[str, Contestant] = {
        "langchain_control": (
            lambda value: run(around(_DIRECT, value, config)),
            lambda value: arun(around(_DIRECT, value, config)),
        )
    }
    if find_spec("nopanic"):
        import nopanic  # noqa: PLC0415

        contestants["nopanic"] = nopanic.retry()(work), nopanic.retry()(awork)
    from tenacity import retry  # noqa: PLC0415

    contestants["tenacity"] = retry(work), retry(awork)
    return _over_bare(contestants)


class _Direct(Runnable[int, int]):
    """A Runnable that costs what a bare call does."""

    def invoke(self, input: int, config: RunnableConfig | None = None, **_: Any) -> int:  # noqa: A002, ARG002
        return input

    async def ainvoke(self, input: int, config: RunnableConfig | None = None, **_: Any) -> int:  # noqa: A002, ARG002
        return input


_DIRECT = _Direct()


def runnable_overhead() -> dict[str, float]:
    """Measure what a wrapper adds to a Runnable: mostly LangChain's bookkeeping of one more run."""
    bare = RunnableLambda(work)
    wrapped = {
        "CircuitBreaker.wrap": CircuitBreaker().wrap(bare),
        "RetryEngine.wrap": RetryEngine().wrap(bare),
        "LangChain's with_retry": bare.with_retry(),
    }
    best = _best_of({"bare": bare.invoke, **{n: r.invoke for n, r in wrapped.items()}}, calls=500)
    return {name: best[name] - best["bare"] for name in wrapped}


def refusal_cost() -> tuple[float, float]:
    """Measure microseconds of a refusal on an open circuit: as a value, and as an exception."""
    breaker = CircuitBreaker()
    breaker.open()

    def raising(_: int) -> None:
        with contextlib.suppress(CircuitOpen):
            breaker.acquire()

    best = _best_of({"value": lambda _: breaker.try_acquire(), "raised": raising})
    return best["value"], best["raised"]


def thread_efficiency(
    decorate: Decorate, *, threads: int = 8, calls: int = 10, seconds: float = 0.02
) -> float:
    """Measure how much of the parallelism of blocking calls is left behind one breaker.

    The best of three, as only the machine can make it worse.
    """

    def blocking(value: int) -> int:
        time.sleep(seconds)
        return value

    guarded = decorate(blocking)

    def many() -> None:
        for number in range(calls):
            guarded(number)

    def wall_seconds() -> float:
        workers = [threading.Thread(target=many) for _ in range(threads)]
        started = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return time.perf_counter() - started

    return calls * seconds / min(wall_seconds() for _ in range(3))


def limiter_cost() -> float:
    """Measure microseconds of taking room in the memory store."""
    limiter = RateLimiter(requests_per_minute=1e12)
    take, demands = limiter.store.take, limiter._demands(1, 0)  # noqa: SLF001
    return _best_of({"take": lambda _: take("key", demands, 0.0)})["take"]


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


def _over_bare(contestants: dict[str, Contestant]) -> Costs:
    best = _best_of({"": work, **{name: sync for name, (sync, _) in contestants.items()}})
    abest = _abest_of(
        {"": awork, **{n: function for n, (_, function) in contestants.items() if function}}
    )
    return {
        name: (best[name] - best[""], abest[name] - abest[""] if name in abest else None)
        for name in contestants
    }


def _best_of(functions: dict[str, Callable[[int], Any]], calls: int = CALLS) -> dict[str, float]:
    """Measure microseconds per call, in turns: all meet the same moods of the machine."""
    best = dict.fromkeys(functions, math.inf)
    for _ in range(ROUNDS):
        for name, function in functions.items():
            timer = timeit.Timer(
                "function(1)", timer=time.process_time, globals={"function": function}
            )
            best[name] = min(best[name], timer.timeit(calls) / calls * 1e6)
    return best


def _abest_of(functions: dict[str, Callable[[int], Awaitable[Any]]]) -> dict[str, float]:
    async def many(function: Callable[[int], Awaitable[Any]]) -> float:
        started = time.process_time()
        for _ in range(CALLS):
            await function(1)
        return (time.process_time() - started) / CALLS * 1e6

    best = dict.fromkeys(functions, math.inf)
    for _ in range(ROUNDS):
        for name, function in functions.items():
            best[name] = min(best[name], asyncio.run(many(function)))
    return best
