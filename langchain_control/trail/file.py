"""An audit file, read while others append to it and rotate it."""

from __future__ import annotations

import os
import re
import threading
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from langchain_control._per_process import PerProcess
from langchain_control.trail.ids import kept_id
from langchain_control.trail.index import AuditIndex
from langchain_control.trail.lines import lines, parsed
from langchain_control.trail.recent import RecentIds
from langchain_control.trail.reports import AuditReports
from langchain_control.trail.rotated import RotatedFile, snapshot
from langchain_control.trail.story import tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from langchain_control.events import AuditRecord
    from langchain_control.trail.summary import AuditSummary

__all__ = ["FileTrail"]

_TAIL_BYTES = 128

_PLAIN = re.compile(r"[\w.:~-]+")


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
        kept = kept_id(request_id)
        part = kept.encode() if kept.isascii() and _PLAIN.fullmatch(kept) else b""
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
        self._rotated_sum: _Sum | None = None
        self._rotated_ids = RecentIds()
        self._current: _Tally | None = None
        self._current_ids = RecentIds()

    def catch_up(self, path: Path) -> None:
        """Count what was appended."""
        with self._lock:
            current, rotated = snapshot(path)
            with current or nullcontext():
                self._forget_all_but_locked({file.stamp for file in rotated})
                for file in rotated:
                    if file.stamp not in self._rotated:
                        self._count_rotated_locked(file)
                self._follow_locked(current)

    def summary(self, path: Path) -> AuditSummary:
        """Catch up, and sum up what was counted."""
        with self._lock:
            self.catch_up(path)
            if self._rotated_sum is None:
                self._rotated_sum = _Sum.of(self._rotated.values())
            current = [] if self._current is None else [self._current]
            total = _Sum.of((self._rotated_sum, *current))
            return replace(total.index.summary(), unreadable_lines=total.unreadable_lines)

    def _forget_all_but_locked(self, stamps: set[str]) -> None:
        for stamp in self._rotated.keys() - stamps:
            del self._rotated[stamp]
            self._rotated_sum = None

    def _count_rotated_locked(self, rotated: RotatedFile) -> None:
        """Count a rotated file, from where it was left when it still had the name."""
        with rotated.open() or nullcontext() as file:
            if file is None:
                return
            tally, ids = self._current, self._current_ids
            if tally is None or not tally.is_of(file):
                tally, ids = _Tally(file), self._rotated_ids.copy()
            tally.follow(file, ids)
        if tally is self._current:
            self._current = None
        self._rotated[rotated.stamp], self._rotated_ids = tally, ids
        self._rotated_sum = None

    def _follow_locked(self, file: IO[bytes] | None) -> None:
        if file is None:
            self._current = None
            return
        if self._current is None or not self._current.is_of(file):
            self._current, self._current_ids = _Tally(file), self._rotated_ids.copy()
        self._current.follow(file, self._current_ids)


@dataclass(frozen=True, slots=True)
class _Sum:
    """What was counted in some files."""

    index: AuditIndex
    unreadable_lines: int

    @classmethod
    def of(cls, parts: Iterable[_Sum | _Tally]) -> _Sum:
        index, unreadable = AuditIndex(), 0
        for part in parts:
            index.include(part.index)
            unreadable += part.unreadable_lines
        return cls(index, unreadable)


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
