"""An audit file, read while others append to it and rotate it."""

from __future__ import annotations

import os
import re
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from langchain_control._per_process import PerProcess
from langchain_control.trail.index import AuditIndex
from langchain_control.trail.lines import lines, parsed
from langchain_control.trail.recent import RecentIds
from langchain_control.trail.reports import AuditReports
from langchain_control.trail.rotated import RotatedFile, snapshot
from langchain_control.trail.story import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_control.events import AuditRecord
    from langchain_control.trail.summary import AuditSummary

__all__ = ["FileTrail"]

_TAIL_BYTES = 128

_PLAIN = re.compile(r"[\w.:-]+")


class FileTrail(AuditReports):
    """The reports on one file of JSON Lines and what it was rotated into, always up to date.

    The files are the truth: figures are counted from them, so they cover earlier runs and other
    processes, and lose what is removed. Each question first reads what was appended since the last
    one; the first reads everything. A file that was replaced or cut is read anew. Lines without a
    record are counted and skipped. A missing file has no records. A forked child reads the files
    for itself.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Remember which file to read; nothing is read before the first question."""
        self.path = Path(path).absolute()
        self._progress = PerProcess(_Progress)

    def refresh(self) -> None:
        """Read what was appended since the last time."""
        self._progress.get().catch_up(self.path)

    def summary(self) -> AuditSummary:
        """Sum up the files as they are now."""
        return self._progress.get().summary(self.path)

    def to_records(self) -> Iterator[AuditRecord]:
        """Iterate over all records, oldest first, each once."""
        return _records(self.path)

    def story(self, request_id: str) -> str:
        """Tell one request; only lines that may be its own are parsed."""
        # Other characters may be written in more ways than one.
        is_written_as_is = request_id.isascii() and _PLAIN.fullmatch(request_id)
        part = request_id.encode() if is_written_as_is else b""
        return tell(request_id, _records(self.path, containing=part))

    def __repr__(self) -> str:
        """Show the path."""
        return f"FileTrail({str(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the path."""
        return FileTrail, (str(self.path),)


def _records(path: Path, containing: bytes = b"") -> Iterator[AuditRecord]:
    recent = RecentIds()
    for line in _all_lines(path):
        record = parsed(line)[0] if containing in line else None
        if record is not None and recent.is_new(record["id"]):
            yield record


def _all_lines(path: Path) -> Iterator[bytes]:
    current, rotated = snapshot(path)
    with current or nullcontext():
        for earlier in rotated:
            with earlier.open() or nullcontext() as file:
                if file is not None:
                    yield from (line for line, _ in lines(file))
        if current is not None:
            yield from (line for line, _ in lines(current))


class _Progress:
    """How far one process has read, and what it has counted on the way.

    Each file has a tally of its own, so that the figures of removed files can be left out. Ids are
    remembered across files, in order: the second copy of a record may be in the next one.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rotated: dict[str, _Tally] = {}
        self._rotated_ids = RecentIds()
        self._current: _Tally | None = None
        self._current_ids = RecentIds()

    def catch_up(self, path: Path) -> None:
        """Count what was appended."""
        with self._lock:
            current, rotated = snapshot(path)
            with current or nullcontext():
                known, self._rotated = self._rotated, {}
                for file in rotated:
                    tally = known.get(file.stamp) or self._counted_locked(file)
                    if tally is not None:
                        self._rotated[file.stamp] = tally
                self._follow_locked(current)

    def summary(self, path: Path) -> AuditSummary:
        """Catch up, and sum up what was counted."""
        with self._lock:
            self.catch_up(path)
            index, unreadable = AuditIndex(), 0
            for tally in (*self._rotated.values(), self._current):
                if tally is not None:
                    index.include(tally.index)
                    unreadable += tally.unreadable_lines
            return replace(index.summary(), unreadable_lines=unreadable)

    def _counted_locked(self, rotated: RotatedFile) -> _Tally | None:
        """Count a rotated file, from where it was left when it still had the name."""
        with rotated.open() or nullcontext() as file:
            if file is None:
                return None
            tally = self._current
            if tally is not None and tally.is_of(file):
                self._current, self._rotated_ids = None, self._current_ids
            else:
                tally = _Tally(file)
            tally.follow(file, self._rotated_ids)
            return tally

    def _follow_locked(self, file: IO[bytes] | None) -> None:
        if file is None:
            self._current = None
            return
        if self._current is None or not self._current.is_of(file):
            self._current, self._current_ids = _Tally(file), self._rotated_ids.copy()
        self._current.follow(file, self._current_ids)


class _Tally:
    """What was counted in one file, and up to where."""

    def __init__(self, file: IO[bytes]) -> None:
        self.index = AuditIndex()
        self._file_id = _file_id(file)
        self._position = 0
        self._tail = b""
        self._unreadable = 0
        self._half_line = False

    @property
    def unreadable_lines(self) -> int:
        return self._unreadable + self._half_line

    def is_of(self, file: IO[bytes]) -> bool:
        """Whether the file still begins with what was counted.

        It may have been emptied and filled again, or its number may have gone to another file.
        """
        if _file_id(file) != self._file_id:
            return False
        file.seek(self._position - len(self._tail))
        return file.read(len(self._tail)) == self._tail

    def follow(self, file: IO[bytes], recent: RecentIds) -> None:
        """Count what was appended."""
        file.seek(self._position)
        self._half_line = False
        counted = self._tail
        for line, size in lines(file):
            record, is_torn = parsed(line)
            if record is None and not line.endswith(b"\n"):
                # Perhaps still being written; looked at again next time.
                self._half_line = True
                break
            self._position += size
            self._unreadable += is_torn
            counted = line
            if record is not None and recent.is_new(record["id"]):
                self.index.add(record)
        self._tail = counted[-_TAIL_BYTES:]


def _file_id(file: IO[bytes]) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino
