"""Whether an open file still has its name."""

from __future__ import annotations

import os

__all__ = ["has_name"]


def has_name(status: os.stat_result, name: str) -> bool:
    """Whether a file, by its `fstat`, is the one of that name: it may be moved or deleted."""
    try:
        named = os.stat(name)  # noqa: PTH116  (a third of the time, for each record)
    except FileNotFoundError:
        return False
    return named.st_ino == status.st_ino and named.st_dev == status.st_dev
