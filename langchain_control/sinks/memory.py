"""The last records, in memory."""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_control.trail.index import AuditIndex
from langchain_control.trail.recent import RecentIds
from langchain_control.trail.reports import AuditReports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_control.events import AuditRecord
    from langchain_control.trail.summary import AuditSummary

__all__ = ["MemorySink"]


class MemorySink(AuditReports):
    """Keep the last records, and count all of them.

    For tests, notebooks and processes without a disk. Figures cover every record written; `records`
    and `story` only those still kept.
    """

    def __init__(self, *, max_records: int = 10_000) -> None:
        """Keep at most `max_records` records, the newest."""
        if max_records < 1:
            msg = f"`max_records` must be at least 1, got {max_records}"
            raise ValueError(msg)
        self.max_records = max_records
        self._lock = threading.RLock()
        self._records: deque[AuditRecord] = deque(maxlen=max_records)
        self._recent = RecentIds()
        self._index = AuditIndex()

    @property
    def records(self) -> tuple[AuditRecord, ...]:
        """The records still kept, oldest first."""
        with self._lock:
            return tuple(self._records)

    def write(self, record: AuditRecord) -> None:
        """Keep one record, at the expense of the oldest if there are too many."""
        with self._lock:
            if self._recent.is_new(record["id"]):
                self._index.add(record)
                self._records.append(record)

    def close(self) -> None:
        """Do nothing: the records stay readable."""

    def refresh(self) -> None:
        """Do nothing: every record came through here."""

    def summary(self) -> AuditSummary:
        """Sum up every record written."""
        return self._index.summary()

    def to_records(self) -> Iterator[AuditRecord]:
        """Iterate over copies of the records still kept, oldest first."""
        return (record.copy() for record in self.records)

    def __repr__(self) -> str:
        """Show how many of how many."""
        return f"MemorySink(max_records={self.max_records}, records={len(self._records)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle empty: records stay in the process that wrote them."""
        return partial(MemorySink, max_records=self.max_records), ()
