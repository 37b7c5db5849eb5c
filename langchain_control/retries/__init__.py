"""What to do after a failed attempt: the remedies, their corrections, and what bounds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_control._lazy_attributes import lazy_attributes

if TYPE_CHECKING:
    from langchain_control.retries.budget import RetryBudget
    from langchain_control.retries.usage_limits import UsageLimits

__all__ = ["RetryBudget", "UsageLimits"]

__getattr__ = lazy_attributes(__name__, {"RetryBudget": "budget", "UsageLimits": "usage_limits"})
