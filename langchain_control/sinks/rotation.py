"""When an audit file is rotated, and what becomes of the rotated ones."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from langchain_control.sinks.file_lock import CAN_LOCK, release, try_exclusive
from langchain_control.trail.rotated import RotatedFile, next_rotated_file, rotated_files

__all__ = ["Housekeeping", "Rotation"]

_logger = logging.getLogger(__name__)

_SECONDS_PER_DAY = 86_400
_CHUNK_BYTES = 1 << 20

_PAUSE_SECONDS = 0.001
_MOST_PAUSES = 100

_COMPRESSION_LEVEL = 6
"""gzip's own default. `gzip.open` would take 9: three times the time, for a hundredth less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The rules of rotation; the names are those of `JsonlSink`'s settings."""

    rotate_bytes: int | None = None
    rotate_daily: bool = False
    keep: int | None = None
    compress: bool = False
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """Refuse rules that cannot be followed, by name."""
        for name in ("rotate_bytes", "keep"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value >= 1):
                msg = f"`{name}` must be a whole number of at least 1, got {value!r}"
                raise ValueError(msg)
        rotates = self.rotate_bytes is not None or self.rotate_daily
        idle = [name for name in ("keep", "compress") if getattr(self, name)]
        if idle and not rotates:
            msg = f"`{idle[0]}` is for rotated files: set `rotate_bytes` or `rotate_daily` as well"
            raise ValueError(msg)
        if rotates and not CAN_LOCK:
            msg = "`rotate_bytes` and `rotate_daily` need file locks, which this platform has not"
            raise ValueError(msg)

    def is_due(self, status: os.stat_result, more: int) -> bool:
        """Say whether a file is to be rotated before `more` bytes are appended to it.

        The day of a file is that of its last write, so that no process has to remember it.
        """
        if not status.st_size:
            return False
        if self.rotate_bytes is not None and status.st_size + more > self.rotate_bytes:
            return True
        return self.rotate_daily and _day(status.st_mtime) < _day(self.clock())

    def rename(self, path: Path) -> None:
        """Give the file the name of a rotated one.

        Raises:
            OSError: It cannot be renamed, or the name is a link, such as `/dev/stdout`.
        """
        if path.is_symlink():
            msg = f"`{path}` is a link to the file"
            raise OSError(msg)
        path.rename(next_rotated_file(path, self.clock(), rotated_files(path)).plain)

    def tidy(self, path: Path) -> None:
        """Remove the rotated files that are too many, and compress the others."""
        files = rotated_files(path)
        kept = files if self.keep is None else files[-self.keep :]
        for file in files[: len(files) - len(kept)]:
            for name in (file.plain, file.compressed, file.unfinished):
                name.unlink(missing_ok=True)
        if self.compress:
            for file in kept:
                _compress(file)


def _day(seconds: float) -> int:
    return int(seconds // _SECONDS_PER_DAY)


def _compress(file: RotatedFile) -> None:
    """Replace a file by its compressed form, unless another process is at it."""
    with suppress(FileNotFoundError), file.plain.open("rb") as plain:
        if not _is_left_alone(plain.fileno()) or not file.plain.exists():
            return
        try:
            _write_compressed(plain, file.unfinished)
            # At no moment is there neither; readers prefer the plain file while there are both.
            file.unfinished.rename(file.compressed)
            file.plain.unlink()
        except BaseException:
            file.unfinished.unlink(missing_ok=True)
            raise
        finally:
            release(plain.fileno())  # a forked child may have the descriptor, too


def _is_left_alone(fd: int) -> bool:
    """Lock a rotated file. A writer that still has it open is about to notice and close it."""
    for _ in range(_MOST_PAUSES):
        if try_exclusive(fd):
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def _write_compressed(plain: BinaryIO, path: Path) -> None:
    with _created(path) as file:
        with gzip.GzipFile("", "wb", _COMPRESSION_LEVEL, file, mtime=0) as stream:
            shutil.copyfileobj(plain, stream, _CHUNK_BYTES)
        file.flush()
        os.fsync(file.fileno())  # before the only other copy goes


def _created(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


class Housekeeping:
    """Tidy up beside the caller, in one thread at a time, which ends when there is nothing to do.

    What a killed process left undone is done at the next rotation.
    """

    def __init__(self, rotation: Rotation, path: Path) -> None:
        """Remember what to do; no thread is started before the first rotation."""
        self._rotation = rotation
        self._path = path
        self._lock = threading.RLock()  # a signal handler may record, too
        self._thread: threading.Thread | None = None
        self._asked = False

    def ask(self) -> None:
        """Have the rotated files tidied up soon."""
        if self._rotation.keep is None and not self._rotation.compress:
            return
        with self._lock:
            self._asked = True
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="audit-housekeeping", daemon=True)
                with suppress(RuntimeError):  # a program that ends starts no more threads
                    thread.start()
                    self._thread = thread

    def wait(self) -> None:
        """Return when everything asked for is done."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while self._is_asked():
            try:
                self._rotation.tidy(self._path)
            except OSError as exc:
                _logger.warning("rotated audit files cannot be compressed or removed: %s", exc)

    def _is_asked(self) -> bool:
        with self._lock:
            asked, self._asked = self._asked, False
            if not asked:
                self._thread = None
            return asked
