"""Failures of answers, and answers that a client raised over instead of handing them on."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_control.errors.codes import attribute
from langchain_control.errors.foreign import explained
from langchain_control.outcomes import FailureMode

__all__ = ["OF_ANSWERS", "answer_in"]

OF_ANSWERS = frozenset(
    {
        FailureMode.SCHEMA_VIOLATION,
        FailureMode.CONSTRAINT_VIOLATION,
        FailureMode.TOKEN_OVERFLOW,
        FailureMode.HALLUCINATION,
        FailureMode.TRUNCATED,
        FailureMode.REFUSAL,
    }
)
"""What is wrong with an answer, and not with the call of a model."""


def answer_in(exc: BaseException) -> AIMessage | None:
    """Return the answer that an exception carries, or `None`.

    OpenAI's client parses answers in its schema mode. Where one was cut off or filtered it raises,
    and the completion, which is paid for, is on the exception.
    """
    carried = (_message_in(attribute(known, "completion")) for known in explained(exc))
    return next((message for message in carried if message is not None), None)


def _message_in(completion: Any) -> AIMessage | None:
    match attribute(completion, "choices"):
        case [choice, *_]:
            pass
        case _:
            return None
    text = attribute(attribute(choice, "message"), "content")
    told = {
        "model_name": attribute(completion, "model"),
        "finish_reason": attribute(choice, "finish_reason"),
    }
    return AIMessage(
        text if isinstance(text, str) else "",
        response_metadata={name: said for name, said in told.items() if isinstance(said, str)},
        usage_metadata=_usage_in(attribute(completion, "usage")),
    )


def _usage_in(usage: Any) -> UsageMetadata | None:
    tokens_in, tokens_out = attribute(usage, "prompt_tokens"), attribute(usage, "completion_tokens")
    if not isinstance(tokens_in, int) or not isinstance(tokens_out, int):
        return None
    return UsageMetadata(
        input_tokens=tokens_in, output_tokens=tokens_out, total_tokens=tokens_in + tokens_out
    )
