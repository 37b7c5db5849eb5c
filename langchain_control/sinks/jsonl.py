"""An append-only file of JSON Lines that several threads and processes may write."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from langchain_control._json import dumps
from langchain_control._per_process import PerProcess
from langchain_control.events import EventName
from langchain_control.sinks.appended_file import AppendedFile
from langchain_control.sinks.rotation import Rotation
from langchain_control.trail.lines import LONGEST_LINE_BYTES

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord

__all__ = ["Fsync", "JsonlSink"]

MAX_LINE_BYTES = 8192
"""Small enough that a killed writer hardly ever leaves half a line: two pages of memory."""

Fsync = Literal["never", "record", "request"]
"""When to wait for the disk: never, after each record, or after the last one of a request."""

_ENDS = frozenset({EventName.FINISHED.value, EventName.CUT_OFF.value})


class JsonlSink:
    """Append each record to a file as one line of JSON, in one write.

    Nothing is touched on disk before the first record. The file is created for its owner alone;
    missing directories are created too. Records survive the kill of the process that wrote them,
    as the operating system has them; a power cut may take the last seconds, unless `fsync` says
    otherwise.

    Threads share the sink; processes each open the same path. On a network file system appending
    is not atomic: give each process its own file there.

    !!! example "At most about 1 GB, a file a day or more, older ones compressed"

        ```python
        sink = JsonlSink(
            "audit.jsonl", rotate_bytes=100_000_000, rotate_daily=True, keep=10, compress=True
        )
        ```
    """

    def __init__(  # noqa: PLR0913  (settings, by keyword)
        self,
        path: str | os.PathLike[str],
        *,
        max_line_bytes: int = MAX_LINE_BYTES,
        rotate_bytes: int | None = None,
        rotate_daily: bool = False,
        keep: int | None = None,
        compress: bool = False,
        fsync: Fsync = "never",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Remember where to write.

        Args:
            path: The file. A relative path is taken from the current directory, now.
            max_line_bytes: Longer records have their longest fields cut and named in `truncated`.
            rotate_bytes: Begin a new file when this one would grow beyond this size. The old one
                is renamed after the moment: `audit-20261123T170501.123456Z.jsonl`. `None` lets it
                grow.
            rotate_daily: Begin a new file with the first record of a day, in UTC.
            keep: How many rotated files are kept; older ones are removed. `None` keeps all.
            compress: Compress rotated files with gzip, in a thread of their own.
            fsync: Wait for the disk after each `record`, or when a `request` has ended. Waiting
                takes milliseconds, in async code of the event loop.
            clock: Seconds since the epoch, for `rotate_daily` and the names of rotated files.

        Raises:
            ValueError: A setting is out of its range, or has nothing to work on.
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
        if fsync not in get_args(Fsync):
            msg = f"`fsync` must be one of {', '.join(get_args(Fsync))}, got {fsync!r}"
            raise ValueError(msg)
        self.path = Path(path).absolute()
        self.max_line_bytes = max_line_bytes
        self.fsync: Fsync = fsync
        self._rotation = Rotation(
            rotate_bytes=rotate_bytes,
            rotate_daily=rotate_daily,
            keep=keep,
            compress=compress,
            clock=clock,
        )
        self._file = PerProcess(self._new_file)

    def write(self, record: AuditRecord) -> None:
        """Append one record.

        Raises:
            OSError: The record is not in the file, or not whole, or perhaps not on the disk.
        """
        is_last = self.fsync == "request" and record["event"] in _ENDS
        line = _line(record, self.max_line_bytes)
        self._file.get().append(line, sync=is_last or self.fsync == "record")

    def close(self) -> None:
        """Close the file, once rotated ones are compressed. A later `write` opens it again."""
        self._file.get().close()

    def _new_file(self) -> AppendedFile:
        return AppendedFile(self.path, self._rotation, durable=self.fsync != "never")

    def __enter__(self) -> Self:
        """Return the sink."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the file."""
        self.close()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that differ from their defaults."""
        values = {**asdict(self._rotation), **vars(self)}
        return {
            name: values[name]
            for name, parameter in signature(type(self)).parameters.items()
            if name != "path" and values[name] != parameter.default
        }

    def __repr__(self) -> str:
        """Show the path, and the settings."""
        settings = "".join(f", {name}={value!r}" for name, value in self.settings.items())
        return f"JsonlSink({str(self.path)!r}{settings})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the settings: the copy opens the file for itself."""
        return partial(JsonlSink, str(self.path), **self.settings), ()


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
        if name not in _NEVER_CUT and isinstance(value, str | list | dict) and value
    }
    if not sizes:
        msg = "a record is too long, and none of its texts can be cut"
        raise ValueError(msg)
    name = max(sizes, key=sizes.__getitem__)
    kept = int(len(fields[name]) * max(0, sizes[name] - excess) / sizes[name])
    value, length = fields[name], min(kept, len(fields[name]) - 1)
    fields[name] = dict([*value.items()][:length]) if isinstance(value, dict) else value[:length]
    fields["truncated"] = [*dict.fromkeys([*fields.get("truncated", ()), name])]
    return fields
