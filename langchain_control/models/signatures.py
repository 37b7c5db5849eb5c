"""Whose an answer is, where its client leaves that out."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import (
    RunnableConfig,
    RunnableSequence,
    RunnableWithFallbacks,
)

from langchain_control.models.configurable import chosen
from langchain_control.models.variants import config_within, within

__all__ = ["signed"]

_PROVIDER = "model_provider"

_PROVIDERS = {"langchain_nvidia_ai_endpoints": "nvidia", "langchain_ollama": "ollama"}
"""Integrations that name the provider nowhere, or with the end of an answer, and so not on one
without it."""


def signed(answer: AIMessage, model: Any, config: RunnableConfig | None = None) -> AIMessage:
    """Return an answer with the name of its provider, as other integrations write it.

    Args:
        answer: What the model gave.
        model: The model, whatever stands around it, or a sequence that ends in it.
        config: Of the run that asked the model, which may choose it.
    """
    provider = _provider(model, config)
    if provider is None or _PROVIDER in answer.response_metadata:
        return answer
    metadata = {**answer.response_metadata, _PROVIDER: provider}
    return answer.model_copy(update={"response_metadata": metadata})


def _provider(model: Any, config: RunnableConfig | None) -> str | None:
    model = chosen(model, config)
    if isinstance(model, RunnableSequence):
        return _provider(model.last, config)
    if isinstance(model, RunnableWithFallbacks):  # nobody says which of them has answered
        each = {_provider(one, config) for one in model.runnables}
        return each.pop() if len(each) == 1 else None
    if (inner := within(model)) is not None:
        return _provider(inner, config_within(model, config))
    packages = (kind.__module__.split(".")[0] for kind in type(model).__mro__)
    return next((_PROVIDERS[name] for name in packages if name in _PROVIDERS), None)
