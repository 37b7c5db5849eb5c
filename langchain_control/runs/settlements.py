"""What rate limits hold for runs that may end more than once."""

from __future__ import annotations

from langchain_control._eviction import evict_oldest
from langchain_control.components.limiter import Reservation

__all__ = ["Settlements"]


class Settlements:
    """What is held for each run, after it has been settled in this process.

    A run that was cut off, or that raised, may be tried again from its checkpoint, where the whole
    reservation stands as if nothing of it had been given back.
    """

    def __init__(self, kept: int = 10_000) -> None:
        """Remember the newest `kept` runs."""
        self._kept = kept
        self._held: dict[tuple[str, float], float] = {}

    def settled(
        self, run: tuple[str, float], reservation: Reservation, used_tokens: float
    ) -> tuple[Reservation, float]:
        """Return what is still held for a run, and the token count to settle it with.

        Args:
            run: Its request id and its start, as ids may be used again.
            reservation: As it was taken.
            used_tokens: What the run has used. What an earlier end has settled is not given back.
        """
        held = self._held.pop(run, None)
        used = used_tokens if held is None else max(held, used_tokens)
        self._held[run] = used
        evict_oldest(self._held, self._kept)
        return (reservation if held is None else reservation._replace(tokens=held)), used
