"""A call that falls back to a plainer one where the provider will not take it."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from langchain_control.errors import classify
from langchain_control.errors.logged import log_failure
from langchain_control.outcomes import FailureMode

__all__ = ["UnlessRefused"]


class UnlessRefused(Runnable[Any, Any]):
    """Ask in one way, and in another if the provider refuses the request as such.

    Clients of many servers have a schema mode whether their server has one or not; only the server
    can tell. A refused request is not paid for.
    """

    def __init__(self, preferred: Runnable[Any, Any], otherwise: Runnable[Any, Any]) -> None:
        """Take the better way and the one that is known to work."""
        self._preferred, self._otherwise = preferred, otherwise

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Ask the model."""
        try:
            return self._preferred.invoke(input, config, **kwargs)
        except Exception as exc:
            if classify(exc) is not FailureMode.MODEL_REJECTED:
                raise
            log_failure("the better way of asking", exc)
        return self._otherwise.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        """Ask the model."""
        try:
            return await self._preferred.ainvoke(input, config, **kwargs)
        except Exception as exc:
            if classify(exc) is not FailureMode.MODEL_REJECTED:
                raise
            log_failure("the better way of asking", exc)
        return await self._otherwise.ainvoke(input, config, **kwargs)
