"""What retries add to an outage and save in a brown-out, with a seed no setting was chosen on."""

import pytest

from benchmarks.retry_storms import (
    TROUBLES,
    behind_a_run,
    behind_a_window,
    budgeted,
    simulate,
    without_bounds,
)

SEED = 50_823
OUTAGE, BROWN_OUT = (
    TROUBLES[name]._replace(seconds=60) for name in ("total failure", "30 % errors")
)


def test_without_a_bound_every_request_triples():
    """Why there is a budget: three attempts are three times the load, when it hurts most."""
    report = simulate(OUTAGE, without_bounds, seed=SEED)
    assert report.amplification == 3


@pytest.mark.parametrize("client", [budgeted, behind_a_run, behind_a_window])
def test_a_budget_bounds_what_an_outage_costs(client):
    """Once the stock is spent nobody retries, with a circuit or without."""
    report = simulate(OUTAGE, client, seed=SEED)
    assert report.amplification <= 1.05


@pytest.mark.parametrize("client", [behind_a_run, behind_a_window])
def test_at_low_traffic_the_circuit_bounds_it(client):
    """Few requests do not use the stock up; their circuit opens all the same."""
    report = simulate(TROUBLES["the same, 1/s"], client, seed=SEED)
    assert report.amplification <= 0.1


@pytest.mark.parametrize("client", [budgeted, behind_a_window])
def test_a_brown_out_is_retried_away(client):
    """With 30 % errors, successes fill the stock faster than retries draw on it."""
    report = simulate(BROWN_OUT, client, seed=SEED)
    assert report.success >= 0.95
    without = simulate(BROWN_OUT, without_bounds, seed=SEED)
    assert report.success == pytest.approx(without.success, abs=0.001)
