"""An append-only file of JSON Lines that several threads and processes may write."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from langchain_control._json import dumps
from langchain_control._per_process import PerProcess
from langchain_control.trail.file import LONGEST_LINE_BYTES

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord

__all__ = ["JsonlSink"]

MAX_LINE_BYTES = 8192
"""Small enough that a killed writer hardly ever leaves half a line: two pages of memory."""

_OWNER_ONLY = 0o600

_LOOKS = 10

# `O_NONBLOCK` means nothing to a regular file; a full pipe fails the write instead of holding up
# the event loop, and detectors of blocking calls see that this one cannot block.
_FLAGS = (
    os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)


class JsonlSink:
    """Append each record to a file as one line of JSON, in one write.

    Nothing is touched on disk before the first record. The file is created for its owner alone;
    missing directories are created too. Records survive the kill of the process that wrote them,
    as the operating system has them; they are not forced to the disk, so a power cut may take the
    last seconds.

    Threads share the sink; processes each open the same path. On a network file system appending
    is not atomic: give each process its own file there.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, max_line_bytes: int = MAX_LINE_BYTES
    ) -> None:
        """Remember where to write.

        Args:
            path: The file. A relative path is taken from the current directory, now.
            max_line_bytes: Longer records have their longest fields cut and named in `truncated`.
        """
        if not os.fspath(path):
            msg = "`path` must name a file, got an empty string"
            raise ValueError(msg)
        if not _SHORTEST_LIMIT <= max_line_bytes <= LONGEST_LINE_BYTES:
            msg = (
                f"`max_line_bytes` must be between {_SHORTEST_LIMIT} and {LONGEST_LINE_BYTES}, "
                f"got {max_line_bytes}"
            )
            raise ValueError(msg)
        self.path = Path(path).absolute()
        self.max_line_bytes = max_line_bytes
        self._file = PerProcess(self._new_file)

    def write(self, record: AuditRecord) -> None:
        """Append one record.

        Raises:
            OSError: The record is not in the file, or not whole.
        """
        self._file.get().append(_line(record, self.max_line_bytes))

    def close(self) -> None:
        """Close the file. A later `write` opens it again."""
        self._file.get().close()

    def _new_file(self) -> _AppendedFile:
        return _AppendedFile(self.path)

    def __enter__(self) -> Self:
        """Return the sink."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the file."""
        self.close()

    def __repr__(self) -> str:
        """Show the path."""
        return f"JsonlSink({str(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the path: the copy opens the file for itself."""
        return _rebuild, (str(self.path), self.max_line_bytes)


def _rebuild(path: str, max_line_bytes: int) -> JsonlSink:
    return JsonlSink(path, max_line_bytes=max_line_bytes)


class _AppendedFile:
    """One process's descriptor of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Re-entrant, because a signal handler may write while its thread is writing.
        self._lock = threading.RLock()
        self._fd: int | None = None
        self._end_of_ours = -1

    def append(self, line: bytes) -> None:
        with self._lock:
            fd, status = self._open_locked()
            data = line if self._starts_line_locked(fd, status) else b"\n" + line
            written = os.write(fd, data)
            if written != len(data):
                # The rest in a second write could land inside another process's record.
                msg = f"short write: {written} of {len(data)} bytes reached `{self._path}`"
                raise OSError(msg)
            self._end_of_ours = status.st_size + written

    def close(self) -> None:
        with self._lock:
            fd, self._fd = self._fd, None
            if fd is not None:
                os.close(fd)

    def __del__(self) -> None:
        self.close()

    def _open_locked(self) -> tuple[int, os.stat_result]:
        if self._fd is not None:
            status = os.fstat(self._fd)
            if status.st_nlink:
                return self._fd, status
            self.close()  # the file was deleted: what goes there is lost
        self._fd = _open(self._path)
        self._end_of_ours = -1
        return self._fd, os.fstat(self._fd)

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


# --- from record to line ------------------------------------------------------------------------

_SHORTEST_LIMIT = 1024
_NEVER_CUT = frozenset({"id", "time", "event", "request_id", "truncated"})


def _line(record: AuditRecord, limit: int) -> bytes:
    """Encode a record in at most `limit` bytes.

    `id` comes first: where a torn line and the next one grew together, `{"id":"` marks the place
    from which a reader can save the second.
    """
    fields: dict[str, Any] = {"id": record["id"], **record}
    line = dumps(fields)
    while len(line) >= limit:
        line = dumps(_shortened(fields, len(line) + 1 - limit))
    return line + b"\n"


def _shortened(fields: dict[str, Any], excess: int) -> dict[str, Any]:
    """Cut the field that takes most room, by the excess if it can give that much."""
    sizes = {
        name: len(dumps(value))
        for name, value in fields.items()
        if name not in _NEVER_CUT and isinstance(value, str | list) and value
    }
    if not sizes:
        msg = "a record is too long, and none of its texts can be cut"
        raise ValueError(msg)
    name = max(sizes, key=sizes.__getitem__)
    kept = int(len(fields[name]) * max(0, sizes[name] - excess) / sizes[name])
    fields[name] = fields[name][: min(kept, len(fields[name]) - 1)]
    fields["truncated"] = [*dict.fromkeys([*fields.get("truncated", ()), name])]
    return fields
