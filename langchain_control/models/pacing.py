"""Rate limits that models wait for by themselves, in the time of our call."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from langchain_control.parts import parts_of

__all__ = ["warn_of_own_pacing"]


def warn_of_own_pacing(*runnables: Runnable[Any, Any] | None) -> None:
    """Warn of each Runnable in which a model has a `rate_limiter`.

    The wait is within the time limit of a call, so that a timeout may be nobody's but the
    limiter's, and opens the circuit of a provider that is well.

    Args:
        runnables: What is about to be called; `None` is skipped.
    """
    for runnable in runnables:
        names = ", ".join(dict.fromkeys(f"`{part.get_name()}`" for part in _paced(runnable)))
        if names:
            msg = (
                f"{names} waits for its `rate_limiter` within the time limit of a call, so that "
                "the wait may count as an outage: leave it out, and pace requests with the "
                "policy's `limiter`"
            )
            warnings.warn(msg, UserWarning, stacklevel=3)


def _paced(runnable: Any) -> Iterator[BaseChatModel]:
    if isinstance(runnable, BaseChatModel) and runnable.rate_limiter is not None:
        yield runnable
    for part in parts_of(runnable):
        yield from _paced(part)
