"""Processes that take turns on a virtual clock, so that an hour takes a second."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Generator, Iterable

from langchain_control.testing import ManualClock

__all__ = ["Process", "pass_time"]

Process = Generator[float, None, None]
"""Yields the seconds that it sleeps."""


def pass_time(processes: Iterable[Process], clock: ManualClock, *, until: float) -> None:
    """Let each process sleep for what it yields, in order of time, to its end or until a time."""
    order = itertools.count()
    agenda = [(clock(), next(order), process) for process in processes]
    heapq.heapify(agenda)
    while agenda:
        time, _, process = heapq.heappop(agenda)
        if time > until:
            return
        clock.advance(time - clock())
        seconds = next(process, None)
        if seconds is not None:
            heapq.heappush(agenda, (time + seconds, next(order), process))
