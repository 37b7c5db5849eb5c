"""The vocabulary of rate limits, and the generic cell rate algorithm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = [
    "ROUNDING_SECONDS",
    "Demand",
    "Denial",
    "Grant",
    "denied",
    "others_wait",
    "virtual_schedule",
]

ROUNDING_SECONDS = 2e-6
"""Shorter waits count as none: they come from rounding times to microseconds since 1970."""


class Demand(NamedTuple):
    """An amount of something limited."""

    name: str
    """What is limited, such as `requests` or `tokens`."""
    amount: float
    per_second: float
    """Rate at which it comes back."""
    burst: float
    """How much may be taken at once after a quiet time."""


class Grant(NamedTuple):
    """Room was taken."""

    wait_seconds: float
    """How long to wait before going on. The turn is kept meanwhile."""
    turn: float = 0.0
    """When that is by the store's own time, where there is a wait."""


class Denial(NamedTuple):
    """No room, and nothing was taken."""

    name: str
    """The limit that had the least room."""
    retry_after: float | None
    """Seconds until it has; `None` if the demand is more than the limit ever holds."""


def virtual_schedule(arrival: float, demand: Demand, now: float) -> tuple[float, float]:
    """Return when a demand may go, in seconds from now, and the next theoretical arrival time.

    What could have gone some time ago may go at once: the seconds are negative or zero.

    The generic cell rate algorithm in its virtual scheduling form (ITU-T I.371, annex A): one
    number per limit, the time at which it would be idle again. Unlike a polled bucket it gives
    the exact wait, so that a caller sleeps once and turns are kept in order.
    """
    _, amount, per_second, burst = demand
    begins = arrival if arrival > now else now  # noqa: FURB136  (`max` is slow, this is not)
    after = begins + amount / per_second
    wait = after - burst / per_second - now
    return 0.0 if 0.0 < wait <= ROUNDING_SECONDS else wait, after


def denied(demand: Demand, wait_seconds: float, max_wait_seconds: float) -> Denial:
    """Build the denial of a demand that would have to wait too long."""
    hopeless = (demand.amount - demand.burst) / demand.per_second > max_wait_seconds
    return Denial(demand.name, None if hopeless else wait_seconds - max_wait_seconds)


def others_wait(
    arrivals: Iterable[float], demands: Iterable[Demand], turn: float, now: float
) -> bool:
    """Say whether somebody has a turn to come that is not this one, by their arrival times.

    There is one number per limit, and it tells the last turn only. Moved back while others have
    one behind this, it would give theirs away a second time.
    """
    pairs = zip(arrivals, demands, strict=True)
    last = max((at - demand.burst / demand.per_second for at, demand in pairs), default=now)
    return last - now > ROUNDING_SECONDS and abs(last - turn) > ROUNDING_SECONDS
