"""How a model came to stop."""

from __future__ import annotations

from enum import IntEnum

import pytest
from langchain_core.messages import AIMessage

from langchain_control import FailureMode, ResponseValidator
from langchain_control.parsing.ending import Ending, ending_of


class FinishReason(IntEnum):
    """As Gemini's older client writes it: its text is a number."""

    FINISH_REASON_UNSPECIFIED = 0
    MAX_TOKENS = 2


def ended(**metadata) -> AIMessage:
    return AIMessage("Paris is the capital of", response_metadata=metadata)


@pytest.mark.parametrize(
    ("metadata", "ending"),
    [
        ({"finish_reason": "stop", "model_provider": "openai"}, Ending.FINISHED),
        ({"status": "completed", "model_provider": "openai"}, Ending.FINISHED),
        ({"stop_reason": "max_tokens", "model_provider": "anthropic"}, Ending.TRUNCATED),
        ({"finish_reason": "content_filter", "model_provider": "openai"}, Ending.REFUSED),
        ({"finish_reason": FinishReason.MAX_TOKENS}, Ending.TRUNCATED),
        ({"finish_reason": "", "stop_reason": "end_turn"}, Ending.FINISHED),
        ({"model_provider": "openai"}, Ending.BROKEN_OFF),
        ({"model_provider": "openai", "finish_reason": "a new word"}, Ending.OTHER),
        ({"model_provider": "somebody else"}, Ending.UNKNOWN),
        ({}, Ending.UNKNOWN),
    ],
)
def test_an_ending_is_read_from_what_the_provider_says(metadata, ending):
    """A provider that always says so, and does not, has been cut off."""
    assert ending_of(ended(**metadata)) is ending


def test_content_may_be_a_list_of_texts():
    """A plain text among blocks says nothing of a refusal."""
    assert ending_of(AIMessage(["refusal"])) is Ending.UNKNOWN


def test_an_answer_that_broke_off_is_refused():
    """LangChain hands on what a stream brought before it ended early, and raises nothing."""
    verdict = ResponseValidator().inspect(ended(model_provider="openai"))

    assert verdict.failure_mode is FailureMode.MODEL_ERROR
    assert [v.rule for v in verdict.violations] == ["broken_off"]


def test_a_server_that_never_says_can_be_allowed():
    """Some compatible servers leave the reason out."""
    lenient = ResponseValidator(accept_broken_off=True)

    assert lenient.inspect(ended(model_provider="openai")).passed
