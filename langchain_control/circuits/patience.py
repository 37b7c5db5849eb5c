"""Waiting for a call no longer than its circuit is closed."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["PatienceWhileClosed"]

LOOKS = 20
"""How often a late call looks, per `slow_seconds`, whether the circuit has opened meanwhile."""


class PatienceWhileClosed:
    """Say how long to wait for one call before asking again, or 0 to give it up.

    A call is waited for at least `slow_seconds`. Then it is reported once, and waited for as long
    as the circuit stays closed.
    """

    def __init__(
        self,
        slow_seconds: float,
        *,
        report: Callable[[], object],
        is_closed: Callable[[], bool],
    ) -> None:
        """Begin to wait.

        Args:
            slow_seconds: How long every call is waited for.
            report: Tells the circuit that the call is overdue.
            is_closed: Looks whether the circuit is still closed.
        """
        self._slow_seconds, self._report, self._is_closed = slow_seconds, report, is_closed
        self._has_begun = self._is_overdue = False

    def __call__(self) -> float:
        """Return the seconds to wait."""
        if not self._has_begun:
            self._has_begun = True
            return self._slow_seconds
        if not self._is_overdue:
            self._is_overdue = True
            self._report()
        return self._slow_seconds / LOOKS if self._is_closed() else 0.0
