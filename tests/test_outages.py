"""What users lose in an outage, simulated with seeds no setting was chosen on."""

import pytest

from benchmarks.outages import FAULTS, simulate
from benchmarks.resilience import consecutive, giving_up, windowed

SEED = 90_210
FLOOR_SECONDS = 50 * 30
"""All fifty calls that are under way when the provider goes down time out."""


@pytest.mark.parametrize("breaker", [consecutive, windowed])
def test_an_outage_costs_little_more_than_the_calls_under_way(breaker):
    """Without a breaker users lose all their time; with one, the first wave and a few probes."""
    assert simulate(FAULTS["outage"], None, seed=SEED).wasted_seconds >= 14_000
    assert simulate(FAULTS["outage"], breaker, seed=SEED).wasted_seconds <= FLOOR_SECONDS + 500


@pytest.mark.parametrize("fault", ["outage", "slow answers"])
def test_giving_up_late_calls_saves_most_of_the_wave(fault):
    """Calls that hang are seen while they hang and go to the fallback early."""
    assert simulate(FAULTS[fault], giving_up, seed=SEED).wasted_seconds <= FLOOR_SECONDS * 2 / 3


@pytest.mark.parametrize("breaker", [windowed, giving_up])
def test_a_brown_out_is_no_outage(breaker):
    """With 30 % errors a window never opens, so every good answer arrives."""
    report = simulate(FAULTS["30 % errors"], breaker, seed=SEED, fault_seconds=900)
    assert report.opened == 0
    assert (
        report.useful == simulate(FAULTS["30 % errors"], None, seed=SEED, fault_seconds=900).useful
    )


def test_failures_in_a_row_destroy_a_brown_out():
    """Why there is a window: errors return faster than answers, so runs form by chance."""
    with_breaker = simulate(FAULTS["30 % errors"], consecutive, seed=SEED)
    assert with_breaker.useful < simulate(FAULTS["30 % errors"], None, seed=SEED).useful / 2


@pytest.mark.parametrize("breaker", [consecutive, windowed, giving_up])
def test_traffic_returns_after_an_outage(breaker):
    """Once the provider is well, users are served again within an open time and its jitter."""
    recovered = simulate(FAULTS["outage"], breaker, seed=SEED).recovered_after
    assert recovered is not None
    assert recovered <= 30 * 1.1 + 10
