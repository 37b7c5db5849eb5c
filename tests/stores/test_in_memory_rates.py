"""Rate limits of one process."""

import copy
import pickle
import time

import pytest

from langchain_control.stores import InMemoryRateStore, RateStore
from langchain_control.stores.rates import Denial, Grant
from tests.stores.rate_store_contract import KEY, RateStoreContract, requests


class TestInMemoryRateStore(RateStoreContract):
    """The contract, in memory."""

    @pytest.fixture
    def store(self, clock):
        return InMemoryRateStore(clock=clock)


def test_is_a_rate_store():
    """The built-in store is one by the protocol's own word."""
    assert isinstance(InMemoryRateStore(), RateStore)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_is_set_changes_nothing(monkeypatch, hours):
    """Room comes back by a clock that nobody sets."""
    store, slow = InMemoryRateStore(), requests(per_second=0.001, burst=1.0)
    store.take(KEY, (slow,), 0)
    monkeypatch.setattr(time, "time", lambda: 1e9 + hours * 3600)
    assert 0 < store.take(KEY, (slow,), 0).retry_after <= 1000


def test_forgets_the_key_used_longest_ago():
    """A stream of new keys cannot fill the memory; a key in use stays limited."""
    store = InMemoryRateStore(max_keys=3, clock=lambda: 0.0)
    for number in range(100):
        busy = store.take(KEY, (requests(),), 0)
        store.take(f"passer-by {number}", (requests(),), 0)
        assert isinstance(busy, Grant if number < 5 else Denial)
    assert repr(store) == "InMemoryRateStore(keys=3, max_keys=3)"


def test_needs_room_for_a_key():
    """A store that can keep nothing is a mistake."""
    with pytest.raises(ValueError, match="max_keys"):
        InMemoryRateStore(max_keys=0)


def test_pickles_empty_and_copies_as_itself():
    """What was taken belongs to its process; copies of a policy within it share their limits."""
    store = InMemoryRateStore(max_keys=7)
    store.take(KEY, (requests(),), 0)
    assert copy.deepcopy(store) is store
    assert repr(pickle.loads(pickle.dumps(store))) == "InMemoryRateStore(keys=0, max_keys=7)"
