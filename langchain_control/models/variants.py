"""The same model, asked differently: what a retry may change besides the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding, RunnableLambda

from langchain_control.models.fresh import without_cache

__all__ = [
    "MakesVariants",
    "for_retry",
    "in_place_of",
    "in_structured_mode",
    "larger_answer_limit",
    "name_of",
    "native_schema",
    "unwrapped",
    "with_larger_answer",
]

_ANSWER_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


@runtime_checkable
class MakesVariants(Protocol):
    """A model that is asked through something else, such as an agent's handler."""

    def for_retry(self, retry: Mapping[str, Any]) -> Runnable[Any, Any]:
        """Return the model as a retry should call it."""

    def in_place_of(self, other: Runnable[Any, Any]) -> Runnable[Any, Any]:
        """Return another chat model, asked through the same thing."""


def for_retry(
    model: Runnable[Any, Any], retry: Mapping[str, Any] | None, schema: dict[str, Any] | None
) -> Runnable[Any, Any]:
    """Return the model as this attempt should call it.

    The first attempt gets the model as it is. A retry never reads LangChain's cache, which would
    give the same bad answer again, and may use the provider's own schema mode or a larger answer.
    """
    if retry is None:
        return model
    if isinstance(model, MakesVariants):
        return model.for_retry(retry)
    fresh = without_cache(model)
    if retry["answer_limit_factor"] != 1:
        fresh = with_larger_answer(fresh, retry["answer_limit_factor"])
    if retry["native_schema"] and schema is not None:
        fresh = native_schema(fresh, schema) or fresh
    return fresh


def in_place_of(model: Runnable[Any, Any], other: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """Return another model so that it can be asked what `model` is asked."""
    if isinstance(model, MakesVariants) and unwrapped(other)[0] is not None:
        return model.in_place_of(other)
    return other


def native_schema(model: Runnable[Any, Any], schema: dict[str, Any]) -> Runnable[Any, Any] | None:
    """Return the model in its provider's JSON Schema mode, or `None` where it has none."""
    return in_structured_mode(model, schema, "json_schema")


def in_structured_mode(
    model: Runnable[Any, Any], schema: dict[str, Any], method: str
) -> Runnable[Any, Any] | None:
    """Return the model with LangChain's structured output, giving raw messages.

    The raw message goes to the same validator as any other answer; LangChain's own parsing would
    let truncated JSON pass.

    Args:
        model: A chat model, bound or not.
        schema: The contract as JSON Schema.
        method: As in `BaseChatModel.with_structured_output`.

    Returns:
        `None` if there is no chat model or it does not have this method.
    """
    chat_model, bound = unwrapped(model)
    if chat_model is None:
        return None
    titled = {"title": "Answer", "description": "The answer.", **schema}
    options = {} if method == "function_calling" else {"method": method}
    try:
        structured = chat_model.with_structured_output(titled, include_raw=True, **options)
    except (NotImplementedError, TypeError, ValueError):
        return None
    raw: Runnable[Any, Any] = structured | RunnableLambda(_raw_message)
    return raw.bind(**bound) if bound else raw


def _raw_message(given: Any) -> Any:
    return given["raw"]


def with_larger_answer(model: Runnable[Any, Any], factor: float) -> Runnable[Any, Any]:
    """Return the model with its answer limit raised, or as it is where it states none."""
    chat_model, bound = unwrapped(model)
    larger = larger_answer_limit(chat_model, bound, factor)
    return model.bind(**larger) if larger else model


def larger_answer_limit(model: Any, bound: Mapping[str, Any], factor: float) -> dict[str, int]:
    """Return the model's answer limit raised, under its name, or nothing where it states none."""
    if factor == 1:
        return {}
    for field in _ANSWER_LIMITS:
        limit = bound.get(field) or getattr(model, field, None)
        if isinstance(limit, int):
            return {field: int(limit * factor)}
    return {}


def name_of(model: Runnable[Any, Any]) -> str:
    """Return the name a model goes by in circuits, metrics and the audit trail."""
    chat_model, _ = unwrapped(model)
    for field in ("model_name", "model", "model_id", "deployment_name"):
        name = getattr(chat_model, field, None)
        if isinstance(name, str) and name:
            return name
    return model.get_name()


def unwrapped(model: Runnable[Any, Any]) -> tuple[BaseChatModel | None, dict[str, Any]]:
    """Find the chat model under `bind` and `with_config`, and what was bound on the way.

    Returns:
        The model, `None` if there is none, and the arguments.
    """
    bound: dict[str, Any] = {}
    while isinstance(model, RunnableBinding):
        bound = {**model.kwargs, **bound}
        model = model.bound
    return (model if isinstance(model, BaseChatModel) else None), bound
