"""How many retries all requests together may make.

A limit of attempts bounds what one request costs; it does not bound what an outage costs: with
three attempts, every request triples just when the provider can bear it least. A budget shared by
all requests does. It is a stock, not a ratio: successes fill it, retries draw on it, so that a
brown-out with many successes is retried freely, and a total failure runs dry after a while.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from langchain_control._at_fork import renew_in_children
from langchain_control._shared import Shared

__all__ = ["RetryBudget"]


class RetryBudget(Shared):
    """A stock of retries, shared by all requests of a process.

    The scheme and its figures are those of the AWS SDKs' standard retry mode: 500 tokens, 5 for a
    retry, given back when that retry succeeds, and 1 earned by each success at the first attempt.

    Breakers open on an outage sooner than the stock runs dry; the budget is for what no breaker
    sees, such as many models that fail a little. A forked child begins with a full stock.
    """

    def __init__(
        self, capacity: float = 500, *, retry_cost: float = 5, success_gain: float = 1
    ) -> None:
        """Start full.

        Args:
            capacity: Most that can be in stock.
            retry_cost: What a retry draws.
            success_gain: What a success at the first attempt earns.

        Raises:
            ValueError: No retry could ever be paid for, or something is negative.
        """
        if not (retry_cost > 0 and success_gain >= 0 and capacity >= retry_cost):
            msg = (
                f"`capacity` ({capacity:g}) must pay for at least one retry of `retry_cost` "
                f"({retry_cost:g}), which must be positive, and `success_gain` "
                f"({success_gain:g}) must not be negative"
            )
            raise ValueError(msg)
        self.capacity, self.retry_cost, self.success_gain = capacity, retry_cost, success_gain
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._stock = float(self.capacity)
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """What is in stock."""
        return self._stock

    def spend(self) -> bool:
        """Pay for one retry, or return `False` if the stock does not allow it."""
        with self._lock:
            if self._stock < self.retry_cost:
                return False
            self._stock -= self.retry_cost
            return True

    def succeeded(self, *, retries: int = 0) -> None:
        """Tell of a success, after so many retries.

        A success at the first attempt earns a little; one after retries gives back what the last
        of them cost, as those before it were in vain.
        """
        if self._stock >= self.capacity:
            return  # full, which is the usual case: no lock
        gain = self.retry_cost if retries else self.success_gain
        with self._lock:
            self._stock = min(self.capacity, self._stock + gain)

    def __repr__(self) -> str:
        """Show the stock."""
        return f"RetryBudget(left={self._stock:g}, capacity={self.capacity:g})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a full stock: what was spent belongs to its process."""
        rebuild = partial(
            RetryBudget, self.capacity, retry_cost=self.retry_cost, success_gain=self.success_gain
        )
        return rebuild, ()
