"""Calling the handlers that LangChain gives to middleware.

A handler takes no config: what it calls finds the callbacks, tags and metadata of the run in the
context.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    ensure_config,
    set_config_context,
    var_child_runnable_config,
)

__all__ = ["acall_handler", "call_handler"]

Request = TypeVar("Request")
Response = TypeVar("Response")


def call_handler(
    handler: Callable[[Request], Response], request: Request, config: RunnableConfig | None
) -> Response:
    """Call a handler with `config` in the context."""
    with set_config_context(ensure_config(config)) as context:
        return context.run(handler, request)


async def acall_handler(
    handler: Callable[[Request], Awaitable[Response]],
    request: Request,
    config: RunnableConfig | None,
) -> Response:
    """Await a handler with `config` in the context, in the task of the caller."""
    token = var_child_runnable_config.set(ensure_config(config))
    try:
        return await handler(request)
    finally:
        var_child_runnable_config.reset(token)
