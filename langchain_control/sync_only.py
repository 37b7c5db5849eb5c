"""Which Runnables have no async implementation of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.llms import BaseLLM
from langchain_core.output_parsers import BaseLLMOutputParser
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableAssign,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnablePick,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase

from langchain_control.parts import names_parts, parts_of

__all__ = ["is_sync_only"]

_COMPOSITES = (
    RunnableAssign,
    RunnableBranch,
    RunnableParallel,
    RunnableSequence,
    RunnableWithFallbacks,
)


def is_sync_only(runnable: Runnable[Any, Any]) -> bool:
    """Say whether `ainvoke` would run `invoke` in the event loop's default executor.

    A call that hangs there keeps one of its few threads from everybody else, and the loop from
    closing. Something composite is sync-only if whatever it waits for is: beside an async part, a
    sync call of the whole would be another one.
    """
    waiting = [leaf for leaf in _leaves(runnable) if not _waits_for_nothing(leaf)]
    return bool(waiting) and all(map(_has_no_async, waiting))


def _leaves(runnable: Any) -> Iterator[Runnable[Any, Any]]:
    if isinstance(runnable, RunnableBindingBase):
        yield from _leaves(runnable.bound)  # and not the tools among its arguments
    elif isinstance(runnable, _COMPOSITES) or names_parts(runnable):
        for part in parts_of(runnable):
            yield from _leaves(part)
    else:
        yield runnable


def _waits_for_nothing(leaf: Any) -> bool:
    match leaf:
        case BasePromptTemplate() | BaseLLMOutputParser() | RunnablePick():
            return True
        case RunnablePassthrough():
            return leaf.afunc is None
    return getattr(leaf, "needs_no_await", False) is True


def _has_no_async(leaf: Any) -> bool:
    match leaf:
        case RunnableLambda():
            return not hasattr(leaf, "afunc")
        case BaseChatModel():
            return _inherits(leaf, BaseChatModel, "_agenerate", "_astream")
        case BaseLLM():
            return _inherits(leaf, BaseLLM, "_agenerate", "_astream")
    return _inherits(leaf, Runnable, "ainvoke")


def _inherits(runnable: Any, base: type[Any], *methods: str) -> bool:
    return all(getattr(type(runnable), name) is getattr(base, name) for name in methods)
