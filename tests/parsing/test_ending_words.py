"""The words of providers for how an answer ended."""

from __future__ import annotations

from importlib import import_module
from typing import get_args

import pytest
from langchain_core.messages import AIMessage

from langchain_control import FailureMode, ResponseValidator
from langchain_control.parsing.ending import Ending, ending_of
from tests.parsing.test_ending import ended

COHERE = "COMPLETE STOP_SEQUENCE MAX_TOKENS TOOL_CALL ERROR ERROR_TOXIC ERROR_LIMIT TIMEOUT"
SERVERS = {
    "deepseek": "stop length content_filter tool_calls insufficient_system_resource",
    "groq": "stop length tool_calls function_call",
    "mistralai": "stop length model_length error tool_calls",
    "cohere": f"{COHERE} USER_CANCEL",
    "openrouter": "tool_calls stop length content_filter error",
    "vllm": "stop length abort error tool_calls",
    "tgi": "length eos_token stop_sequence",
}
"""The finish reasons of those whose SDK is not installed here."""


def _of_genai():
    return [reason.name for reason in import_module("google.genai.types").FinishReason]


def _of_anthropic():
    types = import_module("anthropic.types")
    beta = import_module("anthropic.types.beta")
    return [*get_args(types.StopReason), *get_args(beta.BetaStopReason)]


def _of_openai():
    completion = import_module("openai.types.chat.chat_completion")
    responses = import_module("openai.types.responses.response")
    cut = responses.IncompleteDetails.model_fields["reason"].annotation
    return [
        *get_args(completion.Choice.model_fields["finish_reason"].annotation),
        *get_args(import_module("openai.types.responses").ResponseStatus),
        *(word for literal in get_args(cut) for word in get_args(literal)),
    ]


def _of_bedrock():
    loader = import_module("botocore.loaders").Loader()
    shapes = loader.load_service_model("bedrock-runtime", "service-2")["shapes"]
    return shapes["StopReason"]["enum"]


@pytest.mark.parametrize("words_of", [_of_genai, _of_anthropic, _of_openai, _of_bedrock])
def test_every_word_of_an_sdk_is_known(words_of):
    """A word that a new version of an SDK brings is noticed here."""
    try:
        words = words_of()
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} is not installed")

    assert words
    assert [w for w in words if ending_of(ended(finish_reason=w)) is Ending.OTHER] == []


@pytest.mark.parametrize("server", SERVERS)
def test_every_word_of_a_server_is_known(server):
    """The words that servers document are known, whatever their case."""
    words = SERVERS[server].split()

    assert [w for w in words if ending_of(ended(finish_reason=w)) is Ending.OTHER] == []


@pytest.mark.parametrize(
    ("metadata", "mode"),
    [
        ({"finish_reason": "insufficient_system_resource"}, FailureMode.MODEL_ERROR),
        ({"finish_reason": "error"}, FailureMode.MODEL_ERROR),
        ({"finish_reason": "abort"}, FailureMode.MODEL_ERROR),
        ({"finish_reason": "OTHER"}, FailureMode.MODEL_ERROR),
        ({"finish_reason": "TIMEOUT"}, FailureMode.MODEL_ERROR),
        ({"status": "failed"}, FailureMode.MODEL_ERROR),
        ({"status": "cancelled"}, FailureMode.MODEL_ERROR),
        ({"status": "queued"}, FailureMode.MODEL_ERROR),
        ({"finish_reason": "FINISH_REASON_UNSPECIFIED"}, FailureMode.MODEL_ERROR),
        ({"stop_reason": "pause_turn"}, FailureMode.TRUNCATED),
        ({"finish_reason": "ERROR_LIMIT"}, FailureMode.TRUNCATED),
        ({"finish_reason": "ERROR_TOXIC"}, FailureMode.REFUSAL),
        ({"finish_reason": "LANGUAGE"}, FailureMode.REFUSAL),
        ({"finish_reason": "IMAGE_SAFETY"}, FailureMode.REFUSAL),
        ({"finish_reason": "MALFORMED_FUNCTION_CALL"}, FailureMode.SCHEMA_VIOLATION),
        ({"stopReason": "malformed_model_output"}, FailureMode.SCHEMA_VIOLATION),
        ({"stopReason": "malformed_tool_use"}, FailureMode.SCHEMA_VIOLATION),
    ],
)
def test_an_answer_that_its_provider_calls_unfinished_is_refused(metadata, mode):
    """The text that came along is not the whole answer, and a call in it is not one to make."""
    for calls in ([], [{"name": "look_up", "args": {}, "id": "1"}]):
        answer = AIMessage("Paris is", tool_calls=calls, response_metadata=metadata)

        assert ResponseValidator().inspect(answer).failure_mode is mode


def test_an_unknown_word_blocks_nothing():
    """Compatible servers invent words for an end more often than for trouble."""
    assert ResponseValidator().inspect(ended(finish_reason="matched_stop_word")).passed


def _blocked():
    types = import_module("google.genai.types")
    return [reason for reason in types.BlockedReason if "UNSPECIFIED" not in reason.name]


def test_a_prompt_that_gemini_blocked_is_a_refusal():
    """Its reply holds no candidate, and a retry would be blocked as well."""
    try:
        reasons = _blocked()
    except ModuleNotFoundError:
        pytest.skip("google.genai is not installed")
    for reason in (*reasons, *(reason.value for reason in reasons)):
        told = {"prompt_feedback": {"block_reason": reason}, "model_provider": "google_genai"}

        assert ending_of(AIMessage("", response_metadata=told)) is Ending.REFUSED


def test_feedback_on_a_prompt_that_was_taken_says_nothing():
    """Gemini rates prompts that it answers, too."""
    for reason in (None, "BLOCKED_REASON_UNSPECIFIED"):
        feedback = {"block_reason": reason}

        assert ending_of(ended(finish_reason="STOP", prompt_feedback=feedback)) is Ending.FINISHED
