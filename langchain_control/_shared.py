"""Objects that copies of a policy share."""

from __future__ import annotations

from typing import Any, Self

__all__ = ["Shared"]


class Shared:
    """Stays the same object in every copy: counters, files and connections have no twin."""

    __slots__ = ()

    def __copy__(self) -> Self:
        """Copy as the same object."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy as the same object."""
        return self
