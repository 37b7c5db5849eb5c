"""The records in a file of JSON Lines, torn lines included."""

from __future__ import annotations

import gzip
import zlib
from typing import IO, TYPE_CHECKING, cast

from langchain_control._json import loads
from langchain_control.trail.ids import LONGEST_ID_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_control.events import AuditRecord

__all__ = ["LONGEST_LINE_BYTES", "lines", "parsed"]

LONGEST_LINE_BYTES = 1 << 20
"""Of longer lines only the end is looked at: no sink writes them."""

_START_OF_RECORD = b'{"id":"'
"""Occurs inside a record, where quotes are escaped, at most once: where metadata begin."""

_STARTS = 2
"""How many of these are tried: of a record's metadata, and of the record."""

_HALF_LINE = b"{"
"""Stands for what a damaged archive does not give back."""


def lines(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Iterate over lines and their sizes in the file; of a line too long only the end is kept."""
    try:
        while line := file.readline(LONGEST_LINE_BYTES):
            size = len(line)
            while not line.endswith(b"\n") and (more := file.readline(LONGEST_LINE_BYTES)):
                line, size = line[-LONGEST_LINE_BYTES:] + more, size + len(more)
            yield line, size
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield _HALF_LINE, 0


def parsed(line: bytes) -> tuple[AuditRecord | None, bool]:
    """Return the record of a line, and whether something in it was lost.

    A line may begin with what a killed process could not finish.
    """
    if line.isspace():
        return None, False
    if (record := _record(line)) is not None:
        return record, False
    start = len(line)
    for _ in range(_STARTS):
        start = line.rfind(_START_OF_RECORD, 1, start)
        if start < 0:
            break
        if (record := _record(line[start:])) is not None:
            return record, True
    return None, True


def _record(line: bytes) -> AuditRecord | None:
    try:
        value = loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    record_id, event = value.get("id"), value.get("event")
    has_id = isinstance(record_id, str) and len(record_id) <= LONGEST_ID_CHARS
    return cast("AuditRecord", value) if has_id and isinstance(event, str) else None
