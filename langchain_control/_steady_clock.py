"""Time since the epoch that runs steadily, whatever becomes of the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

__all__ = ["SteadyClock"]


class SteadyClock:
    """Seconds since the epoch, as the wall clock had them when this one was made.

    If the wall clock were corrected during a request, its deadline would come too early or late.
    Another process reads about the same time, so a deadline still holds where a run is resumed.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the clock.

        Args:
            wall: Seconds since the epoch; read once.
            steady: Seconds from any start.
        """
        self._steady = steady
        self._ahead = wall() - steady()

    def __call__(self) -> float:
        """Return the current time in seconds."""
        return self._steady() + self._ahead

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the time: every machine counts steady time from another start."""
        return SteadyClock, ()
