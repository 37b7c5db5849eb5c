"""The state machine against a small naive model, under any sequence of events."""

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule
from pydantic import ValidationError

from langchain_control.circuits import CircuitState, Outcome, Permit
from langchain_control.circuits.failure_window import FailureWindow, wilson_lower_bound
from langchain_control.circuits.machine import Circuit
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.testing import ManualClock

THRESHOLD, OPEN_SECONDS, PROBES, LEASE_SECONDS = 2, 5, 2, 7
RULES = CircuitBreaker(
    failure_threshold=THRESHOLD,
    recovery_seconds=OPEN_SECONDS,
    half_open_probes=PROBES,
    probe_timeout_seconds=LEASE_SECONDS,
)


class NaiveCircuit:
    """The rules of a circuit, as plainly as they can be said."""

    def __init__(self):
        self.become("closed", now=0)
        self.held = False

    def become(self, state, now, seconds=OPEN_SECONDS, then="half_open"):
        self.state, self.until, self.then = state, now + seconds, then
        self.era, self.run, self.good = object(), 0, 0
        self.probes = {}

    def time_passes(self, now):
        lost = [end for end in self.probes.values() if end <= now]
        if self.state == "half_open" and lost:
            self.become("open", min(lost))
        if self.state == "open" and not self.held and self.until <= now:
            self.become(self.then, now)

    def ask(self, now):
        """Return (era, probe) of a permit, or `None`."""
        self.time_passes(now)
        if self.state == "half_open":
            if len(self.probes) + self.good == PROBES:
                return None
            probe = object()
            self.probes[probe] = now + LEASE_SECONDS
            return self.era, probe
        return (self.era, None) if self.state == "closed" else None

    def tell(self, permit, outcome, now, retry_after):
        self.time_passes(now)
        era, probe = permit
        if outcome is Outcome.OVERDUE:
            return
        if era is not self.era or (self.state == "half_open" and probe not in self.probes):
            return
        self.probes.pop(probe, None)
        if outcome is Outcome.THROTTLED and retry_after and not self.held:
            self.become("open", now, retry_after, then="closed")
        if outcome in (Outcome.THROTTLED, Outcome.IGNORED):
            return
        failed = outcome is Outcome.FAILURE
        self.run = self.run + 1 if failed else 0
        self.good += not failed
        if self.state == "half_open" and self.good == PROBES:
            self.become("closed", now)
        elif failed and (self.state == "half_open" or self.run >= THRESHOLD) and not self.held:
            self.become("open", now)


class CircuitComparison(RuleBasedStateMachine):
    """Both circuits see the same calls at the same times and must look the same."""

    permits = Bundle("permits")

    def __init__(self):
        super().__init__()
        self.clock = ManualClock()
        self.store = InMemoryCircuitStore(clock=self.clock)
        self.naive = NaiveCircuit()

    @rule(target=permits)
    def ask(self):
        decision, expected = self.store.acquire("c", RULES), self.naive.ask(self.clock())
        assert isinstance(decision, Permit) == (expected is not None)
        return decision, expected

    @rule(permit=permits, outcome=st.sampled_from(Outcome), wait=st.sampled_from([None, 4.0]))
    def tell(self, permit, outcome, wait):
        decision, expected = permit
        if expected is not None:
            self.store.record(decision, outcome, RULES, wait)
            self.naive.tell(expected, outcome, self.clock(), wait)

    @rule(outcome=st.sampled_from([Outcome.FAILURE, Outcome.SUCCESS]), times=st.integers(1, 2))
    def call(self, outcome, times):
        for _ in range(times):
            self.tell(self.ask(), outcome, None)

    @rule(seconds=st.sampled_from([1, OPEN_SECONDS, LEASE_SECONDS, LEASE_SECONDS + 1, 13]))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule(state=st.sampled_from([CircuitState.OPEN, CircuitState.CLOSED]))
    @precondition(lambda self: self.clock() % 3 == 0)  # seldom: by hand hides the rest
    def hold(self, state):
        self.store.hold("c", state)
        self.naive.become(state.value, self.clock())
        self.naive.held = True

    @rule()
    def reset(self):
        self.store.reset("c")
        self.naive.become("closed", self.clock())
        self.naive.held = False

    @invariant()
    def looks_the_same(self):
        view = self.store.view("c", RULES)
        self.naive.time_passes(self.clock())
        assert view["state"] == self.naive.state
        assert view["probes"] == len(self.naive.probes)
        if view["state"] == "open" and not self.naive.held:
            assert view["retry_after"] == pytest.approx(self.naive.until - self.clock())


CircuitComparison.TestCase.settings = settings(
    max_examples=200, stateful_step_count=50, deadline=None
)
TestCircuitComparison = CircuitComparison.TestCase


# --- by a server's clock, which may be set back ---------------------------------------------------


@pytest.fixture
def circuit():
    return Circuit("c", now=1e6, numbers=itertools.count(1).__next__, uniform=lambda: 0.0)


def tell(circuit, outcome, now, rules=RULES, times=1):
    for _ in range(times):
        circuit.record(circuit.admit(rules, now), outcome, rules, now)


def test_an_hour_that_comes_again_keeps_no_circuit_open(circuit):
    """The open time counts from when the clock was set back."""
    tell(circuit, Outcome.FAILURE, 1e6, times=THRESHOLD)
    back = 1e6 - 3600
    assert circuit.admit(RULES, back).retry_after == OPEN_SECONDS
    assert isinstance(circuit.admit(RULES, back + OPEN_SECONDS), Permit)


