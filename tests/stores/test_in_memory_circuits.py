"""The store of one process."""

import copy
import pickle
import threading
import time

import pytest

from langchain_control.circuits import CircuitState, Outcome, Permit, Refusal
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import CircuitStore, InMemoryCircuitStore
from tests.stores.circuit_store_contract import KEY, RULES, CircuitStoreContract, fail, state


class TestInMemoryCircuitStore(CircuitStoreContract):
    """The contract, in memory."""

    @pytest.fixture
    def store(self, clock):
        return InMemoryCircuitStore(clock=clock)


def test_is_a_circuit_store():
    """The built-in store is one by the protocol's own word."""
    assert isinstance(InMemoryCircuitStore(), CircuitStore)


def test_jitter_spreads_the_open_time():
    """Chance adds at most its share of the open time."""
    rules = CircuitBreaker(failure_threshold=1, recovery_seconds=100, recovery_jitter=0.2)
    store = InMemoryCircuitStore(clock=lambda: 0.0, uniform=lambda: 0.5)
    fail(store, rules=rules)
    assert store.acquire(KEY, rules).retry_after == pytest.approx(110)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_is_set_changes_nothing(monkeypatch, hours):
    """Open times go by a clock that nobody sets."""
    store, rules = InMemoryCircuitStore(), RULES.override(recovery_seconds=1000)
    fail(store, times=3, rules=rules)
    monkeypatch.setattr(time, "time", lambda: 1e9 + hours * 3600)
    assert 0 < store.acquire(KEY, rules).retry_after <= 1000


def test_forgets_the_least_used_beyond_its_bound():
    """A stream of new keys cannot fill the memory; a circuit in use stays."""
    store = InMemoryCircuitStore(max_keys=10)
    for number in range(1000):
        store.acquire("busy", RULES)
        store.acquire(f"passer-by {number}", RULES)
    known = store.keys()
    assert len(known) == 10
    assert "busy" in known


def test_open_circuits_are_the_last_to_be_forgotten():
    """New keys do not wash away the knowledge that a provider is down."""
    store = InMemoryCircuitStore(max_keys=10)
    store.hold("down", CircuitState.OPEN)
    for number in range(100):
        store.acquire(f"passer-by {number}", RULES)
    assert isinstance(store.acquire("down", RULES), Refusal)


def test_what_was_done_by_hand_is_not_undone_by_new_keys():
    """A circuit held closed is not one that nobody would miss."""
    store = InMemoryCircuitStore(max_keys=10)
    store.hold(KEY, CircuitState.CLOSED)
    for number in range(100):
        store.acquire(f"passer-by {number}", RULES)
    assert store.view(KEY, RULES)["held"]


def test_forgets_even_open_circuits_when_all_are():
    """The bound holds whatever state the circuits are in."""
    store = InMemoryCircuitStore(max_keys=3)
    for number in range(10):
        store.hold(f"down {number}", CircuitState.OPEN)
    assert len(store.keys()) == 3


def test_permits_of_a_forgotten_circuit_count_for_nothing():
    """A circuit made anew under the same name does not take its predecessor's permits."""
    store = InMemoryCircuitStore(max_keys=1)
    old = [store.acquire(KEY, RULES) for _ in range(5)]
    store.acquire("other", RULES)
    store.acquire(KEY, RULES)
    for permit in old:
        store.record(permit, Outcome.FAILURE, RULES)
    assert state(store) == "closed"


def test_needs_room_for_a_circuit():
    """A store that can keep nothing is a mistake."""
    with pytest.raises(ValueError, match="max_keys"):
        InMemoryCircuitStore(max_keys=0)


def test_pickles_empty_and_copies_as_itself():
    """State belongs to its process; copies of a policy within it share their circuits."""
    store = InMemoryCircuitStore(max_keys=7)
    store.hold(KEY, CircuitState.OPEN)
    assert copy.copy(store) is copy.deepcopy(store) is store
    thawed = pickle.loads(pickle.dumps(store))
    assert repr(thawed) == "InMemoryCircuitStore(circuits=0, max_keys=7)"


def test_no_failure_is_lost_under_threads():
    """Failures recorded by eight threads at once are all counted."""
    rules = CircuitBreaker(failure_threshold=100_000)
    store = InMemoryCircuitStore()

    def work():
        for _ in range(1000):
            store.record(store.acquire(KEY, rules), Outcome.FAILURE, rules)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.view(KEY, rules)["failures_in_a_row"] == 8000


def test_eviction_under_threads_keeps_the_bound():
    """Many threads with many keys neither break the store nor outgrow it."""
    store = InMemoryCircuitStore(max_keys=8)
    errors = []

    def work(seed):
        try:
            for number in range(500):
                decision = store.acquire(f"{(seed * 7 + number) % 40}", RULES)
                if isinstance(decision, Permit):
                    store.record(decision, Outcome.FAILURE, RULES)
        except Exception as exc:  # noqa: BLE001  (reported by the assertion)
            errors.append(exc)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(store.keys()) <= 8
