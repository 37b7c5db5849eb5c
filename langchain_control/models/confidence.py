"""How sure a model was of an answer, where its provider says so."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from statistics import fmean
from typing import Any

from langchain_core.messages import AIMessage

__all__ = ["confidence_of"]


def confidence_of(message: AIMessage) -> float | None:
    """Return the geometric mean of the probabilities of an answer's tokens, from 0 to 1.

    It says how predictable the wording was to the model, which is not whether it is right; low
    values are worth a second look.

    Returns:
        `None` where the provider reports no log probabilities, as most do unless asked:
        `model.bind(logprobs=True)` asks OpenAI and what is compatible with it.
    """
    metadata = message.response_metadata
    mean = _number(metadata.get("avg_logprobs"))  # as Google reports it
    if mean is None:
        mean = _mean(metadata.get("logprobs"))
    return None if mean is None else exp(min(mean, 0.0))


def _mean(reported: Any) -> float | None:
    """Average what OpenAI reports for each token; nothing if any of it is missing."""
    tokens = reported.get("content") if isinstance(reported, Mapping) else reported
    if not isinstance(tokens, list) or not tokens:
        return None
    found = [_number(t.get("logprob")) if isinstance(t, Mapping) else None for t in tokens]
    known = [value for value in found if value is not None]
    return fmean(known) if len(known) == len(found) else None


_MOST = 1e9
"""No logarithm of a probability is as large. OpenAI reports -9999 for what is impossible."""


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and -_MOST < value < _MOST else None
