"""Objects that begin anew in a forked child."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet

__all__ = ["renew_in_children"]


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


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_renew)
