"""Retries with room for a longer answer, where the provider takes that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import Runnable

from langchain_control.models.settings import has_room
from langchain_control.models.unless_refused import UnlessRefused
from langchain_control.outcomes import FailureMode, PlannedRetry

__all__ = ["with_room"]

_REFUSALS = frozenset({FailureMode.MODEL_REJECTED, FailureMode.CONTEXT_OVERFLOW})
"""How providers refuse an answer limit that is too high, by itself or with the prompt."""


def with_room(
    model: Runnable[Any, Any],
    retry: PlannedRetry,
    drawn: Callable[[PlannedRetry], Runnable[Any, Any]],
) -> Runnable[Any, Any]:
    """Return a model with the answer limit of a retry, or the stated one if that is refused.

    What an answer may have at most is the server's to say: it depends on the model, and on how long
    the prompt is.

    Args:
        model: The model of the first attempt.
        retry: What was decided on.
        drawn: Makes the model for a retry.
    """
    factor = retry["answer_limit_factor"]
    larger = drawn(retry)
    if not has_room(model, factor):
        return larger
    return UnlessRefused(larger, drawn({**retry, "answer_limit_factor": 1.0}), _REFUSALS)
