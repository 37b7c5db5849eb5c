"""A closed-loop simulation of users in front of a failing provider, on a virtual clock.

Fifty users ask, wait for the answer, think, and ask again. The provider hangs, errs or slows down
for five minutes. Times are those of the real world; the clock is not, so an hour takes a second.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from benchmarks.virtual_time import pass_time
from langchain_control.circuits import CircuitState, Outcome, Permit, StateChange
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.testing import ManualClock

__all__ = ["FAULTS", "Answer", "Guard", "OurGuard", "Report", "simulate"]

USERS = 50
TIMEOUT_SECONDS = 30.0
THINK_SECONDS = 1.0
WARM_UP_SECONDS = 120.0
USEFUL_SECONDS = 10.0
"""An answer later than this is worth nothing to its user."""


class Answer(NamedTuple):
    """How the provider reacts to one call."""

    seconds: float
    good: bool


Fault = Callable[[random.Random, float], Answer]
"""Draws a reaction; the second argument is the time since the fault began."""


def healthy(chance: random.Random, _: float = 0.0) -> Answer:
    """Answer after about 1.5 s; a fourth of the answers takes more than 2 s."""
    return Answer(min(TIMEOUT_SECONDS, chance.lognormvariate(0.4, 0.4)), good=True)


def erring(share: float) -> Fault:
    """Return a fault in which a share of the calls comes back at once as an error."""

    def fault(chance: random.Random, since: float) -> Answer:
        if chance.random() < share:
            return Answer(chance.uniform(0.1, 0.4), good=False)
        return healthy(chance, since)

    return fault


def hanging(_: random.Random, __: float) -> Answer:
    """Never answer; the caller's timeout ends the call."""
    return Answer(TIMEOUT_SECONDS, good=False)


def slow(chance: random.Random, _: float) -> Answer:
    """Answer well, and too late for anybody."""
    return Answer(chance.uniform(18, 22), good=True)


def flapping(chance: random.Random, since: float) -> Answer:
    """Hang for 50 s, be well for 50 s, and so on."""
    return hanging(chance, since) if since % 100 < 50 else healthy(chance)


FAULTS: dict[str, Fault] = {
    "outage": hanging,
    "30 % errors": erring(0.3),
    "70 % errors": erring(0.7),
    "slow answers": slow,
    "flapping": flapping,
}


class Guard(Protocol):
    """What stands between users and provider."""

    @property
    def opened(self) -> int | None:
        """How often its circuit has opened, where that can be told."""

    def begin(self) -> Any:
        """Return a call that may be made, or `None`."""

    def end(self, call: Any, *, good: bool) -> None:
        """Say how it went."""

    def patience(self, call: Any) -> Callable[[], float] | None:
        """Return how to wait for it, as `CircuitBreaker.patience` does."""


class OurGuard:
    """Our breaker."""

    def __init__(self, breaker: CircuitBreaker) -> None:
        """Count its openings."""
        self._breaker = breaker.override(on_change=self._count)
        self.opened = 0

    def begin(self) -> Permit | None:
        """Ask for a permit."""
        decision = self._breaker.try_acquire()
        return decision if isinstance(decision, Permit) else None

    def end(self, call: Permit, *, good: bool) -> None:
        """Hand it back."""
        self._breaker.record(call, Outcome.SUCCESS if good else Outcome.FAILURE)

    def patience(self, call: Permit) -> Callable[[], float] | None:
        """Give late calls up, if the breaker does."""
        return self._breaker.patience(call)

    def _count(self, change: StateChange) -> None:
        self.opened += change.after is CircuitState.OPEN


@dataclass
class Report:
    """What happened while the fault lasted."""

    calls: int = 0
    """Calls that reached the provider."""
    useful: int = 0
    """Answers in time."""
    wasted_seconds: float = 0.0
    """Time users spent waiting for nothing."""
    refused: int = 0
    opened: int | None = 0
    """How often the circuit opened, in the whole run; `None` where that cannot be told."""
    recovered_after: float | None = None
    """Seconds from the end of the fault to the first useful answer."""


def simulate(
    fault: Fault,
    make: Callable[[ManualClock, random.Random], CircuitBreaker | Guard] | None,
    *,
    seed: int,
    fault_seconds: float = 300.0,
) -> Report:
    """Run one simulation.

    Args:
        fault: What the provider does while the fault lasts.
        make: Makes the guard in front of it, on the given clock. `None` for none.
        seed: Of everything that is drawn.
        fault_seconds: How long the fault lasts.
    """
    chance, clock, report = random.Random(seed), ManualClock(), Report()
    begins, ends = WARM_UP_SECONDS, WARM_UP_SECONDS + fault_seconds
    made = make(clock, chance) if make is not None else None
    guard = OurGuard(made) if isinstance(made, CircuitBreaker) else made

    def react() -> Answer:
        since = clock() - begins
        return fault(chance, since) if 0 <= since < fault_seconds else healthy(chance)

    def user() -> Generator[float, None, None]:
        yield chance.uniform(0, THINK_SECONDS)
        while True:
            asked = clock()
            tally = report if begins <= asked < ends else Report()
            useful = yield from _ask(guard, react, tally)
            if useful and clock() >= ends and report.recovered_after is None:
                report.recovered_after = clock() - ends
            yield chance.expovariate(1 / THINK_SECONDS)

    pass_time([user() for _ in range(USERS)], clock, until=ends + 120)
    report.opened = guard.opened if guard is not None else 0
    return report


def _ask(
    guard: Guard | None, react: Callable[[], Answer], report: Report
) -> Generator[float, None, bool]:
    """Make one call, if it is admitted; return whether its answer was useful."""
    call, patience = None, None
    if guard is not None:
        call = guard.begin()
        if call is None:
            report.refused += 1
            return False
        patience = guard.patience(call)
    answer = react()
    waited = yield from _wait(answer.seconds, patience)
    answer = Answer(waited, good=answer.good and waited >= answer.seconds)
    useful = answer.good and answer.seconds <= USEFUL_SECONDS
    report.calls += 1
    report.useful += useful
    report.wasted_seconds += 0 if useful else answer.seconds
    if guard is not None:
        guard.end(call, good=answer.good)
    return useful


def _wait(seconds: float, patience: Callable[[], float] | None) -> Generator[float, None, float]:
    """Wait for an answer, or for as long as patience lasts; return how long it was."""
    waited = 0.0
    while waited < seconds:
        step = seconds - waited if patience is None else min(patience(), seconds - waited)
        if step <= 0:
            break
        yield step
        waited += step
    return waited
