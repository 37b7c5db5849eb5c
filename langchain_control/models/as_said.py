"""A reply as the model gave it, beside the answer that was made of it."""

from __future__ import annotations

from langchain_core.messages import AIMessage

__all__ = ["as_said", "beside"]

_SAID = "_control_said"
"""No field: a message that is stored or traced is what it would be without."""


def beside(answer: AIMessage, reply: AIMessage) -> AIMessage:
    """Return the answer, which from here on knows the reply that it was made of."""
    known = answer.model_copy()
    vars(known)[_SAID] = reply
    return known


def as_said(answer: AIMessage) -> AIMessage:
    """Return the reply that an answer was made of, or the answer itself if it is the reply."""
    reply: AIMessage = vars(answer).get(_SAID, answer)
    return reply
