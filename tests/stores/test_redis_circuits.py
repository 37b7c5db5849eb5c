"""Circuits in a real Redis, shared and pushed."""

import itertools
import multiprocessing
import os
import pickle
import threading

import pytest

from langchain_control.circuits import CircuitState, Outcome, Permit, Refusal
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import CircuitStore, RedisCircuitStore
from langchain_control.testing import ManualClock
from tests.stores.circuit_store_contract import (
    KEY,
    RULES,
    CircuitStoreContract,
    fail,
    state,
    succeed,
)
from tests.stores.redis_server import PREFIXES, asked_of, client, commands, subscribers, wait_until

pytestmark = pytest.mark.enable_socket  # the server listens on loopback

forking = multiprocessing.get_context("fork")


class TestRedisCircuitStore(CircuitStoreContract):
    """The contract, in Redis."""

    @pytest.fixture
    def store(self, clock, server, make):
        return make(server.url, prefix=next(PREFIXES), clock=clock)


class TestTwoProcesses(CircuitStoreContract):
    """The contract again, with every operation at another worker of the same server."""

    @pytest.fixture
    def store(self, clock, server, make):
        prefix = next(PREFIXES)
        workers = [make(server.url, prefix=prefix, clock=clock, poll_seconds=0) for _ in range(2)]
        return Alternating(workers)

    test_window_opens_on_an_outage = None  # windows are each process's own
    test_window_sees_a_run_only_in_silence = None
    test_window_waits_as_long_as_answers_usually_take = None
    test_window_forgets_what_is_older_than_it = None
    test_window_keeps_a_call_for_its_length = None
    test_window_has_a_limit_for_failures_and_one_for_slow_answers = None
    test_window_opens_on_slow_answers = None
    test_an_overdue_call_counts_at_once_and_only_once = None
    test_an_overdue_probe_has_failed = None
    test_ramp_admits_a_growing_share = None  # and so is the credit of a ramp
    test_every_change_is_told_once = None  # each worker tells its own listeners


class Alternating:
    """Sends each call to another store."""

    def __init__(self, stores):
        self._stores, self._turns = stores, itertools.cycle(stores)

    def keys(self):
        return {key for store in self._stores for key in store.keys()}  # noqa: SIM118

    def __getattr__(self, name):
        return getattr(next(self._turns), name)


def test_is_a_circuit_store():
    """It follows the protocol, and connects to nothing before it is used."""
    assert isinstance(RedisCircuitStore(), CircuitStore)


def test_repr_and_pickle_keep_the_address_not_the_password():
    """What is printed names the server only; what is pickled finds it again."""
    store = RedisCircuitStore("redis://user:secret@example:6379/0", prefix="p:")
    assert repr(store) == "RedisCircuitStore('example:6379/0', prefix='p:')"
    assert repr(pickle.loads(pickle.dumps(store))) == repr(store)


def test_a_trip_is_pushed(server, make, monkeypatch):
    """Other workers refuse within milliseconds, without asking."""
    prefix = next(PREFIXES)
    here, there = (make(server.url, prefix=prefix, poll_seconds=60) for _ in range(2))
    succeed(there)
    succeed(here)
    wait_until(lambda: subscribers(server, prefix) == 2)
    asked = asked_of(there, monkeypatch)
    fail(here, times=3)
    wait_until(lambda: isinstance(there.acquire(KEY, RULES), Refusal))
    assert asked == []


def test_a_trip_is_found_without_a_push(server, make):
    """Polling covers for a lost push."""
    prefix = next(PREFIXES)
    here, there = (make(server.url, prefix=prefix, poll_seconds=0) for _ in range(2))
    succeed(there)
    fail(here, times=3)
    assert isinstance(there.acquire(KEY, RULES), Refusal)


def test_a_cold_start_knows_the_circuit(server, make):
    """A worker that has just started makes no call to a provider others know is down."""
    prefix = next(PREFIXES)
    fail(make(server.url, prefix=prefix), times=3)
    assert isinstance(make(server.url, prefix=prefix).acquire(KEY, RULES), Refusal)


def test_the_closed_path_makes_no_round_trips(server, make):
    """Thousands of good calls cost the server a few questions."""
    store = make(server.url, prefix=next(PREFIXES))
    succeed(store)
    before = commands(server)
    for _ in range(2000):
        succeed(store)
    assert commands(server) - before <= 20


def test_a_call_longer_than_a_poll_makes_no_round_trip(server, make, monkeypatch):
    """A permit is as good after a comparison with the server as before."""
    store = make(server.url, prefix=next(PREFIXES), poll_seconds=0)
    before, after = store.acquire(KEY, RULES), store.acquire(KEY, RULES)
    asked = asked_of(store, monkeypatch)
    for permit in (before, after):
        store.record(permit, Outcome.SUCCESS, RULES)
    assert asked == []


def test_refusals_make_no_round_trips(server, make):
    """An open circuit is refused from the copy."""
    store = make(server.url, prefix=next(PREFIXES))
    fail(store, times=3)
    before = commands(server)
    for _ in range(500):
        assert isinstance(store.acquire(KEY, RULES), Refusal)
    assert commands(server) - before <= 20


