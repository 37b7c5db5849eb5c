"""What every sink does."""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest
from structlog.testing import capture_logs

from langchain_control.events import REQUEST_ID
from langchain_control.sinks import (
    AuditSink,
    JsonlSink,
    MemorySink,
    QueuedSink,
    SqliteSink,
    StructlogSink,
)
from tests.audit_records import attempt


class Kind(Protocol):
    """One of the built-in sinks, and where its records can be read."""

    def make(self) -> AuditSink:
        """Build a sink."""

    def records_of(self, sink: Any) -> list[Mapping[str, Any]]:
        """Read what was kept, oldest first."""


class Jsonl:
    """Records are the lines of a file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.jsonl"

    def make(self) -> AuditSink:
        return JsonlSink(self.path)

    def records_of(self, sink: JsonlSink) -> list[Mapping[str, Any]]:
        return [json.loads(line) for line in Path(sink.path).read_bytes().splitlines()]


class Memory:
    """Records are the sink's own."""

    def make(self) -> AuditSink:
        return MemorySink()

    def records_of(self, sink: MemorySink) -> list[Mapping[str, Any]]:
        return list(sink.records)


class Sqlite:
    """Records are the rows of a table."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.db"

    def make(self) -> AuditSink:
        return SqliteSink(self.path, timeout_seconds=10)

    def records_of(self, sink: SqliteSink) -> list[Mapping[str, Any]]:
        with closing(sqlite3.connect(sink.path)) as connection:
            rows = connection.execute("SELECT record FROM audit_records ORDER BY rowid")
            return [json.loads(record) for (record,) in rows]


class Queued:
    """Records are those of a file behind the queue."""

    def __init__(self, folder: Path) -> None:
        self.file = Jsonl(folder)

    def make(self) -> AuditSink:
        return QueuedSink(self.file.make())

    def records_of(self, sink: QueuedSink) -> list[Mapping[str, Any]]:
        sink.close()
        return self.file.records_of(sink.sink)


class Structlog:
    """Records are what the application's structlog was given."""

    def __init__(self, logged: list[Any]) -> None:
        self.logged = logged

    def make(self) -> AuditSink:
        return StructlogSink()

    def records_of(self, sink: StructlogSink) -> list[Mapping[str, Any]]:
        ours = [line for line in self.logged if line["logger"] == sink.logger_name]
        return [{**line, "request_id": line[REQUEST_ID]} for line in ours]


@pytest.fixture(params=["jsonl", "memory", "sqlite", "queued", "structlog"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    """Give each kind of sink in turn."""
    with capture_logs() as logged:
        kinds: dict[str, Kind] = {
            "jsonl": Jsonl(tmp_path),
            "memory": Memory(),
            "sqlite": Sqlite(tmp_path),
            "queued": Queued(tmp_path),
            "structlog": Structlog(logged),
        }
        yield kinds[request.param]


def test_is_a_sink(kind: Kind) -> None:
    """Built-in sinks meet the contract that users implement."""
    assert isinstance(kind.make(), AuditSink)


def test_keeps_records_in_order(kind: Kind) -> None:
    """What was written can be read, with its fields."""
    sink, records = kind.make(), [attempt("timeout", number=number) for number in (1, 2, 3)]
    for record in records:
        sink.write(record)

    for kept, record in zip(kind.records_of(sink), records, strict=True):
        assert {name: kept[name] for name in record} == dict(record)


def test_does_not_change_the_record(kind: Kind) -> None:
    """A record is handed from sink to sink as it came."""
    record = attempt(message="x" * 20_000, rules=["required"])
    before = {**record}

    kind.make().write(record)

    assert record == before


def test_closing_twice_is_fine_and_writing_may_follow(kind: Kind) -> None:
    """A closed sink takes records again, and has lost none."""
    sink, first, second = kind.make(), attempt(), attempt()
    sink.write(first)
    sink.close()
    sink.close()

    sink.write(second)
    sink.close()

    assert [record["id"] for record in kind.records_of(sink)] == [first["id"], second["id"]]


def test_a_pickled_copy_takes_records(kind: Kind) -> None:
    """Sinks travel to process pools as their configuration."""
    sink, record = kind.make(), attempt()
    sink.write(attempt())

    copy = pickle.loads(pickle.dumps(sink))

    assert type(copy) is type(sink)
    copy.write(record)
    assert record["id"] in {kept["id"] for kept in kind.records_of(copy)}
    copy.close()
    sink.close()


def test_threads_may_share_it(kind: Kind) -> None:
    """Eight threads at a time lose and repeat nothing."""
    sink, records = kind.make(), [attempt(number=number) for number in range(160)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sink.write, records))

    kept = [record["id"] for record in kind.records_of(sink)]
    assert sorted(kept) == sorted(record["id"] for record in records)
    sink.close()
