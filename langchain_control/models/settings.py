"""What of a model's settings is changed: its answer limit, seed and temperature, its tools."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding

from langchain_control.errors.codes import dig
from langchain_control.models.fresh import without_cache
from langchain_control.outcomes import PlannedRetry

__all__ = ["drawn_anew", "has_room", "unwrapped", "varied", "without_tools"]

TEMPERATURE_STEP = 0.2
"""By how much each new draw raises the least temperature, as Whisper does for speech that it could
not make out (Radford et al. 2022, section 4.5)."""

MAX_TEMPERATURE = 1.0
"""Highest temperature that is set; every model takes it."""

_OF_TOOLS = frozenset(["tools", "tool_choice", "tool_config", "parallel_tool_calls"])
_SEEDS = ("seed", "random_seed")
_ANSWER_LIMITS = (
    *("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "num_predict"),
)


def drawn_anew(model: Runnable[Any, Any], retry: PlannedRetry) -> Runnable[Any, Any]:
    """Return a model as a retry should call it: off LangChain's cache, with changed settings.

    Args:
        model: A chat model, bound or not. The settings of anything else are left alone.
        retry: What was decided on.
    """
    return varied(
        without_cache(model),
        answer_limit_factor=retry["answer_limit_factor"],
        resamples=retry["resamples"],
    )


def varied(
    model: Runnable[Any, Any], *, answer_limit_factor: float = 1.0, resamples: int = 0
) -> Runnable[Any, Any]:
    """Return a model with a larger answer limit, and another seed and temperature.

    A setting is changed where it is stated, in the call arguments or on the model itself, and is
    not added: a provider that knows no seed is sent none. The limit grows to no more than the
    `max_output_tokens` of the model's profile.

    Args:
        model: A chat model, bound or not. Anything else is returned as it is.
        answer_limit_factor: By how much to raise the answer limit.
        resamples: How many draws to move on.
    """
    chat_model, bound = unwrapped(model)
    if chat_model is None:
        return model
    stated = _Stated(chat_model, bound)
    changes = _larger(stated, answer_limit_factor) | _resampled(stated, resamples)
    return _with(model, changes) if changes else model


def has_room(model: Runnable[Any, Any], answer_limit_factor: float) -> bool:
    """Say whether `varied` would raise a model's answer limit."""
    chat_model, bound = unwrapped(model)
    return chat_model is not None and bool(_larger(_Stated(chat_model, bound), answer_limit_factor))


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


def without_tools(model: Any) -> Any:
    """Return a model without the tools that were bound to it, and what was said of their use."""
    if not isinstance(model, RunnableBinding):
        return model
    kept = {name: value for name, value in model.kwargs.items() if name not in _OF_TOOLS}
    return model.model_copy(update={"bound": without_tools(model.bound), "kwargs": kept})


class _Stated:
    """The settings of a model: those of a call go before those of the model."""

    def __init__(self, model: BaseChatModel, bound: Mapping[str, Any]) -> None:
        self._model, self._bound = model, bound

    def number(self, name: str) -> float | None:
        """Return a setting that is a number, or `None`."""
        is_field = name in type(self._model).model_fields
        on_model = getattr(self._model, name) if is_field else None
        value = self._bound.get(name, on_model)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number else None

    def is_of_calls(self, name: str) -> bool:
        """Say whether a setting is bound."""
        return name in self._bound

    @property
    def longest_answer(self) -> float:
        """Most tokens that the model can write, as far as LangChain knows it."""
        most = dig(getattr(self._model, "profile", None), "max_output_tokens")
        return most if isinstance(most, int) else inf


def _larger(stated: _Stated, factor: float) -> dict[str, Any]:
    bound_first = sorted(_ANSWER_LIMITS, key=stated.is_of_calls, reverse=True)
    limits = {name: stated.number(name) for name in bound_first}
    name, limit = next(((n, v) for n, v in limits.items() if v and v > 0), ("", 0))
    larger = min(limit * factor, stated.longest_answer)
    return {name: int(larger)} if larger > limit else {}


def _resampled(stated: _Stated, resamples: int) -> dict[str, Any]:
    if not resamples:
        return {}
    changes: dict[str, Any] = {}
    seeds = {name: stated.number(name) for name in _SEEDS}
    changes |= {name: int(seed) + resamples for name, seed in seeds.items() if seed is not None}
    temperature = stated.number("temperature")
    least = min(round(TEMPERATURE_STEP * resamples, 3), MAX_TEMPERATURE)
    if temperature is not None and temperature < least:
        changes["temperature"] = least
    return changes


def _with(model: Any, changes: Mapping[str, Any]) -> Any:
    """Change settings in the place where each of them is stated."""
    if isinstance(model, RunnableBinding):
        here = {name: value for name, value in changes.items() if name in model.kwargs}
        below = {name: value for name, value in changes.items() if name not in here}
        changed = {"bound": _with(model.bound, below), "kwargs": {**model.kwargs, **here}}
        return model.model_copy(update=changed)
    return model.model_copy(update=dict(changes)) if changes else model
