"""Which circuit to forget when there are too many."""

from __future__ import annotations

from typing import Protocol, TypeVar

__all__ = ["Forgettable", "to_forget"]


class Forgettable(Protocol):
    """What a store keeps for a key."""

    used: bool
    """Whether it was asked for since it was last passed over."""

    @property
    def is_closed(self) -> bool:
        """Whether there is nothing in it worth remembering."""


Kept = TypeVar("Kept", bound=Forgettable)


def to_forget(kept: dict[str, Kept]) -> str:
    """Choose by second chance: as good as least recently used, without a lock on every use.

    Closed circuits go first. What is passed over moves to the end of `kept`.
    """
    for _ in range(2 * len(kept)):
        key, value = next(iter(kept.items()))
        if not value.used and value.is_closed:
            return key
        value.used = False
        kept[key] = kept.pop(key)
    return next(iter(kept))
