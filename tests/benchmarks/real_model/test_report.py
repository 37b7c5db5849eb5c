"""The tables say what was met, what was right, what it cost, and who does better."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.real_model.contestants import CONTROL
from benchmarks.real_model.report import interval, losses, tables
from benchmarks.real_model.trials import Record, Tally, tallies
from langchain_control.demo.contest import Trial

RIGHT, WRONG, LOST, OPEN = (True, True), (True, False), (False, False), (True, None)


def record(contestant: str, outcome, *, kind="plain", task="city", tokens=10, **changes) -> Record:
    is_met, is_right = outcome
    values = {
        "is_met": is_met, "is_right": is_right, "is_fallback": False,
        "calls": 1, "input_tokens": 100, "output_tokens": tokens, "seconds": 0.5,
    }  # fmt: skip
    return Record(contestant, kind, task, 1, Trial(**values | changes))


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(4, 30, 0.053, 0.297), (29, 30, 0.833, 0.994), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0)],
)
def test_intervals_are_those_of_wilson(hits, total, low, high):
    """As tables of the score interval have them."""
    assert interval(hits, total) == pytest.approx((low, high), abs=0.001)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_the_share_and_lies_in_the_unit(case):
    """And the interval of the misses is its mirror image."""
    hits, total = case
    low, high = interval(hits, total)
    mirrored = interval(total - hits, total)

    assert -1e-9 <= low <= hits / total <= high <= 1 + 1e-9
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_nothing_tried_says_nothing():
    """Every share is possible."""
    assert interval(0, 0) == (0.0, 1.0)


def test_what_nobody_can_check_is_neither_right_nor_wrong():
    """It counts as met, no more."""
    tally = Tally.of([record("a", o).trial for o in (RIGHT, WRONG, LOST, OPEN)])

    assert (tally.all.met, tally.all.right, tally.wrong, tally.all.checkable) == (3, 1, 1, 3)


def test_tokens_per_right_answer_leave_out_what_nobody_can_check():
    """What was spent on the rest buys no answer that is known to be right."""
    tally = Tally.of([record("a", RIGHT).trial, record("a", OPEN, tokens=1000).trial])

    assert tally.checkable.output_tokens == 10


def test_the_tables_have_a_row_for_each_contestant_in_order():
    """With the number of trials beside each figure."""
    records = [record("one", RIGHT), record("two", LOST), record("one", WRONG, tokens=30)]

    outcomes, costs, kinds = tables(records)

    assert outcomes.rows == [
        ("one", "2/2", "34-100 %", "1/2", "9-91 %", 1, 0, 0),
        ("two", "0/1", "0-79 %", "0/1", "0-79 %", 0, 0, 1),
    ]
    assert costs.rows[0] == ("one", 2, 200, 40, "100", "20", "40", "0.50")
    assert costs.rows[1] == ("two", 1, 100, 10, "-", "-", "-", "-")
    assert kinds.rows == [("one", "2/2, 1/2"), ("two", "0/1, 0/1")]


def test_a_fallback_is_not_nothing():
    """It is named, and counts as neither met nor lost."""
    outcomes, *_ = tables([record("one", LOST, is_fallback=True)])

    assert outcomes.rows[0][-2:] == (1, 0)


def test_kinds_stand_apart():
    """Those without a right answer show only what was met."""
    *_, kinds = tables([record("one", RIGHT), record("one", OPEN, kind="open-ended")])

    assert kinds.columns == ("contestant", "plain", "open-ended")
    assert kinds.rows == [("one", "1/1, 1/1", "1/1")]


def test_whoever_does_better_than_the_control_layer_is_named():
    """With both figures."""
    records = [record(CONTROL, RIGHT, tokens=60), record("schema mode x1", RIGHT, tokens=20)]

    assert list(losses(records)) == [
        f"tokens out per met: 60 with the {CONTROL}; better: schema mode x1 20.",
        f"tokens out per right: 60 with the {CONTROL}; better: schema mode x1 20.",
    ]


def test_a_contestant_without_any_success_does_not_do_better():
    """Handing on nothing costs little and is never wrong."""
    records = [record(CONTROL, WRONG), record("single call", LOST, tokens=1)]

    assert list(losses(records)) == []


def test_a_record_is_the_same_after_a_file():
    """So a run can be looked at again."""
    kept = record("one", OPEN)

    assert Record.from_json(kept.as_json()) == kept
    assert list(tallies([kept])) == ["one"]
