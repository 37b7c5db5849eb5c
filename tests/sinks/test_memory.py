"""`MemorySink` keeps the newest records and counts all."""

from __future__ import annotations

import pickle

import pytest

from langchain_control.sinks import MemorySink
from tests.audit_records import attempt, finished


def test_keeps_the_newest_records() -> None:
    """Memory stays bounded; the oldest record makes room."""
    sink = MemorySink(max_records=2)
    for number in (1, 2, 3):
        sink.write(attempt(number=number))

    assert [record["number"] for record in sink.records] == [2, 3]


def test_counts_records_it_no_longer_keeps() -> None:
    """Figures cover every record written."""
    sink = MemorySink(max_records=1)
    for status in ("accepted", "accepted", "fallback", "exhausted"):
        sink.write(finished(status))

    assert sink.pass_rate() == 0.5
    assert sink.fallback_rate() == 0.25


def test_a_record_written_twice_is_kept_once() -> None:
    """The id says that it is the same."""
    sink, record = MemorySink(), attempt()
    sink.write(record)
    sink.write(record)

    assert len(sink.records) == 1


def test_changing_what_to_records_gave_changes_nothing() -> None:
    """A DataFrame's rows are copies."""
    sink = MemorySink()
    sink.write(attempt(number=1))
    next(sink.to_records())["number"] = 99

    assert sink.records[0]["number"] == 1


def test_tells_a_request() -> None:
    """The story comes from the records kept."""
    sink = MemorySink()
    sink.write(attempt("timeout", number=1, request_id="abc"))
    sink.refresh()

    assert "attempt 1: timeout" in sink.story("abc")


def test_a_pickled_copy_is_empty() -> None:
    """Records stay in the process that wrote them."""
    sink = MemorySink(max_records=3)
    sink.write(attempt())
    copy = pickle.loads(pickle.dumps(sink))

    assert repr(sink) == "MemorySink(max_records=3, records=1)"
    assert repr(copy) == "MemorySink(max_records=3, records=0)"


def test_refuses_to_keep_nothing() -> None:
    """A limit of zero is a mistake, named."""
    with pytest.raises(ValueError, match="`max_records`"):
        MemorySink(max_records=0)
