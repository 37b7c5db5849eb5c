"""Eviction from memories that must not grow for ever."""

from __future__ import annotations

from typing import Any

__all__ = ["evict_oldest"]


def evict_oldest(kept: dict[Any, Any], most: int) -> None:
    """Drop the oldest entries of a memory that holds more than it may, some at a time.

    No lock is needed: each step is one operation of a `dict`.
    """
    if len(kept) > most:
        for oldest in list(kept)[: most // 10 + 1]:
            kept.pop(oldest, None)
