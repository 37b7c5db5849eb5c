"""A call that falls back to a plainer one where the provider will not take it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, closing
from typing import Any, cast

from langchain_core.exceptions import ModelAuthenticationError
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

    def __init__(
        self,
        preferred: Runnable[Any, Any],
        otherwise: Runnable[Any, Any],
        refusals: frozenset[FailureMode] = frozenset({FailureMode.MODEL_REJECTED}),
    ) -> None:
        """Take the better way, the one that is known to work, and what a refusal is."""
        self._preferred, self._otherwise, self._refusals = preferred, otherwise, refusals

    @property
    def parts(self) -> tuple[Any, ...]:
        """What it is made of, for `parts_of`."""
        return self._preferred, self._otherwise

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Ask the model."""
        try:
            return self._preferred.invoke(input, config, **kwargs)
        except Exception as exc:
            if not self._is_refusal(exc):
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
            if not self._is_refusal(exc):
                raise
            log_failure("the better way of asking", exc)
        return await self._otherwise.ainvoke(input, config, **kwargs)

    def stream(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Ask the model, and hand on what arrives. A refusal comes before anything else."""
        has_begun = False
        stream = cast("Generator[Any, None, None]", self._preferred.stream(input, config, **kwargs))
        try:
            with closing(stream):
                for chunk in stream:
                    has_begun = True
                    yield chunk
        except Exception as exc:
            if has_begun or not self._is_refusal(exc):
                raise
            log_failure("the better way of asking", exc)
        else:
            return
        yield from self._otherwise.stream(input, config, **kwargs)

    async def astream(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Ask the model, and hand on what arrives. A refusal comes before anything else."""
        has_begun = False
        stream = cast("AsyncGenerator[Any, None]", self._preferred.astream(input, config, **kwargs))
        try:
            async with aclosing(stream):
                async for chunk in stream:
                    has_begun = True
                    yield chunk
        except Exception as exc:
            if has_begun or not self._is_refusal(exc):
                raise
            log_failure("the better way of asking", exc)
        else:
            return
        stream = cast("AsyncGenerator[Any, None]", self._otherwise.astream(input, config, **kwargs))
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    def _is_refusal(self, exc: Exception) -> bool:
        """Whether asking differently may help; after an authentication error it does not."""
        is_unauthenticated = isinstance(exc, ModelAuthenticationError)
        return classify(exc) in self._refusals and not is_unauthenticated
