"""Counts and times in records that anybody could have written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["number_in"]

_LARGEST_COUNT = 2**53


def number_in(record: Mapping[str, Any], key: str, default: float = 0) -> float:
    """Read a count or a time, whatever the file says."""
    value = record.get(key)
    if isinstance(value, int | float) and 0 <= value <= _LARGEST_COUNT:
        return value
    return default
