"""Circuits in a Redis that dies, stalls, forgets, or is told another time; and a lost probe."""

import signal
import subprocess
import sys
import time

import pytest

from langchain_control.circuits import CircuitState, Outcome, Permit, Refusal
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.testing import ManualClock
from tests.stores.circuit_store_contract import KEY, RULES, fail, state, succeed
from tests.stores.redis_server import PREFIXES, asked_of, client, subscribers, wait_until

pytestmark = pytest.mark.enable_socket  # the server listens on loopback


def test_a_refused_connection_leaves_the_local_breaker(make, own_server, caplog):
    """Without Redis a worker still stops calling a dead provider, and says that it is alone."""
    own_server.kill()
    store = make(own_server.url)
    fail(store, times=3)
    assert store.is_away
    assert isinstance(store.acquire(KEY, RULES), Refusal)
    assert caplog.text.count("does not answer") == 1


def test_a_stalled_server_is_asked_once(make, own_server, monkeypatch):
    """A server that hangs is waited for once, not once per call."""
    store = make(own_server.url, timeout_seconds=0.5, poll_seconds=0, away_seconds=600)
    succeed(store)
    own_server.stall()
    asked = asked_of(store, monkeypatch)
    fail(store, times=3)
    for _ in range(100):
        assert isinstance(store.acquire(KEY, RULES), Refusal)
    assert len(asked) == 1


def test_a_server_killed_with_a_probe_out_leaves_the_local_breaker(make, own_server):
    """What a process knows of the round goes on without the server, and closes the circuit."""
    clock = ManualClock(1000.0)
    store = make(own_server.url, clock=clock)
    fail(store, times=3)
    clock.advance(30)
    probe = store.acquire(KEY, RULES)
    own_server.kill()
    assert isinstance(store.acquire(KEY, RULES), Refusal)
    store.record(probe, Outcome.SUCCESS, RULES)
    assert store.is_away
    assert state(store) == "closed"


def test_finds_the_server_again(make, own_server):
    """After an absence the server's word counts again, and local failures are told."""
    store = make(own_server.url, away_seconds=0.05, poll_seconds=0)
    succeed(store)
    own_server.kill()
    store.hold(KEY, CircuitState.CLOSED)
    assert store.is_away
    own_server.start()
    wait_until(lambda: not store.is_away)
    store.hold(KEY, CircuitState.OPEN)
    assert not store.is_away
    assert state(make(own_server.url)) == "open"


@pytest.mark.parametrize("by_hand", ["open", "close", "reset"])
def test_what_is_set_by_hand_meanwhile_is_told_and_stays(make, own_server, caplog, by_hand):
    """Nobody heard of it, and the next change in another process undid it without a word."""
    settings = {"poll_seconds": 0, "away_seconds": 0.05}
    one, other = (
        RULES.override(failure_threshold=1, store=make(own_server.url, **settings))
        for _ in range(2)
    )
    (one.close if by_hand == "open" else one.open)()
    other.state()
    own_server.stall()
    one.store._link._away_until = time.monotonic() + 600

    getattr(one, by_hand)()
    assert one.store.is_away
    assert "set by hand while Redis is away" in caplog.text
    own_server.go_on()
    (other.close if by_hand == "open" else other.open)()
    one.store._link._away_until = 0.0

    for breaker in (one, other):
        view = breaker.snapshot()["default"]
        assert view["state"] == ("open" if by_hand == "open" else "closed")
        assert view["held"] == (by_hand != "reset")


def test_a_push_does_not_undo_what_was_set_by_hand(make, own_server):
    """It may arrive before the server is asked again."""
    store, other = make(own_server.url), make(own_server.url)
    succeed(store)
    wait_until(lambda: subscribers(own_server, store._prefix) > 0)
    store._link._away_until = time.monotonic() + 600
    store.hold(KEY, CircuitState.OPEN)

    fail(other, times=1)
    wait_until(lambda: store._held.get().by_key[KEY].version)

    assert store.view(KEY, RULES)["held"]


def test_a_server_that_comes_late_finds_an_open_circuit_open(make, own_server):
    """Times that were kept without it are about its own: one that opened was forgotten at once."""
    own_server.kill()
    store = make(own_server.url, away_seconds=0.05, poll_seconds=0)
    fail(store, times=3)
    assert store.is_away
    own_server.start()
    wait_until(lambda: not store.is_away)

    refusal = store.acquire(KEY, RULES)

    assert not store.is_away
    assert isinstance(refusal, Refusal)
    assert 0 < refusal.retry_after <= 30


def test_a_server_that_comes_late_takes_no_probe_for_lost(make, own_server):
    """The lease of a probe that is under way goes on."""
    rules = RULES.override(recovery_seconds=0.01)
    own_server.kill()
    store = make(own_server.url, away_seconds=0.05, poll_seconds=0)
    fail(store, times=3, rules=rules)
    wait_until(lambda: isinstance(store.acquire(KEY, rules), Permit))
    own_server.start()
    wait_until(lambda: not store.is_away)

    assert isinstance(store.acquire(KEY, rules), Refusal)
    assert not store.is_away
    assert store.view(KEY, rules)["probes"] == 1


