"""What was spent, for people to read."""

from __future__ import annotations

__all__ = ["as_cost"]

_PLACES = 6
"""A call of a small model costs some millionths of a currency's unit."""


def as_cost(amount: float) -> str:
    """Return an amount of whatever currency the policy's prices are in."""
    digits = f"{amount:,.{_PLACES}f}"
    return digits.rstrip("0").rstrip(".")
