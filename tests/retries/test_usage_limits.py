"""What one request may use up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from langchain_control.retries.usage_limits import UsageLimits, cost_of

PRICES = {"small": {"input_per_million": 1, "output_per_million": 4}}
LIMITS = UsageLimits(max_cost=0.001, prices=PRICES)


def attempt(tokens_in=100, tokens_out=10, *, model="small", cost=None):
    return {
        "model": model,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cost": cost,
    }


@pytest.mark.parametrize(("used", "is_reached"), [(99, False), (100, True), (101, True)])
def test_tokens_of_prompts_and_answers_count(used, is_reached):
    """A limit is reached when nothing is left of it."""
    limits = UsageLimits(max_total_tokens=100)

    said = limits.reached_by([attempt(used - 20, 0), attempt(10, 10)])

    assert said == (f"{used} of 100 tokens are used up" if is_reached else None)


def test_a_call_costs_what_its_tokens_do():
    """Prices are per million, apart for prompts and answers."""
    assert LIMITS.cost(["small"], 1_000_000, 500_000) == pytest.approx(3)


@pytest.mark.parametrize(
    ("names", "is_known"),
    [(["small"], True), (["small-2026-11-23"], True), (["x", "small"], True), (["smaller"], False)],
)
def test_a_model_has_a_price_under_any_of_its_names(names, is_known):
    """Providers answer under the name of a snapshot."""
    assert (LIMITS.cost(names, 1, 1) is not None) is is_known


def test_a_limit_of_cost_is_reached_by_what_was_spent():
    """Attempts add up."""
    assert LIMITS.reached_by([attempt(cost=0.0005)]) is None
    assert LIMITS.reached_by([attempt(cost=0.0005)] * 2) == "0.001 of 0.001 is spent"


def test_a_call_without_a_price_is_one_too_many():
    """A limit that cannot be kept must not look kept."""
    assert "`other` has no price" in LIMITS.reached_by([attempt(model="other")])
    assert LIMITS.reached_by([attempt(0, 0, model="other")]) is None


def test_without_limits_nothing_is_reached():
    """The default sets none."""
    assert UsageLimits().reached_by([attempt(10**9, cost=10**9)]) is None


def test_costs_add_up_only_where_all_are_known():
    """Half a sum would pass for the whole."""
    assert cost_of([attempt(cost=0.1)] * 3) == pytest.approx(0.3)
    assert cost_of([attempt(cost=0.1), attempt()]) is None
    assert cost_of([attempt(cost=0.1), attempt(0, 0)]) == 0.1
    assert cost_of([]) is None


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=9))
def test_a_limit_stays_reached(used):
    """What comes after it only uses more."""
    limits = UsageLimits(max_total_tokens=10**6)
    reached = [
        limits.reached_by([attempt(*pair) for pair in used[: n + 1]]) is not None
        for n in range(len(used))
    ]

    assert reached == sorted(reached)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"max_cost": 1}, "`max_cost` needs `prices`"),
        ({"max_total_tokens": 0}, "max_total_tokens"),
        ({"max_cost": float("inf"), "prices": PRICES}, "max_cost"),
        (
            {"prices": {"a": {"input_per_million": -1, "output_per_million": 0}}},
            "input_per_million",
        ),
        ({"prices": {"a": {"input": 1}}}, "input"),
    ],
    ids=["no prices", "nothing", "endless", "negative", "unknown"],
)
def test_a_wrong_setting_is_refused_with_its_name(settings, names):
    """Contradictions surface where the limits are made."""
    with pytest.raises(ValidationError, match=names):
        UsageLimits(**settings)


def test_the_repr_shows_what_is_limited():
    """And whose prices are known, not the prices."""
    assert repr(UsageLimits()) == "UsageLimits()"
    assert repr(LIMITS) == "UsageLimits(max_cost=0.001, prices=['small'])"