def test_lost_data_begin_anew(server, make):
    """After FLUSHALL a circuit is closed for all workers, and opens as ever."""
    prefix = next(PREFIXES)
    one, other = (make(server.url, prefix=prefix, poll_seconds=0) for _ in range(2))
    fail(one, times=3)
    client(server).flushall()
    assert state(other) == "closed"
    assert state(one) == "closed"
    fail(other, times=3)
    assert state(one) == "open"


def test_lost_data_mid_probe(server, make):
    """A probe whose circuit was forgotten is answered to nobody's harm."""
    clock = ManualClock(1000.0)
    store = make(server.url, prefix=next(PREFIXES), clock=clock, poll_seconds=0)
    fail(store, times=3)
    clock.advance(30)
    probe = store.acquire(KEY, RULES)
    assert isinstance(probe, Permit)
    client(server).flushall()
    store.record(probe, Outcome.FAILURE, RULES)
    assert state(store) == "closed"


@pytest.mark.parametrize(
    "state_found", ["", "{", "[]", "{}", "null", '{"generation": 1}', "\ud7ff"]
)
def test_unreadable_data_are_replaced(server, make, state_found, caplog):
    """What another program left under the key does not fail a call, and does not stay."""
    prefix = next(PREFIXES)
    client(server).hset(f"{prefix}{KEY}", mapping={"version": "7", "state": state_found})
    store = make(server.url, prefix=prefix)
    fail(store, times=3)
    assert state(make(server.url, prefix=prefix)) == "open"


@pytest.mark.parametrize("message", [b"", b"nonsense", b"1 2", b"1 999999 x", b"9 5 modelnull"])
def test_foreign_messages_are_ignored(make, message):
    """What others publish on the channel does not disturb."""
    store = make("redis://127.0.0.1:1/0", prefix="")
    succeed(store)
    store._pushed(message)
    assert state(store) == "closed"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_does_not_shut_a_circuit(server, make, hours):
    """When the server's clock jumps by an hour, traffic returns after an open time at most."""
    clock = ManualClock(10_000.0)
    one, other = (
        make(server.url, prefix=prefix, clock=clock, poll_seconds=0)
        for prefix in [next(PREFIXES)] * 2
    )
    fail(one, times=3)
    clock.advance(10)
    clock.advance(hours * 3600)
    for store in (one, other):
        refusal = store.acquire(KEY, RULES)
        assert hours > 0 or refusal.retry_after == pytest.approx(30)
    clock.advance(30)
    clock.advance(60)  # whoever took the probe is gone
    clock.advance(30)
    assert isinstance(other.acquire(KEY, RULES), Permit)
    assert isinstance(one.acquire(KEY, RULES), Refusal)


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_clock_of_a_host_does_not_matter(server, make, monkeypatch, hours):
    """Time is the server's, counted on by a clock that nobody sets."""
    prefix, rules = next(PREFIXES), RULES.override(recovery_seconds=1000)
    fail(make(server.url, prefix=prefix), times=3, rules=rules)
    monkeypatch.setattr(time, "time", lambda: 1e9 + hours * 3600)
    assert 0 < make(server.url, prefix=prefix).acquire(KEY, rules).retry_after <= 1000


def test_a_clock_set_back_keeps_no_probe(server, make):
    """A lease ends a probe's timeout later, by the new time."""
    clock = ManualClock(10_000.0)
    store = make(server.url, prefix=next(PREFIXES), clock=clock, poll_seconds=0)
    fail(store, times=3)
    clock.advance(30)
    assert isinstance(store.acquire(KEY, RULES), Permit)
    clock.advance(-3600)
    assert isinstance(store.acquire(KEY, RULES), Refusal)
    clock.advance(60 + 30)
    assert isinstance(store.acquire(KEY, RULES), Permit)


def test_a_window_slides_on_after_a_clock_was_set_back(server, make):
    """Calls of an hour that comes again are not judged together with those before."""
    clock, rules = ManualClock(10_000.0), RULES.override(window=FailureWindow())
    store = make(server.url, prefix=next(PREFIXES), clock=clock, poll_seconds=0)
    for _ in range(100):
        succeed(store, rules=rules)
    clock.advance(-3600)
    assert store.view(KEY, rules)["calls"] == 0
    fail(store, times=6, rules=rules)
    assert state(store, rules) == "open"


PROBE = """
import signal, sys
from langchain_control.circuits import Permit
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.stores import RedisCircuitStore
rules = CircuitBreaker(failure_threshold=3, recovery_seconds=30, probe_timeout_seconds=60)
url, prefix, now = sys.argv[1:]
store = RedisCircuitStore(url, prefix=prefix, timeout_seconds=10.0, clock=lambda: float(now))
assert isinstance(store.acquire("model", rules), Permit)
print("probing", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_a_lost_probe_shuts_nobody_out(server, make, how):
    """When a process is gone with the probe, others probe after its lease and an open time."""
    prefix, clock = next(PREFIXES), ManualClock(1000.0)
    store = make(server.url, prefix=prefix, clock=clock, poll_seconds=0)
    fail(store, times=3)
    clock.advance(30)
    holder = subprocess.Popen(
        [sys.executable, "-c", PROBE, server.url, prefix, f"{clock()}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "probing\n"
        holder.send_signal(how)
        assert isinstance(store.acquire(KEY, RULES), Refusal)
        clock.advance(60 + 30 - 1)
        assert isinstance(store.acquire(KEY, RULES), Refusal)
        clock.advance(1)
        assert isinstance(store.acquire(KEY, RULES), Permit)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
