"""`SqliteSink` and `DatabaseSink`: records as rows."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_control.events import AuditRecord
from langchain_control.sinks import DatabaseSink, SqliteSink, database
from tests.audit_records import attempt, finished

forking = multiprocessing.get_context("fork")

# Python 3.12 warns of forks beside threads, whoever started them. The children use none.
may_fork = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "audit.db"


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def test_records_can_be_asked_for_in_sql(path: Path) -> None:
    """By column and by field of the record."""
    with SqliteSink(path) as sink:
        sink.write(attempt("timeout", model="m"))
        sink.write(finished("exhausted", request_id="abc"))

    assert rows(
        path, "SELECT record ->> 'model' FROM audit_records WHERE event LIKE '%attempt'"
    ) == [("m",)]
    assert rows(path, "SELECT event FROM audit_records WHERE request_id = 'abc'") == [
        ("control.finished",)
    ]


@pytest.mark.parametrize("column", ["id", "request_id", "time", "event"])
def test_questions_by_column_use_an_index(path: Path, column: str) -> None:
    """A table of millions stays quick to ask."""
    with SqliteSink(path) as sink:
        sink.write(attempt())

    plan = rows(path, f"EXPLAIN QUERY PLAN SELECT * FROM audit_records WHERE {column} = 'x'")
    assert "USING INDEX" in plan[0][3]


def test_a_record_written_twice_is_kept_once(path: Path) -> None:
    """The id says that it is the same."""
    record = attempt()
    with SqliteSink(path) as sink:
        sink.write(record)
        sink.write(record)

    assert rows(path, "SELECT count(*) FROM audit_records") == [(1,)]


def test_the_file_is_its_owners_alone(path: Path) -> None:
    """With what SQLite puts beside it."""
    with SqliteSink(path) as sink:
        sink.write(attempt())
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert len(list(path.parent.iterdir())) == 3

    assert modes == {0o600}


def test_constructing_touches_nothing(path: Path) -> None:
    """Nor does closing."""
    SqliteSink(path / "deeper" / "audit.db").close()

    assert list(path.parent.iterdir()) == []


def test_a_reader_holds_up_no_writer(path: Path) -> None:
    """A long question does not cost records."""
    with SqliteSink(path, timeout_seconds=0) as sink:
        sink.write(attempt())
        with closing(sqlite3.connect(path)) as reader:
            cursor = reader.execute("SELECT * FROM audit_records")
            sink.write(attempt())
            cursor.fetchall()

    assert rows(path, "SELECT count(*) FROM audit_records") == [(2,)]


def test_a_file_locked_for_too_long_is_an_error(path: Path) -> None:
    """The wait is bounded, and the next record is kept."""
    with SqliteSink(path, timeout_seconds=0) as sink:
        sink.write(attempt())
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                sink.write(attempt())
        sink.write(attempt())

    assert rows(path, "SELECT count(*) FROM audit_records") == [(2,)]


def test_a_file_that_was_moved_keeps_its_records_and_is_told(path: Path) -> None:
    """Nobody finds what is written after that; a new file would cost what stands beside the old."""
    moved = path.with_name("moved.db")
    with SqliteSink(path) as sink:
        sink.write(attempt())
        path.rename(moved)
        with pytest.raises(FileNotFoundError, match="close the sink"):
            sink.write(attempt())
        moved.rename(path)
        sink.write(attempt())

    assert rows(path, "SELECT count(*) FROM audit_records") == [(3,)]


def test_a_closed_sink_makes_a_deleted_file_again(path: Path) -> None:
    """Records went into the deleted one, and no error said so."""
    with SqliteSink(path) as sink:
        sink.write(attempt())
        for file in path.parent.iterdir():
            file.unlink()
        with pytest.raises(FileNotFoundError):
            sink.write(attempt())
        sink.close()
        sink.write(attempt())

    assert rows(path, "SELECT count(*) FROM audit_records") == [(1,)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def _write_many(sink: SqliteSink, process: int) -> None:
    for number in range(100):
        sink.write(attempt(number=number, model=str(process)))
    sink.close()


@may_fork
def test_processes_take_turns(path: Path) -> None:
    """Forked copies of a sink in use lose nothing, and leave the parent's connection alone."""
    sink = SqliteSink(path, timeout_seconds=10)
    sink.write(attempt(model="parent"))
    processes = [forking.Process(target=_write_many, args=(sink, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    sink.write(attempt(model="parent"))
    sink.close()

    counts = dict(rows(path, "SELECT record ->> 'model', count(*) FROM audit_records GROUP BY 1"))
    assert counts == {"parent": 2, **{str(number): 100 for number in range(4)}}
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


def _write_and_count_inherited(sink: SqliteSink) -> None:
    sink.write(attempt())
    sink.close()
    os._exit(len(database._INHERITED))


@may_fork
def test_a_child_leaves_its_parents_connection_open(path: Path) -> None:
    """Closing it, or losing it to the garbage collector, could damage the file."""
    gc.collect()  # or the child would find what other tests have left behind
    sink = SqliteSink(path)
    sink.write(attempt())
    child = forking.Process(target=_write_and_count_inherited, args=(sink,))
    child.start()
    child.join()
    sink.close()

    assert child.exitcode == 1


def _write_and_leave(sink: SqliteSink) -> None:
    sink.write(attempt())
    os._exit(0)


@may_fork
def test_a_child_forked_in_a_transaction_can_write(path: Path) -> None:
    """It was locked out for good: to its SQLite, the parent's transaction never ended."""
    inside, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        inside.set()
        may_end.wait(timeout=60)

    sink = SqliteSink(path, timeout_seconds=0.1)
    sink.write(attempt())
    connection = cast("sqlite3.Connection", sink._link.get()._connection)
    connection.create_function("slow", 0, slow)
    connection.execute(
        "CREATE TEMP TRIGGER slowed AFTER INSERT ON audit_records BEGIN SELECT slow(); END"
    )
    writer = threading.Thread(target=sink.write, args=(attempt(),))
    writer.start()
    inside.wait()
    end = threading.Timer(0.2, may_end.set)
    end.start()
    child = forking.Process(target=_write_and_leave, args=(sink,))
    child.start()
    end.join()
    writer.join()
    child.join()
    sink.close()

    assert child.exitcode == 0
    assert rows(path, "SELECT count(*) FROM audit_records") == [(3,)]


def _write_until_killed(path: Path, written: Any) -> None:
    sink = SqliteSink(path)
    while True:
        sink.write(attempt(number=written.value))
        written.value += 1
        if written.value == 50:
            os.kill(os.getpid(), 9)


@may_fork
def test_records_survive_the_kill_of_their_writer(path: Path) -> None:
    """What `write` has returned from is there."""
    written = forking.RawValue("i", 0)
    victim = forking.Process(target=_write_until_killed, args=(path, written))
    victim.start()
    victim.join()

    assert rows(path, "SELECT count(*) FROM audit_records") == [(50,)]


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.text("a\0'\"\\%?")))
def test_any_text_is_kept(
    tmp_path_factory: pytest.TempPathFactory, message: str, rules: list[str]
) -> None:
    """Quotes end nothing; only NUL, which no database likes, is replaced."""
    path = tmp_path_factory.mktemp("trail") / "audit.db"
    with SqliteSink(path) as sink:
        sink.write(attempt(message=message, rules=rules, request_id=message))

    ((request_id, record),) = rows(path, "SELECT request_id, record FROM audit_records")
    kept = json.loads(record)
    assert request_id == kept["message"] == message.replace("\0", "\ufffd")
    assert kept["rules"] == [rule.replace("\0", "\ufffd") for rule in rules]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"path": ""}, "`path`"),
        ({"path": "x", "timeout_seconds": -1}, "`timeout_seconds`"),
        ({"path": "x", "table": "a; DROP TABLE b"}, "`table`"),
        ({"path": "x", "table": ""}, "`table`"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any], named: str) -> None:
    """At construction, by name."""
    with pytest.raises(ValueError, match=named):
        SqliteSink(**wrong)


