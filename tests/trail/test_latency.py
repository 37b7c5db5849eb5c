"""Percentiles are right, and memory is bounded."""

from __future__ import annotations

import math
import random
from statistics import quantiles

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_control.trail.latency import EXACT_UP_TO, LatencyDigest


def digest_of(values: list[float]) -> LatencyDigest:
    """Build a digest."""
    digest = LatencyDigest()
    for value in values:
        digest.add(value)
    return digest


def test_interpolates_between_neighbors() -> None:
    """The median of two values lies between them, as statistics says."""
    percentiles = digest_of([1, 100]).percentiles()

    assert percentiles == pytest.approx({"p50": 50.5, "p90": 90.1, "p99": 99.01})


def test_one_value_is_every_percentile() -> None:
    """There is nothing to interpolate."""
    assert digest_of([7]).percentiles() == {"p50": 7, "p90": 7, "p99": 7}


def test_no_values_are_no_number() -> None:
    """Zero would read as a very fast model."""
    assert all(math.isnan(value) for value in LatencyDigest().percentiles().values())


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=200))
def test_agrees_with_statistics(values: list[float]) -> None:
    """Few values are kept as they are."""
    digest = digest_of(values)
    cuts = quantiles(values, n=100, method="inclusive")

    assert digest.exact
    assert digest.percentiles() == {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98]}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), spread=st.floats(0.1, 3))
def test_stays_within_one_percent_of_the_truth(seed: int, spread: float) -> None:
    """Many values are counted in buckets."""
    draw = random.Random(seed)
    values = [draw.lognormvariate(5, spread) for _ in range(EXACT_UP_TO + 1)]
    digest = digest_of(values)
    cuts = quantiles(values, n=100, method="inclusive")

    assert not digest.exact
    assert digest.percentiles() == pytest.approx(
        {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98]}, rel=0.01
    )


@pytest.mark.parametrize(
    "sizes", [(10, 20), (EXACT_UP_TO, 1), (EXACT_UP_TO + 1, 5), (5, EXACT_UP_TO)]
)
def test_digests_add_up(sizes: tuple[int, int]) -> None:
    """Two of them together know what one of all values does."""
    draw = random.Random(7)
    first, second = ([draw.lognormvariate(5, 1) for _ in range(size)] for size in sizes)
    digest = digest_of(first)
    digest.include(digest_of(second))
    whole = digest_of([*first, *second])

    assert digest.exact == whole.exact
    assert digest.percentiles() == whole.percentiles()


def test_interpolates_between_buckets_too() -> None:
    """The median of as many short as long latencies lies between them."""
    digest = digest_of([1, 100] * (EXACT_UP_TO // 2 + 1))

    assert not digest.exact
    assert digest.percentiles()["p50"] == pytest.approx(50.5, rel=0.01)


def test_extremes_do_not_cost_memory() -> None:
    """A thousand orders of magnitude fit in a bounded number of buckets."""
    digest = digest_of([10.0**exponent for exponent in range(-300, 300)] * 20)

    assert not digest.exact
    assert len(digest._buckets) < 1400


@pytest.mark.parametrize("wrong", [-1.0, math.inf, math.nan])
def test_what_is_no_latency_is_ignored(wrong: float) -> None:
    """Nonsense in a file does not move the figures."""
    assert digest_of([5, wrong]).percentiles()["p99"] == 5
