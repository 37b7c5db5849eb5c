"""Which way of asking comes next, and when two failures are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.retries.ladder import (
    RUNGS,
    Failed,
    failure_fingerprint,
    is_at_least,
    next_rung,
)

MODE = FailureMode.SCHEMA_VIOLATION


def failed(*rungs, key="x"):
    return [Failed(MODE, key, rung) for rung in rungs]


def climb(failures, ladder=RUNGS, *, max_repeats=1, attempts_left=9):
    return next_rung(failures, ladder, max_repeats=max_repeats, attempts_left=attempts_left)


SAME, NATIVE, OTHER = RUNGS


@pytest.mark.parametrize(
    ("before", "ladder", "expected"),
    [
        ([SAME], RUNGS, SAME),
        ([SAME, SAME], RUNGS, NATIVE),
        ([SAME, SAME, NATIVE], RUNGS, NATIVE),
        ([SAME, SAME, NATIVE, NATIVE], RUNGS, OTHER),
        ([SAME, SAME, NATIVE, NATIVE, OTHER, OTHER], RUNGS, None),
        ([SAME], [NATIVE], NATIVE),
        ([OTHER], [SAME], OTHER),
        ([NATIVE], [SAME, OTHER], OTHER),
        ([SAME], [], None),
    ],
)
def test_a_rung_is_left_when_the_same_failure_came_back_on_it(before, ladder, expected):
    """From the lowest rung of the ladder to the highest, and never down."""
    assert climb(failed(*before), ladder) == expected


def test_another_failure_is_no_repeat():
    """Neither another place nor another mode is."""
    elsewhere = [*failed(SAME, key="y"), *failed(SAME)]
    another = [Failed(FailureMode.TRUNCATED, "x"), *failed(SAME)]

    assert climb(elsewhere) == climb(another) == SAME


def test_the_rungs_above_get_their_try():
    """A rung is left in time, repeated or not."""
    assert climb(failed(SAME), attempts_left=3) == SAME
    assert climb(failed(SAME), attempts_left=2) == NATIVE
    assert climb(failed(SAME, NATIVE), max_repeats=None, attempts_left=1) == OTHER
    assert climb(failed(SAME), [SAME], max_repeats=None, attempts_left=1) == SAME


def test_without_a_limit_a_failure_may_come_back_for_ever():
    """As those of transport do; the attempts bound them."""
    assert climb(failed(*[SAME] * 50), [SAME], max_repeats=None) == SAME


@given(
    ladder=st.sets(st.sampled_from(RUNGS)).map(lambda rungs: sorted(rungs, key=RUNGS.index)),
    prints=st.lists(st.sampled_from("ab"), min_size=1, max_size=12),
    max_repeats=st.none() | st.integers(1, 3),
)
def test_a_run_only_climbs(ladder, prints, max_repeats):
    """Whatever fails, no rung is below the one before it, and all are in the ladder."""
    failures = [Failed(MODE, prints[0])]
    for left, key in zip(range(len(prints), 0, -1), prints, strict=True):
        here = failures[-1].rung
        rung = climb(failures, ladder, max_repeats=max_repeats, attempts_left=left)
        if rung is None:
            return
        assert is_at_least(rung, here)
        assert rung in ladder
        failures.append(Failed(MODE, key, rung))


def test_a_failure_is_told_by_its_rules_and_places():
    """In whatever order, and whatever was found there."""
    one, other = Violation("type", "integer", "a", "/x"), Violation("required", "y", path="/y")
    same = Violation("type", "integer", "b", "/x")

    whole = failure_fingerprint("m", "", [one, other])

    assert whole == failure_fingerprint("m", "said otherwise", [other, same])
    assert whole != failure_fingerprint("m", "", [one])
    assert whole != failure_fingerprint("n", "", [one, other])


def test_a_failure_without_violations_is_told_by_its_message():
    """An exception of the provider has nothing else."""
    first, again, other = (failure_fingerprint("m", message) for message in ("a", "a", "b"))

    assert first == again != other


@given(st.text(), st.text())
def test_a_fingerkeyis_short_and_takes_any_text(path, message):
    """Property names are the model's: lone surrogates among them."""
    assert len(failure_fingerprint("m", message, [Violation("r", "", path=path)])) == 16
