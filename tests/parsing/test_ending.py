"""How a model came to stop."""

from __future__ import annotations

from enum import IntEnum

import pytest
from langchain_core.messages import AIMessage

from langchain_control import FailureMode, ResponseValidator
from langchain_control.parsing.ending import (
    _ENDINGS,
    _WORST_LAST,
    Ending,
    _ending,
    ending_of,
)


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
        ({"model_provider": "fireworks"}, Ending.BROKEN_OFF),
        ({"model_provider": "openrouter"}, Ending.BROKEN_OFF),
        ({"model_provider": "openai", "finish_reason": "a new word"}, Ending.OTHER),
        ({"model_provider": "somebody else"}, Ending.UNKNOWN),
        ({}, Ending.UNKNOWN),
    ],
)
def test_an_ending_is_read_from_what_the_provider_says(metadata, ending):
    """A provider that always says so, and does not, has been cut off."""
    assert ending_of(ended(**metadata)) is ending


@pytest.mark.parametrize(
    ("joined", "ending"),
    [
        ("lengthlength", Ending.TRUNCATED),
        ("content_filtercontent_filter", Ending.REFUSED),
        ("STOPMAX_TOKENS", Ending.TRUNCATED),
        ("MAX_TOKENSSTOP", Ending.TRUNCATED),
        ("lengthcontent_filter", Ending.REFUSED),
        ("tool_callstop", Ending.FINISHED),
        ("tool_callsstop", Ending.FINISHED),
        ("errorerror_limit", Ending.FAILED),
        ("in_progresscompleted", Ending.FINISHED),
        ("in_progressin_progress", Ending.BROKEN_OFF),
        ("STOP" * 2_000 + "SAFETY", Ending.REFUSED),
        ("STOP" * 10_000, Ending.OTHER),
        ("stopping", Ending.OTHER),
        ("a length", Ending.OTHER),
        ("lengthened", Ending.OTHER),
    ],
    ids=lambda value: value[:30],
)
def test_a_reason_in_several_chunks_is_read_as_the_worst_of_its_words(joined, ending):
    """LangChain puts the words of all chunks into one."""
    assert ending_of(ended(finish_reason=joined)) is ending


def test_every_two_words_are_told_apart():
    """No word's end is taken for another's start."""
    words = [word for word in _ENDINGS if word != Ending.GIVEN_UP]
    pairs = [(one, other) for one in words for other in words]
    worst = {
        one + other: max((_ENDINGS[one], _ENDINGS[other]), key=_WORST_LAST.index)
        for one, other in pairs
    }

    assert [joined for joined, ending in worst.items() if _ending(joined) is not ending] == []


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
