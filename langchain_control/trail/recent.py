"""Telling a record heard twice from a new one."""

from __future__ import annotations

from collections import OrderedDict

__all__ = ["RecentIds"]


class RecentIds:
    """Remember the last ids, and no more.

    The two copies of a record that was heard twice come close together, so a short memory is
    enough. Not thread-safe: the owner holds a lock.
    """

    def __init__(self, limit: int = 4096) -> None:
        """Remember `limit` ids."""
        self._limit = limit
        # Finding the oldest key of a `dict` takes a walk over the places of those deleted before.
        self._ids: OrderedDict[str, None] = OrderedDict()

    def is_new(self, record_id: str) -> bool:
        """Say whether the id is not among the last ones, and remember it."""
        if record_id in self._ids:
            return False
        self._ids[record_id] = None
        if len(self._ids) > self._limit:
            self._ids.popitem(last=False)
        return True

    def forget(self, record_id: str) -> None:
        """Make an id new again: its record could not be kept."""
        self._ids.pop(record_id, None)

    def copy(self) -> RecentIds:
        """Return one that remembers the same."""
        twin = RecentIds(self._limit)
        twin._ids = self._ids.copy()
        return twin
