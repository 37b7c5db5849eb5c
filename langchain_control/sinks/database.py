"""A table that each record is inserted into."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self

from langchain_control._at_fork import Lock
from langchain_control._json import dumps
from langchain_control._per_process import PerProcess

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord

__all__ = ["Connection", "DatabaseSink", "Link"]

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}(\.[a-z_][a-z0-9_]{0,39})?", re.IGNORECASE)


class Cursor(Protocol):
    """What is used of a DB-API cursor."""

    def execute(self, operation: Any, parameters: Any = ..., /) -> Any:
        """Run one statement."""

    def close(self) -> Any:
        """Give it back."""


class Connection(Protocol):
    """What is used of a DB-API connection (PEP 249)."""

    def cursor(self) -> Cursor:
        """Return a cursor."""

    def commit(self) -> Any:
        """Keep what was done."""

    def rollback(self) -> Any:
        """Forget what was done."""

    def close(self) -> Any:
        """End the connection."""


class DatabaseSink:
    """Insert each record into a table of any database that knows `ON CONFLICT DO NOTHING`.

    Postgres and SQLite do. The table is made if it is not there: `id` (primary key), `request_id`,
    `time` and `event` as text, each indexed, and the whole record as JSON in `record`. An id that
    is there already is not inserted again.

    A write is one transaction on one connection, which threads take turns with; each process opens
    its own. A connection that has broken is replaced, once for each record. Writing takes as long
    as the server does, so put a `QueuedSink` before it wherever somebody waits.

    !!! example "Into Postgres"

        ```python
        def connect():
            return psycopg.connect("dbname=audit", connect_timeout=3)

        audit = AuditLogger(sinks=[QueuedSink(DatabaseSink(connect))])
        ```
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        table: str = "audit_records",
        placeholder: str = "%s",
    ) -> None:
        """Remember how to connect; nothing is opened before the first record.

        Args:
            connect: Opens a connection, with whatever timeouts it is to have. A function that can
                be pickled keeps the sink so.
            table: Its name, with the schema if it needs one: `audit.records`.
            placeholder: What stands for a value in the driver's SQL: `%s`, as psycopg has it, or
                `?`.

        Raises:
            ValueError: `table` is no plain name.
        """
        if not _NAME.fullmatch(table):
            msg = f"`table` must be a name of letters, digits and underscores, got {table!r}"
            raise ValueError(msg)
        self.connect = connect
        self.table = table
        self.placeholder = placeholder
        self._link = PerProcess(self._new_link)

    def write(self, record: AuditRecord) -> None:
        """Insert one record.

        Raises:
            Exception: The driver's own; the record is not in the table.
        """
        plain = {name: _without_nul(value) for name, value in record.items()}
        keys = [plain[name] for name in ("id", "request_id", "time", "event")]
        self._link.get().insert((*keys, dumps(plain).decode()))

    def close(self) -> None:
        """End the connection. A later `write` opens another."""
        self._link.get().close()

    def _new_link(self) -> Link:
        return Link(self.connect, self._statements(), self._insertion(), self._new_lock())

    def _new_lock(self) -> Lock:
        # Re-entrant, because a signal handler may write while its thread is writing.
        return threading.RLock()

    def _statements(self) -> list[str]:
        index = self.table.replace(".", "_")
        columns = (
            "id TEXT PRIMARY KEY, request_id TEXT NOT NULL, time TEXT NOT NULL, "
            "event TEXT NOT NULL, record JSON NOT NULL"
        )
        return [
            f"CREATE TABLE IF NOT EXISTS {self.table} ({columns})",
            *(
                f"CREATE INDEX IF NOT EXISTS {index}_{column} ON {self.table} ({column})"
                for column in ("request_id", "time", "event")
            ),
        ]

    def _insertion(self) -> str:
        values = ", ".join([self.placeholder] * 5)
        return (
            f"INSERT INTO {self.table} (id, request_id, time, event, record) "  # noqa: S608  (a name, checked)
            f"VALUES ({values}) ON CONFLICT DO NOTHING"
        )

    def __enter__(self) -> Self:
        """Return the sink."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End the connection."""
        self.close()

    def __repr__(self) -> str:
        """Show the table; where it is may hold a password."""
        return f"{type(self).__name__}(table={self.table!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the settings: the copy connects for itself."""
        rebuild = partial(
            DatabaseSink, self.connect, table=self.table, placeholder=self.placeholder
        )
        return rebuild, ()


def _without_nul(value: Any) -> Any:
    """Replace what Postgres takes neither in text nor in JSON."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return [_without_nul(item) for item in value] if isinstance(value, list) else value


_INHERITED: list[Connection | None] = []
"""Connections of a parent process. Closing one here would end it there (SQLite, "How To Corrupt An
SQLite Database File", 2.6), and so would forgetting it."""


class Link:
    """One process's connection."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        preparation: Sequence[str],
        insertion: str,
        lock: Lock,
    ) -> None:
        """Remember how to connect, how to make the table, and how to insert."""
        self._connect = connect
        self._preparation = preparation
        self._insertion = insertion
        self._pid = os.getpid()
        self._lock = lock
        self._connection: Connection | None = None

    def insert(self, row: Sequence[str]) -> None:
        """Insert a row, on another connection if this one has broken.

        Raises:
            Exception: The driver's own.
        """
        with self._lock:
            if self._connection is not None:
                try:
                    self._run_locked(self._connection, self._insertion, row)
                except Exception:  # noqa: BLE001  (each driver has its own; another try will tell)
                    self._forget()
                else:
                    return
            self._connection = connection = self._connected()
            self._prepare_locked(connection)
            self._run_locked(connection, self._insertion, row)

    def _connected(self) -> Connection:
        return self._connect()

    def close(self) -> None:
        """End the connection. A later row opens another."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def __del__(self) -> None:
        """End the connection, unless it is a parent process's."""
        if self._pid == os.getpid():
            self._forget()
        else:
            _INHERITED.append(self._connection)

    def _forget(self) -> None:
        with suppress(Exception):  # it is broken already, or nobody is there to hear of it
            self.close()

    def _prepare_locked(self, connection: Connection) -> None:
        for statement in self._preparation:
            try:
                self._run_locked(connection, statement)
            except Exception:  # noqa: BLE001  (made by another, or not ours to make: inserting tells)
                connection.rollback()

    def _run_locked(self, connection: Connection, statement: str, row: Sequence[str] = ()) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute(statement, row)
        connection.commit()
