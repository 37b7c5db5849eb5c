"""Measure the breaker and the limiter: `python -m benchmarks.resilience`.

Overheads are measured on this machine, beside other breakers where they are installed. Outages are
simulated on a virtual clock with fresh seeds, which are printed, so that a run can be repeated:
`python -m benchmarks.resilience --seed 42`.
"""

from __future__ import annotations

import argparse
import random
import secrets
from collections.abc import Callable
from statistics import median

from benchmarks.half_open import PROBES, admitted_to_tasks, admitted_to_threads
from benchmarks.outages import FAULTS, Report, simulate
from benchmarks.overhead import (
    closed_overhead,
    limiter_cost,
    paced_tasks,
    refusal_cost,
    thread_efficiency,
)
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.testing import ManualClock

RUNS = 5
HOUR_SECONDS = 3600.0

MakeBreaker = Callable[[ManualClock, random.Random], CircuitBreaker]


def consecutive(clock: ManualClock, chance: random.Random) -> CircuitBreaker:
    """Make the default: five failures in a row."""
    return CircuitBreaker(store=InMemoryCircuitStore(clock=clock, uniform=chance.random))


def windowed(clock: ManualClock, chance: random.Random) -> CircuitBreaker:
    """Make the breaker for many calls at a time."""
    return consecutive(clock, chance).override(
        failure_threshold=10, window=FailureWindow(slow_seconds=10), recovery_jitter=0.1
    )


def giving_up(clock: ManualClock, chance: random.Random) -> CircuitBreaker:
    """Make the breaker for many calls at a time that have a fallback."""
    return windowed(clock, chance).override(give_up_late_calls=True)


BREAKERS: dict[str, MakeBreaker | None] = {
    "none": None,
    "5 in a row": consecutive,
    "window": windowed,
    "window, giving up": giving_up,
}


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="of the simulations")
    seed = parser.parse_args().seed
    print_overheads()
    print_outages(secrets.randbelow(1_000_000) if seed is None else seed)


def print_overheads() -> None:
    """Print what a guarded call costs."""
    rows = closed_overhead()
    base = rows.get("circuitbreaker")
    print("success on a closed circuit, µs over a bare call (ratio to circuitbreaker)")
    for name, (sync, asynchronous) in rows.items():
        print(
            f"  {name:28}{_with_ratio(sync, base and base[0])}"
            f"{_with_ratio(asynchronous, base and base[1])}"
        )
    value, raised = refusal_cost()
    print(f"refusal on an open circuit: {value:.2f} µs as a value, {raised:.2f} µs raised")
    print(f"8 threads of blocking calls: {thread_efficiency():.0%} of the ideal")
    print(f"probes admitted half-open, of {PROBES}: rounds by number")
    print(f"  64 threads: {dict(admitted_to_threads())}, 1000 tasks: {dict(admitted_to_tasks())}")
    wall, cpu = paced_tasks()
    print(f"limiter: {limiter_cost():.2f} µs; 1000 tasks at 500/s: {wall:.2f} s, CPU {cpu:.2f} s")


def print_outages(seed: int) -> None:
    """Print what users lose in each fault, the median of some runs."""
    print(f"\n50 users, 5 minutes of fault, 30 s timeout; median of {RUNS} runs from seed {seed}")
    print(f"  {'fault':14}{'breaker':20}{'calls':>7}{'useful':>8}{'wasted s':>10}{'opened':>8}")
    for fault, react in FAULTS.items():
        for name, make in BREAKERS.items():
            runs = [simulate(react, make, seed=seed + run) for run in range(RUNS)]
            print(f"  {fault:14}{name:20}{_median_row(runs)}")
    for name, make in BREAKERS.items():
        hour = simulate(FAULTS["30 % errors"], make, seed=seed, fault_seconds=HOUR_SECONDS)
        print(f"  {'30 %, 1 hour':14}{name:20}{_median_row([hour])}")


def _median_row(runs: list[Report]) -> str:
    return (
        f"{median(run.calls for run in runs):>7.0f}{median(run.useful for run in runs):>8.0f}"
        f"{median(run.wasted_seconds for run in runs):>10.0f}"
        f"{median(run.opened for run in runs):>8.0f}"
    )


def _with_ratio(cost: float | None, base: float | None) -> str:
    if cost is None:
        return f"{'-':>8}{'':8}"
    ratio = f"({cost / base:.2f}x)" if base else ""
    return f"{cost:>8.2f}{ratio:>8}"


if __name__ == "__main__":
    main()
