"""The least of several limits, some of which may not be set."""

from __future__ import annotations

from typing import overload

__all__ = ["least"]


@overload
def least(first: float, /, *others: float | None) -> float: ...


@overload
def least(*limits: float | None) -> float | None: ...


def least(*limits: float | None) -> float | None:
    """Return the least of those that are not `None`, or `None` if all are."""
    return min((limit for limit in limits if limit is not None), default=None)
