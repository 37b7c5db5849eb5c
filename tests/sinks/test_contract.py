"""What every sink does."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from langchain_control.sinks import AuditSink, JsonlSink, MemorySink, StructlogSink
from tests.audit_records import attempt

Make = Callable[[], AuditSink]


@pytest.fixture(params=["jsonl", "memory", "structlog"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Build one of the built-in sinks."""
    makers: dict[str, Make] = {
        "jsonl": lambda: JsonlSink(tmp_path / "audit.jsonl"),
        "memory": MemorySink,
        "structlog": StructlogSink,
    }
    return makers[request.param]


def test_is_a_sink(make: Make) -> None:
    """Built-in sinks meet the contract that users implement."""
    assert isinstance(make(), AuditSink)


def test_does_not_change_the_record(make: Make) -> None:
    """A record is handed from sink to sink as it came."""
    record = attempt(message="x" * 20_000, rules=["required"])
    before = {**record}

    make().write(record)

    assert record == before


def test_closing_twice_is_fine_and_writing_may_follow(make: Make) -> None:
    """A closed sink takes records again."""
    sink = make()
    sink.write(attempt())
    sink.close()
    sink.close()

    sink.write(attempt())
    sink.close()


def test_a_pickled_copy_takes_records(make: Make) -> None:
    """Sinks travel to process pools as their configuration."""
    sink = make()
    sink.write(attempt())

    copy = pickle.loads(pickle.dumps(sink))

    copy.write(attempt())
    assert type(copy) is type(sink)
    copy.close()
    sink.close()


def test_threads_may_share_it(make: Make) -> None:
    """Eight threads at a time raise nothing."""
    sink = make()

    def work(_: int) -> None:
        for _ in range(20):
            sink.write(attempt())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    sink.close()