def test_shows_where_records_go(path: Path) -> None:
    """But no connection, which may hold a password."""
    assert repr(SqliteSink(path)) == f"SqliteSink({str(path)!r})"
    assert repr(DatabaseSink(lambda: sqlite3.connect(path), table="audit.records")) == (
        "DatabaseSink(table='audit.records')"
    )


def test_importing_the_sinks_does_not_import_sqlite() -> None:
    """Only users of this sink pay for it."""
    code = "import sys, langchain_control.sinks; sys.exit('sqlite3' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- connections of one's own -------------------------------------------------------------------


class Connections:
    """Connections to one SQLite file, some of them broken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.opened: list[sqlite3.Connection] = []
        self.are_refused = False

    def __call__(self) -> sqlite3.Connection:
        if self.are_refused:
            raise ConnectionRefusedError
        self.opened.append(sqlite3.connect(self._path))
        return self.opened[-1]

    def break_all(self) -> None:
        for connection in self.opened:
            connection.close()


def sink_of(connections: Connections, **settings: Any) -> DatabaseSink:
    return DatabaseSink(connections, placeholder="?", **settings)


def test_one_connection_serves_all_records(path: Path) -> None:
    """It is opened with the first, and closed with the sink."""
    connections = Connections(path)
    with sink_of(connections, table="records") as sink:
        assert connections.opened == []
        for _ in range(3):
            sink.write(attempt())

    (connection,) = connections.opened
    with pytest.raises(sqlite3.ProgrammingError):
        connection.cursor()
    assert rows(path, "SELECT count(*) FROM records") == [(3,)]


def test_a_broken_connection_is_replaced(path: Path) -> None:
    """The record that notices is not lost."""
    connections = Connections(path)
    with sink_of(connections) as sink:
        sink.write(attempt())
        connections.break_all()
        sink.write(attempt())

    assert len(connections.opened) == 2
    assert rows(path, "SELECT count(*) FROM audit_records") == [(2,)]


def test_a_database_that_is_away_is_asked_once_per_record(path: Path) -> None:
    """Its absence is the record's loss, and the next record's second chance."""
    connections = Connections(path)
    connections.are_refused = True
    with sink_of(connections) as sink:
        with pytest.raises(ConnectionRefusedError):
            sink.write(attempt())
        connections.are_refused = False
        sink.write(attempt())

    assert rows(path, "SELECT count(*) FROM audit_records") == [(1,)]


def test_a_record_that_cannot_be_inserted_harms_no_other(path: Path) -> None:
    """The driver's error is the sink's."""
    broken: AuditRecord = {**attempt(), "time": None}  # type: ignore[typeddict-item]
    with sink_of(Connections(path)) as sink:
        sink.write(attempt())
        with pytest.raises(sqlite3.IntegrityError):
            sink.write(broken)
        sink.write(attempt())

    assert rows(path, "SELECT count(*) FROM audit_records") == [(2,)]