def test_an_hour_that_comes_again_keeps_no_probe(circuit):
    """So does the lease of a probe."""
    tell(circuit, Outcome.FAILURE, 1e6, times=THRESHOLD)
    for _ in range(PROBES):
        circuit.admit(RULES, 1e6 + OPEN_SECONDS)
    back = 1e6 - 3600
    assert circuit.view(RULES, back)["state"] == "half_open"
    assert circuit.view(RULES, back + LEASE_SECONDS)["state"] == "open"


def test_processes_that_differ_by_a_second_move_nothing(circuit):
    """Another worker's clock that is a little behind does not shorten the open time."""
    tell(circuit, Outcome.FAILURE, 1e6, times=THRESHOLD)
    circuit.tick(RULES, 1e6 - 1)
    assert circuit.admit(RULES, 1e6).retry_after == OPEN_SECONDS


def test_a_window_does_not_reach_into_an_hour_that_comes_again(circuit):
    """Calls that seem to be yet to come are forgotten."""
    rules = RULES.override(window=FailureWindow())
    tell(circuit, Outcome.SUCCESS, 1e6, rules, times=100)
    assert circuit.view(rules, 1e6 - 3600)["calls"] == 0


def test_an_hour_that_comes_again_is_not_spent_waiting_for_silence(circuit):
    """Silence counts from when the clock was set back, not from an answer yet to come."""
    window = FailureWindow(min_silence_seconds=5)
    rules = RULES.override(window=window)
    tell(circuit, Outcome.SUCCESS, 1e6, rules)
    back = 1e6 - 3600
    tell(circuit, Outcome.FAILURE, back, rules, times=THRESHOLD)
    assert circuit.view(rules, back)["state"] == "closed"
    assert circuit.view(rules, back + 5)["state"] == "open"


# --- what a circuit shows -------------------------------------------------------------------------


def test_the_failure_rate_is_the_share_of_the_calls_in_the_window(circuit):
    """An alarm can be set on it before the circuit opens."""
    rules = RULES.override(window=FailureWindow(seconds=60))
    tell(circuit, Outcome.SUCCESS, 1e6, rules, times=3)
    tell(circuit, Outcome.FAILURE, 1e6, rules)

    seen = circuit.view(rules, 1e6)

    assert (seen["calls"], seen["failure_rate"]) == (4, 0.25)


def test_a_closed_circuit_asks_nobody_to_wait(circuit):
    """What is admitted at once is told as no seconds, and not as forever."""
    assert circuit.view(RULES, 1e6)["retry_after"] == 0.0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("seconds", 0), ("failure_rate", 0), ("failure_rate", 1), ("slow_seconds", 0),
        ("slow_rate", 0), ("slow_rate", 1), ("z_score", -1), ("silence_latencies", -1),
        ("min_silence_seconds", -1), ("secnods", 60),
    ],
)  # fmt: skip
def test_a_window_that_could_not_judge_is_refused(setting, value):
    """A mistake in a setting is told by its name, when the window is made."""
    with pytest.raises(ValidationError, match=setting):
        FailureWindow(**{setting: value})


# --- what a circuit keeps -------------------------------------------------------------------------


def test_a_call_that_has_ended_is_not_kept_as_overdue(circuit):
    """A circuit that stays closed for months does not gather the calls that once hung."""
    rules = RULES.override(window=FailureWindow(slow_seconds=1))
    tell(circuit, Outcome.SUCCESS, 1e6, rules, times=10)
    permit = circuit.admit(rules, 1e6)
    circuit.record(permit, Outcome.OVERDUE, rules, 1e6 + 1)
    assert circuit.moment().overdue == {permit.lease}
    circuit.record(permit, Outcome.SUCCESS, rules, 1e6 + 2)
    assert circuit.moment().overdue == set()


@pytest.mark.parametrize("ramp_seconds", [0, 10])
def test_a_circuit_that_lets_everything_in_changes_no_more(circuit, ramp_seconds):
    """Calls share one permit, and other processes need not hear of them."""
    rules = RULES.override(ramp_seconds=ramp_seconds, half_open_probes=1)
    tell(circuit, Outcome.FAILURE, 1e6, rules, times=THRESHOLD)
    closed_at = 1e6 + OPEN_SECONDS
    tell(circuit, Outcome.SUCCESS, closed_at, rules)
    circuit.take_changes()
    assert circuit.dump()["ramping"] == bool(ramp_seconds)
    first = circuit.admit(rules, closed_at + ramp_seconds)
    assert circuit.admit(rules, closed_at + ramp_seconds) is first
    assert not circuit.dump()["ramping"]


@pytest.mark.parametrize(("hits", "total"), [(0, 0), (0, 9), (1, 2), (5, 10), (50, 100), (9, 9)])
def test_wilson_bound_lies_below_the_share(hits, total):
    """The bound doubts every share, and doubts it less the more calls there are."""
    bound = wilson_lower_bound(hits, total, 2.33)
    assert 0 <= bound <= (hits / total if total else 0)
    assert wilson_lower_bound(hits * 10, total * 10, 2.33) >= bound


def test_wilson_bound_is_the_published_one():
    """Ten of twenty at 95 % (z = 1.96) is 29.9 % to 70.1 %, a textbook value."""
    assert wilson_lower_bound(10, 20, 1.96) == pytest.approx(0.299, abs=5e-4)
