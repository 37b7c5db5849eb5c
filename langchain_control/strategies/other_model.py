"""An answer from another model."""

from __future__ import annotations

from typing import Any, Protocol

from langchain_core.runnables import Runnable
from langchain_core.runnables.base import coerce_to_runnable

__all__ = ["other_model"]


class Wraps(Protocol):
    """Whatever surrounds a Runnable: a `CircuitBreaker`, a `RetryEngine`."""

    def wrap(self, runnable: Any) -> Runnable[Any, Any]:
        """Return `runnable` under its care."""


def other_model(model: Any, *, breaker: Wraps | None = None) -> Runnable[Any, Any]:
    """Return a model as a strategy, behind a breaker of its own.

    A fallback fails, too: without a breaker every request of an outage would wait for its timeout.

    Args:
        model: A chat model or any Runnable that takes messages. It gets the prompt that the first
            model got last.
        breaker: Its own circuit; one shared with the first model would be open already.
    """
    runnable = coerce_to_runnable(model)
    return runnable if breaker is None else breaker.wrap(runnable)
