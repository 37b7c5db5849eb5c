"""Values that each process builds for itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PerProcess"]

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Hold one value per process: a forked child builds its own.

    A child inherits locks as they were at the fork, held by threads it does not have. Whatever
    lives behind a lock or owns a file descriptor is therefore asked for through `get`.
    """

    def __init__(self, build: Callable[[], T]) -> None:
        """Remember how to build the value; nothing is built before the first `get`."""
        self._build = build
        self._by_pid: dict[int, T] = {}

    def get(self) -> T:
        """Return this process's value, the same to all of its threads."""
        pid = os.getpid()
        value = self._by_pid.get(pid)
        return self._adopt(pid) if value is None else value

    def _adopt(self, pid: int) -> T:
        # `setdefault` is atomic, so that no lock is needed that a fork could leave held.
        value = self._by_pid.setdefault(pid, self._build())
        for other in list(self._by_pid):
            if other != pid:
                self._by_pid.pop(other, None)
        return value
