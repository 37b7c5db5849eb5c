"""The guard's table comes out as promised, and what is blocked costs nothing."""

from __future__ import annotations

from langchain_control import AuditLogger
from langchain_control.demo.guard import INPUTS, judge_all


def test_the_eight_inputs_give_the_promised_table():
    """One passes; the seven others are blocked, each for its own reason."""
    rows = judge_all(AuditLogger(path=None))

    assert [(row.name, row.verdict) for row in rows] == [
        ("a normal question", "passed"),
        ("empty", "blocked: empty"),
        ("override", "blocked: injection"),
        ("new persona", "blocked: injection"),
        ("disregard", "blocked: injection"),
        ("prompt leak", "blocked: injection"),
        ("no restrictions", "blocked: injection"),
        ("2,500 characters", "blocked: token overflow"),
    ]


def test_only_the_input_that_passed_reaches_a_model():
    """A blocked input costs no call."""
    rows = judge_all(AuditLogger(path=None))

    assert [row.model_calls for row in rows] == [1, 0, 0, 0, 0, 0, 0, 0]


def test_the_trail_has_every_input():
    """Blocked requests are requests, too."""
    audit = AuditLogger(path=None)

    judge_all(audit)

    assert audit.summary().requests == len(INPUTS)
    assert audit.summary().rejected == len(INPUTS) - 1
