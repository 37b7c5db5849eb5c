"""Which Runnables have no async implementation of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import LLM, BaseChatModel, BaseLLM, SimpleChatModel
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

_ASYNC_METHODS: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (SimpleChatModel, ("_agenerate", "_astream")),
    (BaseChatModel, ("_agenerate", "_astream")),
    (LLM, ("_acall", "_agenerate", "_astream")),
    (BaseLLM, ("_agenerate", "_astream")),
)
"""Base classes whose async methods only run the sync ones; a subclass before its base."""


def is_sync_only(runnable: Runnable[Any, Any]) -> bool:
    """Say whether `ainvoke` would run `invoke` in the event loop's default executor.

    A call that hangs there keeps one of its few threads from everybody else, and the loop from
    closing. Something composite is sync-only if whatever it waits for is: next to an async part,
    calling the whole synchronously would run that part's sync twin.
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
    if isinstance(leaf, RunnableLambda):
        return not hasattr(leaf, "afunc")
    of_models = (row for row in _ASYNC_METHODS if isinstance(leaf, row[0]))
    base, methods = next(of_models, (Runnable, ("ainvoke",)))
    return all(getattr(type(leaf), name) is getattr(base, name) for name in methods)
