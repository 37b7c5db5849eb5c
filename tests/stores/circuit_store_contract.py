"""What every `CircuitStore` must do. Subclass it and provide a `store` that goes by `clock`."""

import threading

import pytest

from langchain_control.circuits import CircuitState, Outcome, Permit, Refusal
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import CircuitStore
from langchain_control.testing import ManualClock

KEY = "model"
RULES = CircuitBreaker(failure_threshold=3, recovery_seconds=30, probe_timeout_seconds=60)


class CircuitStoreContract:
    """One behaviour per test, in terms of the protocol only."""

    @pytest.fixture
    def clock(self):
        return ManualClock(1000.0)

    @pytest.fixture
    def store(self, clock) -> CircuitStore:
        raise NotImplementedError

    def test_a_new_circuit_is_closed(self, store):
        """What nobody has called yet is presumed to work."""
        assert store.view(KEY, RULES)["state"] == "closed"
        assert isinstance(store.acquire(KEY, RULES), Permit)

    def test_opens_at_the_threshold(self, store):
        """The circuit opens with the last failure of the run, not one earlier."""
        fail(store, times=2)
        assert state(store) == "closed"
        fail(store)
        assert state(store) == "open"

    def test_a_success_ends_a_run(self, store):
        """Only failures in a row open the circuit."""
        fail(store, times=2)
        succeed(store)
        fail(store, times=2)
        assert state(store) == "closed"

    def test_an_open_circuit_says_how_long(self, store, clock):
        """A refusal counts down to the first probe."""
        fail(store, times=3)
        clock.advance(10)
        refusal = store.acquire(KEY, RULES)
        assert isinstance(refusal, Refusal)
        assert refusal.state is CircuitState.OPEN
        assert refusal.retry_after == pytest.approx(20)

    @pytest.mark.parametrize("probes", [1, 3])
    def test_half_open_admits_exactly_its_probes(self, store, clock, probes):
        """No caller beyond the probes gets through before they have answered."""
        rules = RULES.override(half_open_probes=probes)
        fail(store, times=3, rules=rules)
        clock.advance(30)
        decisions = [store.acquire(KEY, rules) for _ in range(10)]
        assert [isinstance(d, Permit) for d in decisions] == [i < probes for i in range(10)]

    def test_closes_when_every_probe_has_succeeded(self, store, clock):
        """One good probe out of two proves nothing yet, and frees no slot."""
        rules = RULES.override(half_open_probes=2)
        fail(store, times=3, rules=rules)
        clock.advance(30)
        first, second = store.acquire(KEY, rules), store.acquire(KEY, rules)
        store.record(first, Outcome.SUCCESS, rules)
        assert isinstance(store.acquire(KEY, rules), Refusal)
        store.record(second, Outcome.SUCCESS, rules)
        assert state(store) == "closed"

    def test_a_failed_probe_opens_again(self, store, clock):
        """The next probe has to wait its whole time."""
        probe = half_open(store, clock)
        store.record(probe, Outcome.FAILURE, RULES)
        assert state(store) == "open"
        clock.advance(29)
        assert isinstance(store.acquire(KEY, RULES), Refusal)
        clock.advance(1)
        assert isinstance(store.acquire(KEY, RULES), Permit)

    def test_open_time_grows_up_to_its_bound(self, store, clock):
        """Each failed recovery waits longer than the last; success starts over."""
        rules = RULES.override(recovery_multiplier=2.0, max_recovery_seconds=100)
        fail(store, times=3, rules=rules)
        waits = []
        for _ in range(4):
            waits.append(store.acquire(KEY, rules).retry_after)
            clock.advance(waits[-1])
            store.record(store.acquire(KEY, rules), Outcome.FAILURE, rules)
        assert waits == pytest.approx([30, 60, 100, 100])
        clock.advance(100)
        store.record(store.acquire(KEY, rules), Outcome.SUCCESS, rules)
        fail(store, times=3, rules=rules)
        assert store.acquire(KEY, rules).retry_after == pytest.approx(30)

    def test_open_time_stays_at_its_bound_in_an_outage_of_days(self, store, clock):
        """However often recovery has failed, the next wait is the longest one allowed."""
        rules = RULES.override(failure_threshold=1, recovery_multiplier=10)
        for _ in range(400):
            fail(store, rules=rules)
            clock.advance(rules.max_recovery_seconds)
        fail(store, rules=rules)
        refusal = store.acquire(KEY, rules)
        assert refusal.retry_after == pytest.approx(rules.max_recovery_seconds)

    def test_a_half_open_refusal_says_when_to_ask_again(self, store, clock):
        """A slot is free when the oldest probe is lost, if not sooner; nobody waits for longer."""
        rules = RULES.override(half_open_probes=2)
        half_open(store, clock, rules)
        clock.advance(10)
        assert isinstance(store.acquire(KEY, rules), Permit)
        assert store.acquire(KEY, rules).retry_after == pytest.approx(rules.recovery_seconds)
        clock.advance(40)
        assert store.acquire(KEY, rules).retry_after == pytest.approx(10)

    def test_a_lost_probe_counts_as_failed(self, store, clock):
        """A probe nobody hears of again does not shut the circuit for ever."""
        half_open(store, clock)
        clock.advance(60)
        assert state(store) == "open"
        clock.advance(30)
        assert isinstance(store.acquire(KEY, RULES), Permit)

    def test_open_time_counts_from_the_loss(self, store, clock):
        """Traffic returns a lease and an open time after the probe left, whoever looks when."""
        half_open(store, clock)
        clock.advance(60 + 30)
        assert isinstance(store.acquire(KEY, RULES), Permit)

    def test_a_late_verdict_of_a_lost_probe_has_no_effect(self, store, clock):
        """Once taken for lost, a probe is not heard any more."""
        probe = half_open(store, clock)
        clock.advance(60)
        store.record(probe, Outcome.SUCCESS, RULES)
        assert state(store) == "open"

    @pytest.mark.parametrize("outcome", [Outcome.IGNORED, Outcome.THROTTLED])
    def test_a_probe_without_a_verdict_gives_its_slot_back(self, store, clock, outcome):
        """A cancelled probe neither closes nor opens the circuit; the next caller probes."""
        probe = half_open(store, clock)
        store.record(probe, outcome, RULES)
        assert state(store) == "half_open"
        assert isinstance(store.acquire(KEY, RULES), Permit)

    @pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.FAILURE])
    def test_results_from_before_a_change_have_no_effect(self, store, clock, outcome):
        """A call that began before the circuit opened says nothing about later."""
        late = store.acquire(KEY, RULES)
        fail(store, times=3)
        store.record(late, outcome, RULES)
        assert store.acquire(KEY, RULES).retry_after == pytest.approx(30)
        clock.advance(30)
        probe = store.acquire(KEY, RULES)
        store.record(late, outcome, RULES)
        assert state(store) == "half_open"
        store.record(probe, Outcome.SUCCESS, RULES)
        for _ in range(5):
            store.record(late, Outcome.FAILURE, RULES)
        assert state(store) == "closed"

    def test_a_probe_counts_once(self, store, clock):
        """Recording a probe twice, or releasing it afterwards, frees no second slot."""
        rules = RULES.override(half_open_probes=2)
        fail(store, times=3, rules=rules)
        clock.advance(30)
        probe = store.acquire(KEY, rules)
        store.record(probe, Outcome.SUCCESS, rules)
        store.record(probe, Outcome.SUCCESS, rules)
        store.record(probe, Outcome.IGNORED, rules)
        assert state(store) == "half_open"

    def test_throttled_opens_for_as_long_as_asked(self, store, clock):
        """A provider that says when to come back is not sick: no probe is needed."""
        store.record(store.acquire(KEY, RULES), Outcome.THROTTLED, RULES, 12.0)
        assert store.acquire(KEY, RULES).retry_after == pytest.approx(12)
        clock.advance(12)
        assert all(isinstance(store.acquire(KEY, RULES), Permit) for _ in range(5))

    def test_a_long_retry_after_is_bounded(self, store):
        """No header shuts a circuit for a day."""
        store.record(store.acquire(KEY, RULES), Outcome.THROTTLED, RULES, 86_400.0)
        assert store.acquire(KEY, RULES).retry_after == pytest.approx(RULES.max_recovery_seconds)

    @pytest.mark.parametrize("outcome", [Outcome.IGNORED, Outcome.THROTTLED])
    def test_no_verdict_leaves_a_run_as_it_is(self, store, outcome):
        """What says nothing about the provider neither opens the circuit nor ends a run."""
        fail(store, times=2)
        for _ in range(5):
            store.record(store.acquire(KEY, RULES), outcome, RULES)
        assert state(store) == "closed"
        fail(store)
        assert state(store) == "open"

    def test_slow_answers_are_answers_without_a_window(self, store):
        """Latency is judged only where it is measured."""
        fail(store, times=2)
        store.record(store.acquire(KEY, RULES), Outcome.SLOW, RULES)
        fail(store, times=2)
        assert state(store) == "closed"

    def test_held_open_until_reset(self, store, clock):
        """A circuit opened by hand does not probe by itself."""
        store.hold(KEY, CircuitState.OPEN)
        clock.advance(1e6)
        refusal = store.acquire(KEY, RULES)
        assert isinstance(refusal, Refusal)
        assert refusal.retry_after is None
        store.reset(KEY)
        assert isinstance(store.acquire(KEY, RULES), Permit)

    def test_held_closed_until_reset(self, store):
        """A circuit closed by hand admits calls whatever becomes of them."""
        store.hold(KEY, CircuitState.CLOSED)
        fail(store, times=10)
        store.record(store.acquire(KEY, RULES), Outcome.THROTTLED, RULES, 10.0)
        assert state(store) == "closed"
        assert store.view(KEY, RULES)["held"]
        store.reset(KEY)
        fail(store, times=3)
        assert state(store) == "open"

    def test_reset_forgets_failed_recoveries(self, store, clock):
        """A circuit that was closed by hand opens for as short a time as a new one."""
        rules = RULES.override(recovery_multiplier=2)
        store.record(half_open(store, clock, rules), Outcome.FAILURE, rules)
        store.reset(KEY)
        fail(store, times=3, rules=rules)
        assert store.acquire(KEY, rules).retry_after == pytest.approx(rules.recovery_seconds)

    def test_keys_are_apart(self, store):
        """One provider's outage is not another's."""
        fail(store, times=3)
        assert isinstance(store.acquire("other", RULES), Permit)
        assert set(store.keys()) >= {KEY, "other"}

    def test_looking_uses_up_nothing(self, store, clock):
        """Any number of views leaves the probe to the first caller."""
        fail(store, times=3)
        clock.advance(30)
        assert [state(store) for _ in range(5)] == ["half_open"] * 5
        assert isinstance(store.acquire(KEY, RULES), Permit)
        assert store.view(KEY, RULES)["probes"] == 1

    def test_every_change_is_told_once(self, store, clock):
        """Each operation reports what it changed, or found changed."""
        told = []
        for _ in range(3):
            told += store.record(store.acquire(KEY, RULES), Outcome.FAILURE, RULES)
        clock.advance(30)
        probe = store.acquire(KEY, RULES)
        told += probe.changes
        told += store.record(probe, Outcome.SUCCESS, RULES)
        told += store.acquire(KEY, RULES).changes
        assert [(c.before.value, c.after.value) for c in told] == [
            ("closed", "open"),
            ("open", "half_open"),
            ("half_open", "closed"),
        ]

    def test_ramp_admits_a_growing_share(self, store, clock):
        """After an outage the herd is let back in gradually, evenly, and then wholly."""
        rules = RULES.override(ramp_seconds=10.0)
        probe = half_open(store, clock, rules)
        store.record(probe, Outcome.SUCCESS, rules)

        def share() -> int:
            return sum(isinstance(store.acquire(KEY, rules), Permit) for _ in range(100))

        shares = [share()]
        for _ in range(3):
            clock.advance(4)
            shares.append(share())
        assert shares == pytest.approx([10, 40, 80, 100], abs=1)

    def test_a_ramp_says_when_it_is_over(self, store, clock):
        """Who is turned away by the ramp learns when everybody is let in."""
        rules = RULES.override(ramp_seconds=10)
        store.record(half_open(store, clock, rules), Outcome.SUCCESS, rules)
        clock.advance(1)
        assert store.acquire(KEY, rules).retry_after == pytest.approx(9)

    def test_window_opens_on_an_outage(self, store):
        """Six calls and no answer are no chance."""
        rules = RULES.override(window=FailureWindow())
        fail(store, times=5, rules=rules)
        assert state(store, rules) == "closed"
        fail(store, rules=rules)
        assert state(store, rules) == "open"

    def test_window_sees_a_run_only_in_silence(self, store, clock):
        """In a healthy history a run of failures counts once nothing has answered for a while."""
        rules = RULES.override(window=FailureWindow(min_silence_seconds=5))
        for _ in range(100):
            clock.advance(0.1)
            succeed(store, rules=rules)
        fail(store, times=10, rules=rules)
        assert state(store, rules) == "closed"
        clock.advance(5)
        assert state(store, rules) == "open"

    def test_window_waits_as_long_as_answers_usually_take(self, store, clock):
        """Where an answer takes ten seconds, twenty without one are no silence."""
        rules = RULES.override(window=FailureWindow(silence_latencies=5, min_silence_seconds=1))
        for _ in range(50):
            permit = store.acquire(KEY, rules)
            clock.advance(10)
            store.record(permit, Outcome.SUCCESS, rules)
        fail(store, times=3, rules=rules)
        clock.advance(20)
        assert state(store, rules) == "closed"
        clock.advance(30)
        assert state(store, rules) == "open"

    @pytest.mark.parametrize("outcome", [Outcome.FAILURE, Outcome.SLOW])
    def test_window_forgets_what_is_older_than_it(self, store, clock, outcome):
        """Five bad calls of an earlier time do not make the sixth an outage."""
        rules = RULES.override(window=FailureWindow(seconds=10), failure_threshold=100)
        for _ in range(5):
            store.record(store.acquire(KEY, rules), outcome, rules)
        clock.advance(20)
        seen = store.view(KEY, rules)
        assert (seen["calls"], seen["failure_rate"]) == (0, 0.0)
        store.record(store.acquire(KEY, rules), outcome, rules)
        seen = store.view(KEY, rules)
        assert (seen["state"], seen["calls"]) == ("closed", 1)

    def test_window_keeps_a_call_for_its_length(self, store, clock):
        """A call counts for as long as the window, and hardly longer."""
        rules = RULES.override(window=FailureWindow(seconds=10))
        succeed(store, rules=rules)
        clock.advance(9)
        succeed(store, rules=rules)
        assert store.view(KEY, rules)["calls"] == 2
        clock.advance(3)
        assert store.view(KEY, rules)["calls"] == 1

    @pytest.mark.parametrize(
        ("outcome", "limit"), [(Outcome.FAILURE, "failure_rate"), (Outcome.SLOW, "slow_rate")]
    )
    def test_window_has_a_limit_for_failures_and_one_for_slow_answers(self, store, outcome, limit):
        """Each share is held against its own limit."""
        window = FailureWindow(z_score=0, **{limit: 0.2})
        rules = RULES.override(window=window, failure_threshold=100)
        for _ in range(8):
            succeed(store, rules=rules)
        store.record(store.acquire(KEY, rules), outcome, rules)
        assert state(store, rules) == "closed"
        store.record(store.acquire(KEY, rules), outcome, rules)
        assert state(store, rules) == "open"

    def test_window_opens_on_slow_answers(self, store, clock):
        """Answers nobody waits for any more are as bad as none."""
        window = FailureWindow(slow_seconds=10, seconds=300)
        rules = RULES.override(window=window, failure_threshold=100)
        for _ in range(6):
            permit = store.acquire(KEY, rules)
            clock.advance(20)
            store.record(permit, Outcome.SUCCESS, rules)
        assert state(store, rules) == "open"

    def test_an_overdue_call_counts_at_once_and_only_once(self, store, clock):
        """A call that hangs is seen while it hangs; its end then says nothing new."""
        rules = RULES.override(window=FailureWindow(slow_seconds=10, min_silence_seconds=5))
        succeed(store, rules=rules)
        hanging = [store.acquire(KEY, rules) for _ in range(3)]
        clock.advance(10)
        for permit in hanging[:2]:
            store.record(permit, Outcome.OVERDUE, rules)
            store.record(permit, Outcome.FAILURE, rules)
        assert store.view(KEY, rules)["calls"] == 3
        assert state(store, rules) == "closed"
        store.record(hanging[2], Outcome.OVERDUE, rules)
        assert state(store, rules) == "open"

    def test_an_overdue_probe_has_failed(self, store, clock):
        """A probe that hangs opens the circuit again before its timeout."""
        rules = RULES.override(window=FailureWindow(slow_seconds=10))
        fail(store, times=6, rules=rules)
        clock.advance(30)
        probe = store.acquire(KEY, rules)
        store.record(probe, Outcome.OVERDUE, rules)
        assert state(store, rules) == "open"

    def test_overdue_says_nothing_without_a_window(self, store, clock):
        """A probe keeps its slot until its own verdict."""
        probe = half_open(store, clock)
        store.record(probe, Outcome.OVERDUE, RULES)
        assert isinstance(store.acquire(KEY, RULES), Refusal)
        store.record(probe, Outcome.SUCCESS, RULES)
        assert state(store) == "closed"

    @pytest.mark.parametrize("probes", [1, 4])
    def test_64_threads_get_exactly_the_probes(self, store, clock, probes):
        """Threads that ask at the same moment do not share a slot."""
        rules = RULES.override(half_open_probes=probes)
        fail(store, times=3, rules=rules)
        clock.advance(30)
        barrier, admitted = threading.Barrier(64), []

        def ask():
            barrier.wait()
            if isinstance(store.acquire(KEY, rules), Permit):
                admitted.append(1)

        threads = [threading.Thread(target=ask) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(admitted) == probes


def state(store, rules=RULES):
    return store.view(KEY, rules)["state"]


def fail(store, times=1, rules=RULES):
    for _ in range(times):
        store.record(store.acquire(KEY, rules), Outcome.FAILURE, rules)


def succeed(store, rules=RULES):
    store.record(store.acquire(KEY, rules), Outcome.SUCCESS, rules)


def half_open(store, clock, rules=RULES) -> Permit:
    """Open the circuit, wait, and return the first probe."""
    fail(store, times=3, rules=rules)
    clock.advance(30)
    probe = store.acquire(KEY, rules)
    assert isinstance(probe, Permit)
    return probe
