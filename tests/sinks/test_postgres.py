"""`DatabaseSink` on a real Postgres server."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from langchain_control.sinks import DatabaseSink
from tests.audit_records import attempt, finished
from tests.sinks.postgres_server import PostgresServer


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Start a server for this file."""
    server = PostgresServer().start()
    yield server
    server.remove()


@pytest.fixture
def sink(server: PostgresServer) -> Iterator[DatabaseSink]:
    """Give a sink whose table is not there yet."""
    with server.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS audit_records")
    with DatabaseSink(server.connect) as sink:
        yield sink


def test_records_can_be_asked_for_in_sql(server: PostgresServer, sink: DatabaseSink) -> None:
    """By column and by field of the record."""
    sink.write(attempt("timeout", model="m", message="«ä» 漢字 😀"))
    sink.write(finished("exhausted", request_id="abc"))

    assert server.rows(
        "SELECT record ->> 'model', record ->> 'message' FROM audit_records "
        "WHERE event = 'control.attempt'"
    ) == [("m", "«ä» 漢字 😀")]
    assert server.rows("SELECT count(*) FROM audit_records WHERE request_id = 'abc'") == [(1,)]


def test_a_record_written_twice_is_kept_once(server: PostgresServer, sink: DatabaseSink) -> None:
    """The id says that it is the same, also to another process's sink."""
    record = attempt()
    sink.write(record)
    with DatabaseSink(server.connect) as other:
        other.write(record)

    assert server.rows("SELECT count(*) FROM audit_records") == [(1,)]


def test_hostile_text_is_kept(server: PostgresServer, sink: DatabaseSink) -> None:
    """Quotes end nothing, and the one character that Postgres refuses is replaced."""
    sink.write(attempt(request_id="a\0'; DROP TABLE audit_records; --", message="x\0\\u0000%s"))

    assert server.rows("SELECT request_id, record::jsonb ->> 'message' FROM audit_records") == [
        ("a\ufffd'; DROP TABLE audit_records; --", "x\ufffd\\u0000%s")
    ]


def test_several_make_the_table_at_once(server: PostgresServer, sink: DatabaseSink) -> None:
    """Who comes second uses the table of who came first, and loses no record."""
    sinks = [DatabaseSink(server.connect) for _ in range(8)]

    def write(own: DatabaseSink) -> None:
        for number in range(20):
            own.write(attempt(number=number))
        own.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, sinks))

    assert server.rows("SELECT count(*) FROM audit_records") == [(160,)]


def test_a_role_that_may_not_make_tables_may_write(
    server: PostgresServer, sink: DatabaseSink
) -> None:
    """Where the table is there, no more is needed than to insert into it."""
    sink.write(attempt())
    with server.connect() as connection:
        connection.execute("CREATE ROLE writer LOGIN")
        connection.execute("GRANT INSERT ON audit_records TO writer")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connect = partial(server.psycopg.connect, server.dsn.replace("user=test", "user=writer"))
    with DatabaseSink(connect) as own:
        own.write(attempt())

    assert server.rows("SELECT count(*) FROM audit_records") == [(2,)]


def test_a_server_that_restarts_costs_no_record(server: PostgresServer, sink: DatabaseSink) -> None:
    """The broken connection is replaced; while the server is away, that is an error."""
    sink.write(attempt(number=1))
    server.stop()
    with pytest.raises(server.psycopg.OperationalError):
        sink.write(attempt(number=2))
    server.start()
    sink.write(attempt(number=3))
    server.stop()
    server.start()
    sink.write(attempt(number=4))

    assert server.rows("SELECT record ->> 'number' FROM audit_records ORDER BY 1") == [
        ("1",),
        ("3",),
        ("4",),
    ]


def test_a_pickled_copy_connects_for_itself(server: PostgresServer, sink: DatabaseSink) -> None:
    """With a connection factory that can be pickled."""
    first = DatabaseSink(partial(server.psycopg.connect, server.dsn))
    first.write(attempt())
    copy: Any = pickle.loads(pickle.dumps(first))
    copy.write(attempt())
    first.close()
    copy.close()

    assert server.rows("SELECT count(*) FROM audit_records") == [(2,)]
