"""How grave a finding is."""

from __future__ import annotations

from typing import Literal

__all__ = ["Severity", "severity_of"]

Severity = Literal["low", "medium", "high"]


def severity_of(probability: float, *, medium: float, high: float) -> Severity:
    """Grade the probability of an attack by those from which on a finding is more than low."""
    if probability >= high:
        return "high"
    return "medium" if probability >= medium else "low"
