"""Calls that do not read LangChain's cache, and answers that come from it."""

from __future__ import annotations

from typing import Any

from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import merge_configs
from pydantic import BaseModel

from langchain_control.models.configurable import chosen, is_of_init_chat_model

__all__ = ["is_cached", "without_cache"]


def without_cache(
    runnable: Runnable[Any, Any], config: RunnableConfig | None = None
) -> Runnable[Any, Any]:
    """Return the same Runnable with every model in it off LangChain's cache.

    A retry that reads the cache gets the same bad answer again. Models are found in bindings,
    sequences, parallel steps, fallbacks and retries; not in the closure of a function.

    Ask right before the call: where no cache is in force there is nothing to turn off and the
    Runnable itself is returned, so that a fake which counts its own calls keeps counting.

    Args:
        runnable: Whatever is called again.
        config: Of the run that calls it, which may choose the model.
    """
    fresh: Runnable[Any, Any] = _uncached(runnable, config)
    return fresh


def is_cached(answer: Any) -> bool:
    """Whether an answer came from LangChain's cache, which says so: no model was called for it."""
    usage = answer.usage_metadata if isinstance(answer, AIMessage) else None
    return usage is not None and usage.get("total_cost") == 0


def _uncached(value: Any, config: RunnableConfig | None) -> Any:
    match value:
        case BaseLanguageModel():
            return value.model_copy(update={"cache": False}) if _reads_cache(value) else value
        case Runnable() if isinstance(value, BaseModel):
            return _rebuilt(value, config)
        case Runnable() if is_of_init_chat_model(value):
            made = chosen(value, config)
            fresh = value if made is value else _uncached(made, config)
            return value if fresh is made else fresh
        case list() | tuple():
            parts = [_uncached(part, config) for part in value]
            same = all(new is old for new, old in zip(parts, value, strict=True))
            return value if same else type(value)(parts)
        case dict():
            named = {name: _uncached(part, config) for name, part in value.items()}
            return value if all(named[n] is value[n] for n in value) else named
    return value


def _rebuilt(runnable: Any, config: RunnableConfig | None) -> Any:
    if isinstance(runnable, RunnableBindingBase):
        config = merge_configs(runnable.config, config)
    parts = {name: _uncached(part, config) for name, part in _fields(runnable)}
    changed = {name: part for name, part in parts.items() if part is not getattr(runnable, name)}
    return runnable.model_copy(update=changed) if changed else runnable


def _fields(runnable: BaseModel) -> list[tuple[str, Any]]:
    return [(name, getattr(runnable, name)) for name in type(runnable).model_fields]


def _reads_cache(model: BaseLanguageModel[Any]) -> bool:
    if model.cache is None:
        return get_llm_cache() is not None
    return model.cache is not False
