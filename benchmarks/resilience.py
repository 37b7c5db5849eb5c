"""Measure what keeps a provider's trouble from spreading: `python -m benchmarks.resilience`.

Costs are measured on this machine, others in the same run and in turns, where they are installed.
Outages and retry storms are simulated on a virtual clock with fresh seeds, which are printed, so
that a run can be repeated. Name parts to run only these:

    python -m benchmarks.resilience overhead outages --seed 42
"""

from __future__ import annotations

import argparse
import random
import secrets
from collections.abc import Callable
from statistics import median

from benchmarks.half_open import (
    PROBES,
    admitted_to_processes,
    admitted_to_tasks,
    admitted_to_threads,
    calls_into_a_dead_provider,
    seconds_after_a_hung_probe,
)
from benchmarks.outages import FAULTS, Guard, Report, simulate
from benchmarks.overhead import (
    Costs,
    breaker_overhead,
    limiter_cost,
    paced_tasks,
    refusal_cost,
    retry_overhead,
    runnable_overhead,
    thread_efficiency,
)
from benchmarks.peers import Decorate, decorators, guards
from benchmarks.redis_server import RedisServer
from benchmarks.retry_storms import CLIENTS, TROUBLES
from benchmarks.retry_storms import simulate as simulate_storm
from benchmarks.shared_circuit import print_shared
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.testing import ManualClock

RUNS = 5
WATCH_SECONDS = 6.0
HOUR_SECONDS = 3600.0

MakeGuard = Callable[[ManualClock, random.Random], CircuitBreaker | Guard]


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


BREAKERS: dict[str, MakeGuard | None] = {
    "none": None,
    "5 in a row": consecutive,
    "window": windowed,
    "window, giving up": giving_up,
}


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seed", type=int, default=None, help="of the simulations")
    parser.add_argument("--rounds", type=int, default=1000, help="of half-open circuits")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if asked.seed is None:
        asked.seed = secrets.randbelow(1_000_000)
    for part in asked.parts or PARTS:
        print(f"\n--- {part}")
        PARTS[part](asked)


def print_overhead(_: argparse.Namespace) -> None:
    """Print what calls cost when nothing is wrong."""
    print("success on a closed circuit, µs over a bare call: sync, async (ratio to circuitbreaker)")
    _print_costs(breaker_overhead(), "circuitbreaker")
    value, raised = refusal_cost()
    print(f"refusal on an open circuit: {value:.2f} µs as a value, {raised:.2f} µs raised")
    print("8 threads of blocking calls, of the ideal")
    for name, decorate in {"langchain_control": CircuitBreaker().protect, **decorators()}.items():
        print(f"  {name:28}{thread_efficiency(decorate):>8.0%}")
    print("success at the first attempt, µs over a bare call: sync, async")
    _print_costs(retry_overhead())
    print("what a wrapper adds to a Runnable, µs")
    for name, cost in runnable_overhead().items():
        print(f"  {name:28}{cost:>8.1f}")
    wall, cpu = paced_tasks()
    print(f"limiter: {limiter_cost():.2f} µs; 1000 tasks at 500/s: {wall:.2f} s, CPU {cpu:.2f} s")


def print_half_open(asked: argparse.Namespace) -> None:
    """Print how many calls half-open circuits admit."""
    rounds: int = asked.rounds
    print(f"admitted of {PROBES} probes, {rounds} rounds each: rounds by number")
    print(f"  64 threads    {dict(admitted_to_threads(rounds=rounds))}")
    print(f"  1,000 tasks   {dict(admitted_to_tasks(rounds=rounds))}")
    try:
        with RedisServer() as server:
            seen = admitted_to_processes(server.url, rounds=rounds)
            print(f"  4 processes   {dict(seen)}")
    except LookupError as missing:
        print(f"  4 processes   not measured: {missing}")
    print(
        "64 threads after an open time of 1 s, one probe, provider still down: calls that reach it"
    )
    for name, decorate in _one_second().items():
        print(f"  {name:20}{calls_into_a_dead_provider(decorate, 1.0):>6}")
    print("a probe hangs (ours has 2 s and an open time): seconds until others are admitted")
    for name, decorate in _one_second().items():
        waited = seconds_after_a_hung_probe(decorate, 1.0, WATCH_SECONDS)
        print(f"  {name:20}{f'none in {WATCH_SECONDS:g}' if waited is None else f'{waited:.2f}'}")


