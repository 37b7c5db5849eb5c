"""The stock of retries: what it grants, what it saves."""

import copy
import pickle
import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_control.retries.budget import RetryBudget


def test_grants_retries_until_it_is_empty():
    """In a total failure the stock pays for so many retries and no more."""
    budget = RetryBudget(capacity=20, retry_cost=5)
    assert [budget.spend() for _ in range(5)] == [True] * 4 + [False]


def test_a_first_success_earns_a_little():
    """Traffic that works fills the stock slowly."""
    budget = RetryBudget(capacity=20, retry_cost=5)
    while budget.spend():
        pass
    for _ in range(4):
        budget.succeeded()
    assert not budget.spend()
    budget.succeeded()
    assert budget.spend()


def test_a_retry_that_succeeds_is_free():
    """What helped is given back, so a brown-out is retried freely."""
    budget = RetryBudget(capacity=5, retry_cost=5)
    for _ in range(10):
        assert budget.spend()
        budget.succeeded(retries=1)
    assert budget.left == 5


def test_only_the_retry_that_succeeds_is_free():
    """Those before it were in vain, and stay paid for."""
    budget = RetryBudget(capacity=20, retry_cost=5)
    assert [budget.spend(), budget.spend()] == [True, True]
    budget.succeeded(retries=2)
    assert budget.left == 15


def test_first_successes_may_earn_nothing():
    """With no gain, only what is given back fills the stock."""
    budget = RetryBudget(capacity=20, retry_cost=5, success_gain=0)
    budget.spend()
    budget.succeeded()
    assert budget.left == 15
    budget.succeeded(retries=1)
    assert budget.left == 20


@given(
    events=st.lists(st.sampled_from(["spend", "first", "retried"]), max_size=200),
    capacity=st.integers(5, 50),
)
def test_the_stock_stays_within_its_bounds(events, capacity):
    """Whatever happens, there is never less than nothing nor more than the capacity."""
    budget = RetryBudget(capacity)
    for event in events:
        if event == "spend":
            could = budget.left >= budget.retry_cost
            assert budget.spend() == could
        else:
            budget.succeeded(retries=event == "retried")
        assert 0 <= budget.left <= capacity


def test_no_retry_is_paid_twice_under_threads():
    """Threads that retry at the same moment share the stock."""
    budget = RetryBudget(capacity=500, retry_cost=1)
    granted = []

    def work():
        granted.extend(1 for _ in range(200) if budget.spend())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 500


def attempts_for(requests: int, failure_rate: float, budget: RetryBudget, seed: int = 7):
    """Count attempts and successes of requests with three attempts each."""
    chance, attempts, successes = random.Random(seed), 0, 0
    for _ in range(requests):
        for number in range(3):
            if number and not budget.spend():
                break
            attempts += 1
            if chance.random() >= failure_rate:
                budget.succeeded(retries=number)
                successes += 1
                break
    return attempts, successes


def test_total_failure_is_not_amplified():
    """With nothing to earn, thousands of requests make hardly more calls than one each."""
    attempts, _ = attempts_for(10_000, 1.0, RetryBudget())
    assert attempts <= 10_000 * 1.02


def test_a_brown_out_is_retried():
    """At 30 % errors, retries still bring nearly every request home."""
    _, successes = attempts_for(10_000, 0.3, RetryBudget())
    assert successes >= 9_700


@pytest.mark.parametrize(
    "settings",
    [
        {"capacity": 1},
        {"retry_cost": 0},
        {"success_gain": -1},
    ],
)
def test_refuses_figures_that_make_no_sense(settings):
    """A stock that can pay for no retry is a mistake."""
    with pytest.raises(ValueError, match="retry_cost"):
        RetryBudget(**settings)


def test_pickles_full_and_copies_as_itself():
    """What was spent belongs to its process; copies of a policy within it share the stock."""
    budget = RetryBudget(10)
    budget.spend()
    assert copy.deepcopy(budget) is budget
    assert repr(pickle.loads(pickle.dumps(budget))) == "RetryBudget(left=10, capacity=10)"


@pytest.mark.parametrize("setting", ["capacity", "retry_cost", "success_gain"])
def test_what_is_no_number_is_refused(setting):
    """Nothing compares with it, so that no retry was ever paid for."""
    with pytest.raises(ValueError, match="must pay for"):
        RetryBudget(**{setting: float("nan")})
