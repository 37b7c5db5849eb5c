"""A child that is forked from a busy process works."""

from __future__ import annotations

import gc
import multiprocessing
import threading
import time
import weakref
from collections.abc import Callable

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_control import _at_fork, encodings
from langchain_control._at_fork import ForkSafeLock, renew_in_children
from langchain_control._threads import BoundedThreads, NoFreeThread
from langchain_control.circuits import CircuitState, Permit, Refusal
from langchain_control.encodings import bpe
from langchain_control.retries.budget import RetryBudget
from langchain_control.stores import InMemoryCircuitStore, InMemoryRateStore, RedisCircuitStore
from langchain_control.stores.rates import Demand, Denial, Grant
from langchain_control.stores.slots import Slots
from langchain_control.strategies import FallbackRequest, LastGoodAnswer
from langchain_control.testing import Chaos, ManualClock, Script
from tests.stores.circuit_store_contract import KEY, RULES

if "fork" not in multiprocessing.get_all_start_methods():
    pytest.skip("this system does not fork", allow_module_level=True)

forking = multiprocessing.get_context("fork")

# Python 3.12 warns of forks beside threads, whoever started them. The children use none of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def holds_in_a_child(check: Callable[[], bool]) -> bool:
    """Return what a forked child finds, or `False` if it hangs."""

    def work() -> None:
        raise SystemExit(0 if check() else 1)

    child = forking.Process(target=work)
    child.start()
    child.join(timeout=60)
    child.kill()
    child.join()
    return child.exitcode == 0


def is_full(threads: BoundedThreads) -> bool:
    """Say whether no call would find a thread now."""
    try:
        threads.take(0).give_back()
    except NoFreeThread:
        return True
    return False


def test_threads_are_free() -> None:
    """Calls under way are the parent's; one that goes on in the child frees none of the child's."""
    threads = BoundedThreads(limit=1)
    taken = threads.take(0)

    def check() -> bool:
        free = threads.take(0)
        taken.give_back()
        return is_full(threads) and free.run(lambda: True, 60)

    assert holds_in_a_child(check)
    assert is_full(threads)


def test_places_are_free() -> None:
    """Nobody is inside, and who was inside in the parent leaves no place of the child's."""
    slots = Slots()
    inside = slots.enter("key", places=1, queue=1)
    waiting = slots.enter("key", places=1, queue=1)
    assert inside is not None
    assert waiting is not None

    def check() -> bool:
        were_free = slots.inside("key") == slots.waiting("key") == 0
        entered = slots.enter("key", places=1, queue=0)
        slots.leave(inside)
        slots.leave(waiting)
        return were_free and entered is not None and slots.inside("key") == 1

    with slots._lock:
        assert holds_in_a_child(check)
    assert slots.inside("key") == slots.waiting("key") == 1


def test_circuits_are_closed() -> None:
    """What another thread was changing at the fork may be half changed."""
    store = InMemoryCircuitStore()
    store.hold(KEY, CircuitState.OPEN)

    with store._lock:
        assert holds_in_a_child(lambda: isinstance(store.acquire(KEY, RULES), Permit))
    assert isinstance(store.acquire(KEY, RULES), Refusal)


def test_rate_limits_are_untouched() -> None:
    """What was taken is the parent's."""
    store, demands = InMemoryRateStore(), (Demand("requests", 1, per_second=0.001, burst=1),)
    store.take("key", demands, 0)

    with store._lock:
        assert holds_in_a_child(lambda: isinstance(store.take("key", demands, 0), Grant))
    assert isinstance(store.take("key", demands, 0), Denial)


def test_a_retry_budget_is_full() -> None:
    """What was spent is the parent's."""
    budget = RetryBudget(capacity=5)
    budget.spend()

    with budget._lock:
        assert holds_in_a_child(budget.spend)
    assert not budget.spend()


def test_good_answers_are_forgotten() -> None:
    """The child remembers its own."""
    strategy, request = LastGoodAnswer(), FallbackRequest((HumanMessage("And there?"),))
    strategy.remember(request, AIMessage("sunny"))

    def check() -> bool:
        was_empty = strategy("", request) is None
        strategy.remember(request, AIMessage("windy"))
        return was_empty and strategy("", request) is not None

    with strategy._lock:
        assert holds_in_a_child(check)
    assert len(strategy) == 1


def test_fakes_answer() -> None:
    """With what is left of their script, and at the time it was."""
    script, chaos, clock = Script(["one", "two"]), Chaos(), ManualClock()
    script.next([])

    def check() -> bool:
        clock.advance(1)
        drawn = chaos.draw({})
        return (script.next([]).content, drawn, clock()) == ("two", "answered", 1)

    with script._lock, chaos._lock, clock._lock:
        assert holds_in_a_child(check)


def test_what_is_made_once_is_made_before_a_fork() -> None:
    """A child would find the modules of a half loaded vocabulary locked, and wait for ever."""
    lock, begun, done = ForkSafeLock(), threading.Event(), []

    def load() -> None:
        with lock:
            begun.set()
            time.sleep(0.05)
            done.append("loaded")

    thread = threading.Thread(target=load)
    thread.start()
    begun.wait()

    assert holds_in_a_child(lambda: done == ["loaded"])
    thread.join()


def held_elsewhere(lock: ForkSafeLock) -> Callable[[], None]:
    """Have another thread hold a lock; return how to end that."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()

    def end() -> None:
        over.set()
        thread.join()

    return end


def test_a_child_has_locks_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever takes longer than a fork can wait; and so do the children of a child."""
    monkeypatch.setattr(_at_fork, "MAX_WAIT_SECONDS", 0.0)
    lock = ForkSafeLock()
    end = held_elsewhere(lock)

    def is_free() -> bool:
        with lock:
            return lock._lock in _at_fork._locks

    try:
        assert holds_in_a_child(lambda: is_free() and holds_in_a_child(is_free))
    finally:
        end()


def test_a_child_loads_vocabularies_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for a thread that only its parent has."""
    monkeypatch.setattr(_at_fork, "MAX_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(encodings, "_loaded", {})
    bpe.load_bpe("cl100k_base")  # imports are Python's
    end = held_elsewhere(encodings._lock)

    try:
        assert holds_in_a_child(lambda: encodings.tokenizer_for("cl100k_base").exact)
    finally:
        end()


@pytest.mark.enable_socket
def test_a_child_connects_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of its parent may have been about to."""
    monkeypatch.setattr(_at_fork, "MAX_WAIT_SECONDS", 0.0)
    store = RedisCircuitStore("redis://127.0.0.1:1")  # nobody is there
    end = held_elsewhere(store._link._lock)

    try:
        assert holds_in_a_child(lambda: isinstance(store.acquire(KEY, RULES), Permit))
    finally:
        end()


def test_what_is_given_up_is_not_kept() -> None:
    """Nothing lives on for the sake of children."""

    class Renewed:
        def _begin(self) -> None:
            """Begin anew."""

    renewed = Renewed()
    renew_in_children(renewed)
    reference = weakref.ref(renewed)
    del renewed
    gc.collect()

    assert reference() is None
