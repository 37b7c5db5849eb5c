"""Which Runnables have no async implementation of their own."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.llms import BaseLLM
from langchain_core.runnables import Runnable, RunnableBinding, RunnableLambda

__all__ = ["is_sync_only"]


def is_sync_only(runnable: Runnable[Any, Any]) -> bool:
    """Say whether `ainvoke` would run `invoke` in the event loop's default executor.

    A call that hangs there keeps one of its few threads from everybody else, and the loop from
    closing.
    """
    match runnable:
        case RunnableBinding():
            return is_sync_only(runnable.bound)
        case RunnableLambda():
            return not hasattr(runnable, "afunc")
        case BaseChatModel():
            return _inherits(runnable, BaseChatModel, "_agenerate", "_astream")
        case BaseLLM():
            return _inherits(runnable, BaseLLM, "_agenerate", "_astream")
    return _inherits(runnable, Runnable, "ainvoke")


def _inherits(runnable: Any, base: type[Any], *methods: str) -> bool:
    return all(getattr(type(runnable), name) is getattr(base, name) for name in methods)