def test_workers_share_the_probes(server, make):
    """However many workers ask at the same moment, one probe is admitted."""
    prefix, clock = next(PREFIXES), ManualClock(1000.0)
    rules = CircuitBreaker(failure_threshold=1, recovery_seconds=30)
    workers = [make(server.url, prefix=prefix, clock=clock) for _ in range(4)]
    for worker in workers:
        succeed(worker, rules=rules)
    wait_until(lambda: subscribers(server, prefix) == 4)
    fail(workers[0], rules=rules)
    wait_until(lambda: all(isinstance(worker.acquire(KEY, rules), Refusal) for worker in workers))
    clock.advance(30)
    barrier, admitted = threading.Barrier(32), []

    def ask(worker):
        barrier.wait()
        if isinstance(worker.acquire(KEY, rules), Permit):
            admitted.append(worker)

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in workers * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 1


def test_no_failure_is_lost_between_workers(server, make):
    """Failures counted by many threads of many workers at once add up."""
    prefix = next(PREFIXES)
    rules = CircuitBreaker(failure_threshold=100_000)
    workers = [make(server.url, prefix=prefix) for _ in range(4)]

    def work(worker):
        for _ in range(25):
            fail(worker, rules=rules)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert make(server.url, prefix=prefix).view(KEY, rules)["failures_in_a_row"] == 200


def test_a_change_that_came_second_is_told_as_the_others(server, make):
    """A worker overtaken by another reports one opening, not two and not none."""
    prefix = next(PREFIXES)
    here, there = (make(server.url, prefix=prefix, poll_seconds=60) for _ in range(2))
    fail(here, times=2)
    assert state(there) == "closed"
    here.close()  # deaf to pushes
    told = there.record(there.acquire(KEY, RULES), Outcome.FAILURE, RULES)
    assert [change.after.value for change in told] == ["open"]
    told = here.record(here.acquire(KEY, RULES), Outcome.FAILURE, RULES)
    assert [change.after.value for change in told] == ["open"]
    assert here.acquire(KEY, RULES).changes == ()


WINDOWED = RULES.override(window=FailureWindow(slow_seconds=10), failure_threshold=100)


def overtaken(here, there, permit, outcome):
    """Record an outcome when another worker has just recorded one that this one did not hear of."""
    here.close()  # deaf to pushes
    there.record(there.acquire(KEY, WINDOWED), Outcome.FAILURE, WINDOWED)
    here.record(permit, outcome, WINDOWED)


@pytest.mark.parametrize("outcome", [Outcome.FAILURE, Outcome.OVERDUE])
def test_a_window_counts_a_call_once_however_often_it_is_told(server, make, outcome):
    """Each try of a worker overtaken by another counted the call again, or took it back."""
    prefix = next(PREFIXES)
    here, there = (make(server.url, prefix=prefix, poll_seconds=60) for _ in range(2))
    permit = here.acquire(KEY, WINDOWED)
    overtaken(here, there, permit, outcome)
    if outcome is Outcome.OVERDUE:
        here.record(permit, Outcome.SUCCESS, WINDOWED)
    seen = here.view(KEY, WINDOWED)
    assert (seen["calls"], seen["failures_in_a_row"]) == (1, 2)


def test_a_window_opens_though_its_worker_was_overtaken(server, make):
    """What it had counted was gone when the opening was done again."""
    prefix = next(PREFIXES)
    here, there = (make(server.url, prefix=prefix, poll_seconds=60) for _ in range(2))
    fail(here, times=5, rules=WINDOWED)
    overtaken(here, there, here.acquire(KEY, WINDOWED), Outcome.FAILURE)
    assert here.view(KEY, WINDOWED)["state"] == "open"


def test_drops_the_least_used_copies_beyond_its_bound(server, make):
    """A stream of new keys fills nobody's memory; open circuits and those in use stay."""
    store = make(server.url, prefix=next(PREFIXES), max_keys=10)
    fail(store, times=3)
    for number in range(50):
        store.acquire("busy", RULES)
        store.acquire(f"passer-by {number}", RULES)
    known = store.keys()
    assert len(known) == 10
    assert {KEY, "busy"} <= set(known)


def test_a_dropped_copy_is_read_again(server, make):
    """What was dropped is not forgotten: it is on the server, permits included."""
    store = make(server.url, prefix=next(PREFIXES), max_keys=1)
    fail(store, times=2)
    permit = store.acquire(KEY, RULES)
    store.acquire("other", RULES)
    store.record(permit, Outcome.FAILURE, RULES)
    store.acquire("other", RULES)
    assert isinstance(store.acquire(KEY, RULES), Refusal)


def test_needs_room_for_a_copy():
    """A store that can keep nothing is a mistake."""
    with pytest.raises(ValueError, match="max_keys"):
        RedisCircuitStore(max_keys=0)


def test_held_circuits_do_not_expire(server, make):
    """What was done by hand stays; the rest is forgotten after a day."""
    prefix = next(PREFIXES)
    store = make(server.url, prefix=prefix)
    store.hold("held", CircuitState.OPEN)
    fail(store)
    assert client(server).ttl(f"{prefix}held") == -1
    assert 0 < client(server).ttl(f"{prefix}{KEY}") <= 86_400


def _exit_with_whether_it_is_refused(store):
    os._exit(isinstance(store.acquire(KEY, RULES), Refusal))


# Python 3.12 warns of forks beside threads, whoever started them. The child uses its own.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_does_not_inherit_a_held_lock(server, make):
    """A fork in the middle of another thread's round trip leaves the child able to ask."""
    store = make(server.url, prefix=next(PREFIXES))
    fail(store, times=3)
    with store._copy(KEY).lock:
        child = forking.Process(target=_exit_with_whether_it_is_refused, args=(store,))
        child.start()
        child.join(timeout=60)
    child.kill()
    assert child.exitcode == 1
