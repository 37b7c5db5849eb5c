"""An SQLite database that each record is inserted into."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_control._at_fork import Lock, hold_over_forks
from langchain_control.sinks.database import Connection, DatabaseSink, Link
from langchain_control.sinks.named_file import has_name

if TYPE_CHECKING:
    import sqlite3

__all__ = ["SqliteSink"]

_OWNER_ONLY = 0o600


class SqliteSink(DatabaseSink):
    """Insert each record into a table of an SQLite file, for questions in SQL.

    Threads share the sink; processes each open the same file, and take turns. A fork waits for a
    record that is being written, three seconds at most. The file is made for
    its owner alone, in WAL mode, so that reading holds up no writing. A record survives the kill of
    the process that wrote it; a power cut may take the last ones. Close the sink before
    you move, replace or delete the file: SQLite goes on with the one it has opened, and each record
    is an error from then on.

    !!! example "Count failures by model"

        ```python
        audit = AuditLogger(sinks=[SqliteSink("audit.db")])
        ```

        ```sql
        SELECT record ->> 'model', count(*) FROM audit_records
        WHERE event = 'control.attempt' AND record ->> 'failure_mode' != 'none' GROUP BY 1
        ```
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        table: str = "audit_records",
        timeout_seconds: float = 1.0,
    ) -> None:
        """Remember where to write; nothing is opened before the first record.

        Args:
            path: The file. A relative path is taken from the current directory, now.
            table: The table's name.
            timeout_seconds: How long a record waits for another process to finish writing, twice
                at most, before it is an error.

        Raises:
            ValueError: A setting is out of its range.
        """
        if not os.fspath(path):
            msg = "`path` must name a file, got an empty string"
            raise ValueError(msg)
        if timeout_seconds < 0:
            msg = f"`timeout_seconds` must not be negative, got {timeout_seconds}"
            raise ValueError(msg)
        self.path = Path(path).absolute()
        self.timeout_seconds = timeout_seconds
        connect = partial(_connect, self.path, timeout_seconds)
        super().__init__(connect, table=table, placeholder="?")

    def _new_link(self) -> Link:
        return _FileLink(
            self.connect,
            self._statements(),
            self._insertion(),
            self._new_lock(),
            str(self.path),
        )

    def _new_lock(self) -> Lock:
        # SQLite in a child takes its parent's transaction for one of its own that never ends.
        lock = super()._new_lock()
        hold_over_forks(lock)
        return lock

    def __repr__(self) -> str:
        """Show the path."""
        return f"SqliteSink({str(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the settings: the copy opens the file for itself."""
        rebuild = partial(
            SqliteSink, str(self.path), table=self.table, timeout_seconds=self.timeout_seconds
        )
        return rebuild, ()


class _FileLink(Link):
    """One process's connection to a file, as long as that has its name."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        preparation: Sequence[str],
        insertion: str,
        lock: Lock,
        name: str,
    ) -> None:
        super().__init__(connect, preparation, insertion, lock)
        self._name = name
        self._status: os.stat_result | None = None

    def _connected(self) -> Connection:
        self._status = _made(self._name)  # first: of another file than SQLite's, it is looked again
        return super()._connected()

    def insert(self, row: Sequence[str]) -> None:
        # Opening the new file here would cost the old one what is not in it yet, but beside it.
        super().insert(row)
        if self._status is None or not has_name(self._status, self._name):
            msg = "the file was moved, replaced or deleted: close the sink, then write on"
            raise FileNotFoundError(msg)


def _made(name: str) -> os.stat_result:
    """Make the file if it is not there: SQLite would let all read it."""
    path = Path(name)
    try:
        return path.stat()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY))
        return path.stat()


def _connect(path: Path, timeout_seconds: float) -> sqlite3.Connection:
    import sqlite3  # noqa: PLC0415  (slow; only users of this sink pay)

    connection = sqlite3.connect(
        path,
        timeout=timeout_seconds,
        isolation_level=None,  # each statement is a transaction
        check_same_thread=False,  # the sink has a lock
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection
