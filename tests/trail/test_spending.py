"""What runs within a request took is counted once."""

from __future__ import annotations

from langchain_control.events import AuditRecord, EventName
from langchain_control.trail.spending import Spent, SpentOnce
from tests.audit_records import attempt, audit_record


def added_up(*records: AuditRecord) -> Spent:
    counts, spent = SpentOnce(), Spent()
    for record in records:
        spent = spent.plus(counts.of(record))
    return spent


def test_what_the_record_around_tells_again_is_not_counted_again() -> None:
    """A controlled model as a strategy: the fallback's record tells of all its calls."""
    within = attempt(within="fallback", input_tokens=10, output_tokens=2, cost=0.5)
    around = audit_record(EventName.FALLBACK, input_tokens=10, output_tokens=2, cost=0.5)

    assert added_up(within, around) == Spent(10, 2, 0.5)


def test_what_the_record_around_does_not_know_of_counts() -> None:
    """A function that asks a controlled model returns its text alone; a call is given up."""
    within = attempt("schema_violation", within="call", input_tokens=1000, output_tokens=100)

    assert added_up(within, attempt("timeout", input_tokens=0)) == Spent(1000, 100)
    assert added_up(within) == Spent(1000, 100)


def test_what_the_record_around_tells_beyond_counts_as_well() -> None:
    """A chain under control has other models, too."""
    within = attempt(within="call", input_tokens=10, cost=0.1)
    around = attempt(input_tokens=30, cost=0.25)

    assert added_up(within, around, around) == Spent(60, 0, 0.5)


def test_a_judge_is_told_of_by_nobody_else() -> None:
    """What a rule asks stands in no other record."""
    within = attempt(within="validate", input_tokens=5)

    assert added_up(within, attempt(input_tokens=7)) == Spent(12, 0)


def test_requests_are_apart() -> None:
    """What one request has told is nothing to another one."""
    within = attempt(within="call", input_tokens=10)

    assert added_up(within, attempt(input_tokens=10, request_id="other")) == Spent(20, 0)
