"""What retries add to an outage, and what they save in a brown-out, on a virtual clock.

Requests arrive at random, whatever becomes of those before them. Each makes up to three attempts,
as far as its retry engine and its circuit let it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple, Protocol

from benchmarks.virtual_time import Process, pass_time
from langchain_control.circuits import Outcome, Permit
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.components.retry import RetryEngine
from langchain_control.outcomes import FailureMode
from langchain_control.retries.budget import RetryBudget
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.testing import ManualClock

__all__ = ["CLIENTS", "TROUBLES", "Client", "Report", "Trouble", "simulate"]

CALL_SECONDS = 0.2
MAX_ATTEMPTS = 3


class Trouble(NamedTuple):
    """What requests meet."""

    failing: float
    """Share of the calls that fail."""
    requests_per_second: float
    seconds: float = 300.0


TROUBLES = {
    "total failure": Trouble(failing=1.0, requests_per_second=100),
    "the same, 1/s": Trouble(failing=1.0, requests_per_second=1),
    "30 % errors": Trouble(failing=0.3, requests_per_second=100),
}


class Client(Protocol):
    """Decides about attempts."""

    def begin(self) -> Any:
        """Return an attempt that may be made, or `None`."""

    def end(self, attempt: Any, *, good: bool) -> None:
        """Hear how it went."""

    def wait_seconds(self, attempt_number: int) -> float | None:
        """Say how long to wait after this attempt failed, or `None` to give up."""

    def succeeded(self, attempt_number: int) -> None:
        """Hear that the request has its answer."""


class Ours:
    """Our engine, its budget and a breaker, as far as they are given."""

    def __init__(
        self, chance: random.Random, budget: RetryBudget, breaker: CircuitBreaker | None = None
    ) -> None:
        """Decide as the engine does."""
        self._engine = RetryEngine(max_attempts=MAX_ATTEMPTS, random=chance, budget=budget)
        self._breaker = breaker

    def begin(self) -> Permit | Literal[True] | None:
        """Ask the circuit, if there is one."""
        if self._breaker is None:
            return True
        decision = self._breaker.try_acquire()
        return decision if isinstance(decision, Permit) else None

    def end(self, attempt: Any, *, good: bool) -> None:
        """Tell the circuit."""
        if self._breaker is not None:
            self._breaker.record(attempt, Outcome.SUCCESS if good else Outcome.FAILURE)

    def wait_seconds(self, attempt_number: int) -> float | None:
        """Ask the table, and pay."""
        mode = FailureMode.MODEL_ERROR
        if not self._engine.should_retry(mode, attempt_number) or not self._engine.pay(mode):
            return None
        return self._engine.delay_seconds(attempt_number)

    def succeeded(self, attempt_number: int) -> None:
        """Fill the budget."""
        self._engine.budget.succeeded(retries=attempt_number - 1)


class Nopanic:
    """The budget of nopanic with the attempts and waits of ours."""

    def __init__(self, clock: ManualClock, chance: random.Random) -> None:
        """Start with its defaults."""
        import nopanic  # noqa: PLC0415

        self._budget = nopanic.RetryBudget(clock=clock)
        self._waits = RetryEngine(random=chance)

    def begin(self) -> Literal[True]:
        """Let every attempt be made."""
        return True

    def end(self, attempt: Any, *, good: bool) -> None:
        """Take no notice."""

    def wait_seconds(self, attempt_number: int) -> float | None:
        """Pay from the budget."""
        if attempt_number == 1:
            self._budget.deposit()
        if attempt_number >= MAX_ATTEMPTS or not self._budget.try_withdraw():
            return None
        return self._waits.delay_seconds(attempt_number)

    def succeeded(self, attempt_number: int) -> None:
        """Count first attempts that succeed, too."""
        if attempt_number == 1:
            self._budget.deposit()


MakeClient = Callable[[ManualClock, random.Random], Client]


def without_bounds(_: ManualClock, chance: random.Random) -> Client:
    """Three attempts, whatever they cost; so do tenacity and LangChain's `with_retry`."""
    return Ours(chance, RetryBudget(capacity=float("inf")))


def budgeted(_: ManualClock, chance: random.Random) -> Client:
    """Three attempts, from the default budget."""
    return Ours(chance, RetryBudget())


def behind_a_run(clock: ManualClock, chance: random.Random) -> Client:
    """The same behind the default circuit: five failures in a row."""
    return Ours(chance, RetryBudget(), _breaker(clock, chance))


def behind_a_window(clock: ManualClock, chance: random.Random) -> Client:
    """The same behind a circuit for many calls at a time."""
    return Ours(
        chance,
        RetryBudget(),
        _breaker(clock, chance).override(failure_threshold=10, window=FailureWindow()),
    )


def _breaker(clock: ManualClock, chance: random.Random) -> CircuitBreaker:
    return CircuitBreaker(store=InMemoryCircuitStore(clock=clock, uniform=chance.random))


CLIENTS: dict[str, MakeClient] = {
    "3 attempts": without_bounds,
    "and a budget": budgeted,
    "and 5 in a row": behind_a_run,
    "and a window": behind_a_window,
    **({"nopanic's budget": Nopanic} if find_spec("nopanic") else {}),
}


@dataclass
class Report:
    """What came of all requests."""

    requests: int = 0
    calls: int = 0
    answered: int = 0

    @property
    def amplification(self) -> float:
        """Calls per request."""
        return self.calls / self.requests

    @property
    def success(self) -> float:
        """Share of the requests that were answered."""
        return self.answered / self.requests


def simulate(trouble: Trouble, make: MakeClient, *, seed: int) -> Report:
    """Run one simulation. `seed` decides everything that is drawn."""
    chance, clock, report = random.Random(seed), ManualClock(), Report()
    client = make(clock, chance)

    def request(begins: float) -> Process:
        yield begins
        report.requests += 1
        for attempt_number in range(1, MAX_ATTEMPTS + 1):
            attempt = client.begin()
            if attempt is None:
                return
            report.calls += 1
            yield CALL_SECONDS
            good = chance.random() >= trouble.failing
            client.end(attempt, good=good)
            if good:
                report.answered += 1
                client.succeeded(attempt_number)
                return
            wait_seconds = client.wait_seconds(attempt_number)
            if wait_seconds is None:
                return
            yield wait_seconds

    arrivals = list(_arrivals(trouble, chance))
    pass_time([request(begins) for begins in arrivals], clock, until=float("inf"))
    return report


def _arrivals(trouble: Trouble, chance: random.Random) -> Iterator[float]:
    time = 0.0
    while (time := time + chance.expovariate(trouble.requests_per_second)) < trouble.seconds:
        yield time
