"""The built-in rules, one family per module."""

from __future__ import annotations

from langchain_control.detectors.patterns import (
    exfiltration,
    leak,
    multilingual,
    override,
    persona,
    secrets,
    spoofing,
)

__all__ = ["RULES"]

RULES = (
    *override.RULES,
    *persona.RULES,
    *leak.RULES,
    *secrets.RULES,
    *spoofing.RULES,
    *exfiltration.RULES,
    *multilingual.RULES,
)
