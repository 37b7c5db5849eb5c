"""Retries below ours, which multiply with them."""

from __future__ import annotations

import warnings
from typing import Any

from langchain_core.runnables import Runnable
from langchain_core.runnables.retry import RunnableRetry
from pydantic import BaseModel

__all__ = ["nested_retries", "warn_of_nested_retries"]


def nested_retries(runnable: Any) -> int:
    """Return how often one call of a Runnable may be repeated below us.

    Counts `max_retries` of the models in it, that of their SDK's client where they leave it to the
    SDK, and `with_retry`. Three layers of three attempts are 27 calls, not nine: put
    `max_retries=0` on the model and let one layer retry.
    """
    below = max((nested_retries(part) for part in _parts(runnable)), default=0)
    if isinstance(runnable, RunnableRetry):
        return (below + 1) * runnable.max_attempt_number - 1
    return max(below, _own_retries(runnable))


def warn_of_nested_retries(runnable: Runnable[Any, Any], *, stacklevel: int = 2) -> None:
    """Warn if a Runnable retries by itself.

    Args:
        runnable: What is about to be retried.
        stacklevel: Whose line the warning names; 2 is the caller of this function.
    """
    if times := nested_retries(runnable):
        msg = (
            f"`{runnable.get_name()}` repeats a failed call up to {times} times by itself, and "
            "every attempt made here would do so again: set `max_retries=0` on the model"
        )
        warnings.warn(msg, UserWarning, stacklevel=stacklevel + 1)


def _own_retries(model: Any) -> int:
    sdk_client = getattr(model, "root_client", None)
    candidates = (getattr(model, "max_retries", None), getattr(sdk_client, "max_retries", None))
    own = next((n for n in candidates if isinstance(n, int)), 0)
    return max(0, own)


def _parts(value: Any) -> list[Any]:
    """Return the Runnables that a Runnable is made of."""
    if not (isinstance(value, Runnable) and isinstance(value, BaseModel)):
        return []
    parts: list[Any] = []
    for name in type(value).model_fields:
        field = getattr(value, name)
        members = list(field.values()) if isinstance(field, dict) else field
        parts += members if isinstance(members, list | tuple) else [members]
    return [part for part in parts if isinstance(part, Runnable)]
