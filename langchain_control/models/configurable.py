"""Models that stand for others: the config of a run, or a failure, says which one is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.runnables import (
    Runnable,
    RunnableBinding,
    RunnableConfig,
    RunnableWithFallbacks,
)
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.configurable import DynamicRunnable

__all__ = ["chosen", "each_of", "is_of_init_chat_model", "made_plain", "stands_for_others"]


def chosen(runnable: Runnable[Any, Any], config: RunnableConfig | None) -> Runnable[Any, Any]:
    """Return the Runnable that a config chooses; the given one if there is nothing to choose.

    A choice that cannot be made is left to the call, which says why.
    """
    try:
        if isinstance(runnable, DynamicRunnable):
            return runnable.prepare(config)[0]
        if is_of_init_chat_model(runnable):
            made: Runnable[Any, Any] = runnable._model(config)  # type: ignore[attr-defined]  # noqa: SLF001
            return made
    except Exception:  # noqa: BLE001  (a key that is missing, a private name that has gone)
        return runnable
    return runnable


def stands_for_others(runnable: Runnable[Any, Any]) -> bool:
    """Whether a config chooses what is called, or fallbacks stand behind it; also under `bind`."""
    while isinstance(runnable, RunnableBinding):
        runnable = runnable.bound
    is_one = isinstance(runnable, DynamicRunnable | RunnableWithFallbacks)
    return is_one or is_of_init_chat_model(runnable)


def made_plain(runnable: Runnable[Any, Any], config: RunnableConfig | None) -> Runnable[Any, Any]:
    """Return what a config chooses, with fallbacks outside of what is bound to them."""
    if isinstance(runnable, RunnableBinding):
        below = made_plain(runnable.bound, merge_configs(runnable.config, config))
        return each_of(below, lambda model: runnable.model_copy(update={"bound": model}))
    if isinstance(runnable, RunnableWithFallbacks):
        return each_of(runnable, lambda model: made_plain(model, config))
    made = chosen(runnable, config)
    if made is runnable:
        return runnable
    own = runnable.config if isinstance(runnable, DynamicRunnable) else None
    return made_plain(made.with_config(own) if own else made, config)


def each_of(
    runnable: Runnable[Any, Any], change: Callable[[Runnable[Any, Any]], Runnable[Any, Any]]
) -> Runnable[Any, Any]:
    """Change a model, and where it has fallbacks every one of them."""
    if not isinstance(runnable, RunnableWithFallbacks):
        return change(runnable)
    fallbacks = [each_of(fallback, change) for fallback in runnable.fallbacks]
    changed = {"runnable": each_of(runnable.runnable, change), "fallbacks": fallbacks}
    return runnable.model_copy(update=changed)


def is_of_init_chat_model(runnable: Any) -> bool:
    """Whether each call of it makes a model. Whatever it is asked for makes one, too, or fails."""
    return type(runnable).__name__ == "_ConfigurableModel"  # without import
