"""A file that is appended to, whatever becomes of its name."""

from __future__ import annotations

import logging
import os
import stat
import sys
import threading
import time
from pathlib import Path

from langchain_control.sinks.file_lock import release, try_exclusive, try_shared
from langchain_control.sinks.named_file import has_name
from langchain_control.sinks.rotation import Housekeeping, Rotation

__all__ = ["AppendedFile"]

_logger = logging.getLogger(__name__)

_OWNER_ONLY = 0o600

# `O_NONBLOCK` means nothing to a regular file; a full pipe fails the write instead of holding up
# the event loop, and detectors of blocking calls see that this one cannot block.
_FLAGS = (
    os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)

_LOOKS = 10

_PAUSE_SECONDS = 0.001
_MOST_PAUSES = 1000
"""A rotation holds the file for a look at the folder and a rename. Whoever holds it for a second
was stopped in the middle, and a lost record is better than a program that stands still."""

_ROTATION_PAUSES = 5
"""Who would rotate does not insist: the next record is another opportunity."""


class AppendedFile:
    """One process's descriptor of an audit file.

    Writers hold a shared lock on the file while they append, and look whether it still has its
    name once they hold it. Who rotates holds the lock alone. So nobody writes to a rotated file,
    and a record is in exactly one. A file moved or deleted from outside is noticed the same way.
    """

    def __init__(self, path: Path, rotation: Rotation, *, durable: bool) -> None:
        """Remember the path; nothing is opened before the first line.

        Args:
            path: An absolute path.
            rotation: When to rotate.
            durable: Whether data must be on the disk before the file is let go.
        """
        self._path = path
        self._name = str(path)
        self._rotation = rotation
        self._durable = durable
        # Re-entrant, because a signal handler may write while its thread is writing.
        self._lock = threading.RLock()
        self._housekeeping = Housekeeping(rotation, path)
        self._fd: int | None = None
        self._end_of_ours = -1
        self._is_busy = False
        self._warned = False

    def append(self, line: bytes, *, sync: bool = False) -> None:
        """Write a line in one piece, and wait for the disk with `sync`.

        Raises:
            OSError: The line is not in the file, or not whole, or perhaps not on the disk.
        """
        with self._lock:
            if self._is_busy:
                # A signal handler, in the middle of our own work: it must not move what we hold.
                beside = AppendedFile(self._path, Rotation(), durable=self._durable)
                beside.append(line, sync=sync)
                return
            self._is_busy = True
            try:
                self._append_locked(line, sync=sync)
            finally:
                self._is_busy = False

    def close(self) -> None:
        """Let the file go, and wait for rotated ones to be tidied up."""
        with self._lock:
            if not self._is_busy:
                self._let_go_locked()
        self._housekeeping.wait()

    def __del__(self) -> None:
        """Give the descriptor back. Without the lock, which a fork may have left held."""
        if self._fd is not None:
            os.close(self._fd)

    def _append_locked(self, line: bytes, *, sync: bool) -> None:
        fd, status = self._acquire_locked(len(line))
        try:
            self._write_locked(fd, status, line)
        finally:
            release(fd)
        if sync:
            os.fsync(fd)

    def _acquire_locked(self, more: int) -> tuple[int, os.stat_result]:
        """Return the descriptor of the file that has the name, locked against rotation."""
        may_rotate = True
        for _ in range(_MOST_PAUSES):
            fd = self._opened_locked()
            is_ours = try_shared(fd)
            status = os.fstat(fd)
            if not has_name(status, self._name):
                self._let_go_locked()
            elif not is_ours:
                time.sleep(_PAUSE_SECONDS)
            elif may_rotate and self._is_due(status, more):
                may_rotate = self._rotated_locked(fd, more)
            else:
                return fd, status
        msg = f"`{self._path}` has been held by a rotation for too long"
        raise TimeoutError(msg)

    def _opened_locked(self) -> int:
        if self._fd is None:
            self._fd = _open(self._path)
            self._end_of_ours = -1
            if self._durable:
                _sync_directory(self._path.parent)
        return self._fd

    def _let_go_locked(self) -> None:
        fd, self._fd = self._fd, None
        if fd is None:
            return
        try:
            release(fd)  # a forked child may have the descriptor, too
            if self._durable:
                os.fsync(fd)
        finally:
            os.close(fd)

    # --- rotating -------------------------------------------------------------------------------

    def _is_due(self, status: os.stat_result, more: int) -> bool:
        return stat.S_ISREG(status.st_mode) and self._rotation.is_due(status, more)

    def _rotated_locked(self, fd: int, more: int) -> bool:
        """Rotate, unless others are writing all the time, and say whether to look again."""
        try:
            for _ in range(_ROTATION_PAUSES):
                if try_exclusive(fd):
                    break
                time.sleep(_PAUSE_SECONDS)
            else:
                return False
            status = os.fstat(fd)
            if has_name(status, self._name) and self._is_due(status, more):
                self._rotation.rename(self._path)
        except OSError as exc:
            # The file grows on: no reason to lose a record.
            if not self._warned:
                self._warned = True
                _logger.warning("the audit file cannot be rotated: %s", exc)
            return False
        finally:
            release(fd)
        self._housekeeping.ask()
        return True

    # --- writing --------------------------------------------------------------------------------

    def _write_locked(self, fd: int, status: os.stat_result, line: bytes) -> None:
        data = line if self._starts_line_locked(fd, status) else b"\n" + line
        written = os.write(fd, data)
        if written != len(data):
            # The rest in a second write could land inside another process's record.
            msg = f"short write: {written} of {len(data)} bytes reached `{self._path}`"
            raise OSError(msg)
        self._end_of_ours = status.st_size + written

    def _starts_line_locked(self, fd: int, status: os.stat_result) -> bool:
        """Whether the file ends with a whole line: a killed writer may have left half of one.

        Half a line may also be what another process is writing this moment, hence several looks.
        Where they do not suffice, the file gets an empty line: readers skip those.
        """
        if not stat.S_ISREG(status.st_mode):
            return True
        for _ in range(_LOOKS):
            size = status.st_size
            if size in (0, self._end_of_ours) or _last_byte(fd, size) == b"\n":
                return True
            status = os.fstat(fd)
        return False


def _last_byte(fd: int, size: int) -> bytes:
    os.lseek(fd, size - 1, os.SEEK_SET)
    return os.read(fd, 1)


def _open(path: Path) -> int:
    try:
        return os.open(path, _FLAGS, _OWNER_ONLY)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, _FLAGS, _OWNER_ONLY)


def _sync_directory(path: Path) -> None:
    """Make sure that a new file is found after a power cut. Windows has no way to."""
    if sys.platform == "win32":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
