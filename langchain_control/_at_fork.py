"""Objects that begin anew in a forked child, and locks that a fork waits for."""

from __future__ import annotations

import os
import threading
import time
from contextlib import AbstractContextManager
from typing import Any, Protocol
from weakref import WeakSet

__all__ = ["ForkSafeLock", "Lock", "hold_over_forks", "renew_in_children"]

MAX_WAIT_SECONDS = 3.0
"""How long a fork waits for all locks together: work that hangs must not hang the program."""


class _Renewable(Protocol):
    def _begin(self) -> None:
        """Take the state of a new object: locks of its own, and no call under way."""


_renewables: WeakSet[_Renewable] = WeakSet()


def renew_in_children(owner: _Renewable) -> None:
    """Have an object begin anew in every child that is forked while it lives.

    A child inherits what other threads were about at the fork, but not those threads: a lock they
    held stays locked, a place they had stays taken, and what they were changing is half changed.
    Unlike `PerProcess` it costs nothing where the object is used.
    """
    _renewables.add(owner)


def _renew() -> None:
    for owner in list(_renewables):
        owner._begin()  # noqa: SLF001  (part of the protocol, and nobody else's business)


class Lock(AbstractContextManager[Any], Protocol):
    """What is used of a lock."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool:  # noqa: FBT001  (as in `threading`)
        """Take it, if it is free in time."""

    def release(self) -> None:
        """Give it back."""


_locks: WeakSet[Lock] = WeakSet()
_held: list[Lock] = []
_forking = threading.Lock()
"""Taken first, so that two forks at a time do not each hold what the other waits for."""


def hold_over_forks(lock: Lock) -> None:
    """Have forks wait, within reason, until a lock is free.

    For work that a child must not inherit half done, though nothing of it is the child's.
    """
    _locks.add(lock)


def _hold() -> None:
    _forking.acquire()
    ends = time.monotonic() + MAX_WAIT_SECONDS
    _held.extend(
        lock for lock in list(_locks) if lock.acquire(timeout=max(0.0, ends - time.monotonic()))
    )


def _let_go() -> None:
    while _held:
        _held.pop().release()
    _forking.release()


def _begin_anew() -> None:
    _let_go()
    _locks.clear()  # those of the parent; one that was not free stays so here
    _renew()


class ForkSafeLock(AbstractContextManager[None]):
    """A re-entrant lock that forks wait for, within reason, and that every child has to itself.

    For what is made once and then kept, such as a model that is loaded. The wait is for modules
    that are imported meanwhile: a child whose parent was importing one can never import it.
    """

    def __init__(self) -> None:
        """Make a lock that is free."""
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        hold_over_forks(self._lock)

    def __enter__(self) -> None:
        """Take it."""
        self._lock.acquire()

    def __exit__(self, *exc_info: object) -> None:
        """Give it back."""
        self._lock.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_begin_anew)
