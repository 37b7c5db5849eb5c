"""Two tools that an agent in an office can use."""

from __future__ import annotations

from datetime import date
from typing import Literal

from langchain_core.tools import ToolException, tool

__all__ = ["convert_length", "days_between"]

_METRES = {"m": 1.0, "km": 1000.0, "ft": 0.3048, "mi": 1609.344}

Unit = Literal["m", "km", "ft", "mi"]


@tool
def days_between(start: date, end: date) -> int:
    """Count the days from one date to another. Dates are written as YYYY-MM-DD."""
    if end < start:
        msg = "`end` comes before `start`; swap them"
        raise ToolException(msg)
    return (end - start).days


@tool
def convert_length(amount: float, unit: Unit, into: Unit) -> float:
    """Convert a length from one unit into another."""
    return round(amount * _METRES[unit] / _METRES[into], 3)
