"""An answer from a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.runnables.utils import is_async_callable

from langchain_control._effects import AsyncInSyncCallError

if TYPE_CHECKING:
    from langchain_control.strategies import FallbackRequest

__all__ = ["answers_at_once", "from_function", "is_strategy"]

_MOST_ARGUMENTS = 2


def is_strategy(function: Any) -> bool:
    """Whether something is a function of the question, or of the question and the request."""
    return callable(function) and _arguments_taken(function) is not None


def answers_at_once(function: Any) -> bool:
    """Whether a strategy says that it waits for nothing, so that its answer needs no time limit.

    One that is async may wait, whatever it says.
    """
    return bool(getattr(function, "answers_at_once", False)) and not is_async_callable(function)


def from_function(function: Callable[..., Any], name: str) -> Runnable[FallbackRequest, Any]:
    """Return a function, sync or async, as a Runnable that answers a request.

    A second argument is filled with the request only where the function requires one. In an async
    call a sync function runs in a thread, unless it answers at once: what blocks in it holds up
    nobody else.
    """
    takes = _arguments_taken(function) or _MOST_ARGUMENTS

    def ask(request: FallbackRequest) -> Any:
        return function(*(request.question, request)[:takes])

    async def ask_async(request: FallbackRequest) -> Any:
        return await function(*(request.question, request)[:takes])

    async def ask_here(request: FallbackRequest) -> Any:
        return ask(request)

    if is_async_callable(function):
        return RunnableLambda(_refuse, ask_async, name=name)
    if answers_at_once(function):
        return RunnableLambda(ask, ask_here, name=name)
    return RunnableLambda(ask, name=name)


def _refuse(_: FallbackRequest) -> Any:
    raise AsyncInSyncCallError


def _arguments_taken(function: Callable[..., Any]) -> int | None:
    """Return how many arguments to give to a strategy, `None` if it takes neither one nor two."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some builtins have no signature
        return 1
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    by_name = any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters)
    required = sum(p.default is p.empty for p in positional)
    if by_name or required > _MOST_ARGUMENTS or not (positional or variadic):
        return None
    return max(1, required)