def print_outages(asked: argparse.Namespace) -> None:
    """Print what users lose in each fault, the median of some runs."""
    seed: int = asked.seed
    print(f"50 users, 5 minutes of fault, 30 s timeout; median of {RUNS} runs from seed {seed}")
    print(f"  {'fault':14}{'breaker':20}{'calls':>7}{'useful':>8}{'wasted s':>10}{'opened':>8}")
    contestants = BREAKERS | {name: _on_the_clock(make) for name, make in guards().items()}
    for fault, react in FAULTS.items():
        for name, make in contestants.items():
            runs = [simulate(react, make, seed=seed + run) for run in range(RUNS)]
            print(f"  {fault:14}{name:20}{_median_row(runs)}")
    for name, make in contestants.items():
        hour = simulate(FAULTS["30 % errors"], make, seed=seed, fault_seconds=HOUR_SECONDS)
        print(f"  {'30 %, 1 hour':14}{name:20}{_median_row([hour])}")


def print_storms(asked: argparse.Namespace) -> None:
    """Print what retries add to a failure, and what they save in a brown-out."""
    seed: int = asked.seed
    print(f"5 minutes, 100 requests/s where not told; median of {RUNS} runs from seed {seed}")
    print(f"  {'trouble':16}{'retries':20}{'calls/request':>14}{'answered':>10}")
    for trouble, setting in TROUBLES.items():
        for name, make in CLIENTS.items():
            runs = [simulate_storm(setting, make, seed=seed + run) for run in range(RUNS)]
            amplification = median(run.amplification for run in runs)
            success = median(run.success for run in runs)
            print(f"  {trouble:16}{name:20}{amplification:>14.3f}{success:>10.1%}")


def print_shared_circuits(_: argparse.Namespace) -> None:
    """Print what a circuit shared by processes costs, saves and survives."""
    print_shared()


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "overhead": print_overhead,
    "half-open": print_half_open,
    "shared": print_shared_circuits,
    "outages": print_outages,
    "storms": print_storms,
}


def _one_second() -> dict[str, Decorate]:
    ours = CircuitBreaker(recovery_seconds=1.0, probe_timeout_seconds=2.0)
    return {"langchain_control": ours.protect, **decorators(1.0)}


def _on_the_clock(make: Callable[[ManualClock], Guard]) -> MakeGuard:
    return lambda clock, _: make(clock)


def _print_costs(rows: Costs, reference: str | None = None) -> None:
    base = rows.get(reference) if reference else None
    for name, (sync, asynchronous) in rows.items():
        print(
            f"  {name:28}{_with_ratio(sync, base and base[0])}"
            f"{_with_ratio(asynchronous, base and base[1])}"
        )


def _median_row(runs: list[Report]) -> str:
    openings = [run.opened for run in runs if run.opened is not None]
    return (
        f"{median(run.calls for run in runs):>7.0f}{median(run.useful for run in runs):>8.0f}"
        f"{median(run.wasted_seconds for run in runs):>10.0f}"
        f"{format(median(openings), '.0f') if openings else '-':>8}"
    )


def _with_ratio(cost: float | None, base: float | None) -> str:
    if cost is None:
        return f"{'-':>8}{'':8}"
    ratio = f"({cost / base:.2f}x)" if base else ""
    return f"{cost:>8.2f}{ratio:>8}"


if __name__ == "__main__":
    main()
