"""What to do after a failed attempt: the remedies, their corrections, and what bounds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_control._on_demand import on_demand

if TYPE_CHECKING:
    from langchain_control.retries.budget import RetryBudget
    from langchain_control.retries.usage_limits import UsageLimits

__all__ = ["RetryBudget", "UsageLimits"]

__getattr__ = on_demand(__name__, {"RetryBudget": "budget", "UsageLimits": "usage_limits"})
