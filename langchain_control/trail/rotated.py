"""The files that an audit file was rotated into, as their names tell."""

from __future__ import annotations

import gzip
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RotatedFile", "next_rotated_file", "opened", "rotated_files", "snapshot"]

_COMPRESSED = ".gz"

_STAMP_FORMAT = "%Y%m%dT%H%M%S.%fZ"
_STAMP = r"\d{8}T\d{6}\.\d{6}Z"

_LOOKS = 100


@dataclass(frozen=True, slots=True, order=True)
class RotatedFile:
    """One rotated file. It keeps its name for good, apart from `.gz` once it is compressed."""

    stamp: str
    """When it was rotated, in UTC. Later stamps sort higher."""
    plain: Path
    """Its name while it is not compressed."""

    @property
    def compressed(self) -> Path:
        """Its name once it is compressed."""
        return self.plain.with_name(self.plain.name + _COMPRESSED)

    @property
    def unfinished(self) -> Path:
        """Where its compressed form grows, or was left by a process that was killed."""
        return self.plain.with_name(f"{self.plain.name}{_COMPRESSED}.part")

    def open(self) -> IO[bytes] | None:
        """Open for reading whichever form there is; `None` if it was removed."""
        return opened(self.plain) or opened(self.compressed)


def rotated_files(path: Path) -> list[RotatedFile]:
    """List what a file was rotated into, oldest first."""
    stem, suffix = re.escape(path.stem), re.escape(path.suffix)
    name = re.compile(rf"{stem}-({_STAMP}){suffix}(?:{re.escape(_COMPRESSED)})?")
    try:
        names = [found.name for found in os.scandir(path.parent)]
    except FileNotFoundError:
        return []
    stamps = {match[1] for match in map(name.fullmatch, names) if match}
    return [_rotated(path, stamp) for stamp in sorted(stamps)]


def next_rotated_file(path: Path, now: float, others: Sequence[RotatedFile]) -> RotatedFile:
    """Name the next one so that it sorts behind the others, even if the clock was set back."""
    moment = datetime.fromtimestamp(now, UTC)
    if others:
        last = datetime.strptime(others[-1].stamp, _STAMP_FORMAT).replace(tzinfo=UTC)
        moment = max(moment, last + timedelta(microseconds=1))
    return _rotated(path, moment.strftime(_STAMP_FORMAT))


def opened(path: Path) -> IO[bytes] | None:
    """Open a regular file for reading; reading a pipe or a terminal would wait forever."""
    try:
        if not path.is_file():
            return None
        if path.suffix == _COMPRESSED:
            return cast("IO[bytes]", gzip.open(path))
        return path.open("rb")
    except FileNotFoundError:
        return None


def snapshot(path: Path) -> tuple[IO[bytes] | None, list[RotatedFile]]:
    """Open a file, and list what it was rotated into until then: all records are in one of them.

    The list is made last, so that a file rotated in between is found twice instead of not at all,
    and twice is noticed.
    """
    for _ in range(_LOOKS):
        file = opened(path)
        rotated = rotated_files(path)
        if file is None or _has_name(file, path):
            break
        file.close()
    else:
        file = None  # rotated all the time: what is in the list will do
    return file, rotated


def _has_name(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _rotated(path: Path, stamp: str) -> RotatedFile:
    return RotatedFile(stamp, path.with_name(f"{path.stem}-{stamp}{path.suffix}"))
