"""An audit file, read while others append to it."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from langchain_control._json import loads
from langchain_control._per_process import PerProcess
from langchain_control.trail.index import AuditIndex
from langchain_control.trail.recent import RecentIds
from langchain_control.trail.reports import AuditReports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_control.events import AuditRecord
    from langchain_control.trail.summary import AuditSummary

__all__ = ["FileTrail"]

LONGEST_LINE_BYTES = 1 << 20
"""Of longer lines only the end is looked at: no sink writes them."""

_LONGEST_ID = 128

_START_OF_RECORD = b'{"id":"'
"""Cannot occur inside a record, where quotes are escaped and nothing is nested."""


class FileTrail(AuditReports):
    """The reports on one file of JSON Lines, kept up to date from wherever it was left.

    The file is the truth: figures are counted from it, so they cover earlier runs and other
    processes. Each question first reads what was appended since the last one; the first reads the
    whole file. A file that was replaced or cut is read anew. Lines without a record are counted
    and skipped. A missing file has no records. A forked child reads the file for itself.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Remember which file to read; nothing is read before the first question."""
        self.path = Path(path).absolute()
        self._progress = PerProcess(_Progress)

    def refresh(self) -> None:
        """Read what was appended since the last time."""
        self._progress.get().catch_up(self.path)

    def summary(self) -> AuditSummary:
        """Sum up the file as it is now."""
        return self._progress.get().summary(self.path)

    def to_records(self) -> Iterator[AuditRecord]:
        """Iterate over all records of the file, oldest first, each once."""
        file = _opened(self.path)
        if file is None:
            return
        recent = RecentIds()
        with file:
            for line, _ in _lines(file):
                record = _parsed(line)[0]
                if record is not None and recent.is_new(record["id"]):
                    yield record

    def __repr__(self) -> str:
        """Show the path."""
        return f"FileTrail({str(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the path."""
        return FileTrail, (str(self.path),)


class _Progress:
    """How far one process has read, and what it has counted on the way."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._forget_locked()

    def catch_up(self, path: Path) -> None:
        """Count what was appended."""
        with self._lock:
            file = _opened(path)
            if file is None:
                self._forget_locked()
                return
            with file:
                self._follow_locked(file)

    def summary(self, path: Path) -> AuditSummary:
        """Catch up, and sum up what was counted."""
        with self._lock:
            self.catch_up(path)
            unreadable = self._unreadable + self._half_line
            return replace(self._index.summary(), unreadable_lines=unreadable)

    def _forget_locked(self) -> None:
        self._index = AuditIndex()
        self._file_id: tuple[int, int] | None = None
        self._position = 0
        self._unreadable = 0
        self._half_line = False

    def _follow_locked(self, file: BinaryIO) -> None:
        status = os.fstat(file.fileno())
        file_id = (status.st_dev, status.st_ino)
        if file_id != self._file_id or status.st_size < self._position:
            self._forget_locked()
            self._file_id = file_id
        file.seek(self._position)
        self._half_line = False
        for line, size in _lines(file):
            record, torn = _parsed(line)
            if record is None and not line.endswith(b"\n"):
                # Perhaps still being written; looked at again next time.
                self._half_line = True
                return
            self._position += size
            self._unreadable += torn
            if record is not None:
                self._index.add(record)


def _opened(path: Path) -> BinaryIO | None:
    """Open a regular file; reading a pipe or a terminal would wait forever."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        return path.open("rb")
    except FileNotFoundError:
        return None


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Iterate over lines and their sizes in the file; of a line too long only the end is kept."""
    while line := file.readline(LONGEST_LINE_BYTES):
        size = len(line)
        while not line.endswith(b"\n") and (more := file.readline(LONGEST_LINE_BYTES)):
            line, size = line[-LONGEST_LINE_BYTES:] + more, size + len(more)
        yield line, size


def _parsed(line: bytes) -> tuple[AuditRecord | None, bool]:
    """Return the record of a line, and whether something in it was lost.

    A line may begin with what a killed process could not finish.
    """
    if line.isspace():
        return None, False
    if (record := _record(line)) is not None:
        return record, False
    start = line.rfind(_START_OF_RECORD, 1)
    return (_record(line[start:]) if start > 0 else None), True


def _record(line: bytes) -> AuditRecord | None:
    try:
        value = loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    record_id, event = value.get("id"), value.get("event")
    # Ids are remembered for a while, so a long one is not taken.
    if not isinstance(event, str) or not isinstance(record_id, str) or len(record_id) > _LONGEST_ID:
        return None
    return cast("AuditRecord", value)
