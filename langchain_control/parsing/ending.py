"""How a model came to stop, from what providers write on a message."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from langchain_core.messages import AIMessage

__all__ = ["Ending", "ending_of"]


class Ending(StrEnum):
    """Why a message ends where it ends."""

    FINISHED = "finished"
    """The model said all it had to say."""
    TRUNCATED = "truncated"
    """A limit cut it off."""
    REFUSED = "refused"
    """The model or a filter of the provider declined."""
    GIVEN_UP = "given_up"
    """We stopped listening: it could not become an answer any more."""
    BROKEN_OFF = "broken_off"
    """Nobody said, though its provider always does: a stream ended early, which raises nothing."""
    OTHER = "other"
    """Somebody said, in a word that is not known here: `error`, `abort`, `pause_turn`."""
    UNKNOWN = "unknown"
    """Nobody said."""


_REASON_KEYS = ("finish_reason", "stop_reason", "stopReason", "done_reason")
"""OpenAI, Gemini, Mistral; Anthropic; Bedrock; Ollama."""

_ENDINGS: dict[str, Ending] = {
    "stop": Ending.FINISHED,
    "end_turn": Ending.FINISHED,
    "stop_sequence": Ending.FINISHED,
    "completed": Ending.FINISHED,
    "complete": Ending.FINISHED,
    "eos": Ending.FINISHED,
    "tool_calls": Ending.FINISHED,
    "tool_use": Ending.FINISHED,
    "function_call": Ending.FINISHED,
    "given_up": Ending.GIVEN_UP,
    "length": Ending.TRUNCATED,
    "max_tokens": Ending.TRUNCATED,
    "max_output_tokens": Ending.TRUNCATED,
    "model_length": Ending.TRUNCATED,
    "model_context_window_exceeded": Ending.TRUNCATED,
    "incomplete": Ending.TRUNCATED,
    "content_filter": Ending.REFUSED,
    "content_filtered": Ending.REFUSED,
    "refusal": Ending.REFUSED,
    "guardrail_intervened": Ending.REFUSED,
    "safety": Ending.REFUSED,
    "recitation": Ending.REFUSED,
    "blocklist": Ending.REFUSED,
    "prohibited_content": Ending.REFUSED,
    "spii": Ending.REFUSED,
}
"""The words of OpenAI, Anthropic, Gemini, Bedrock, Mistral, Ollama and llama.cpp, in lower case."""


_ALWAYS_SAY_SO = frozenset(
    [
        *("anthropic", "bedrock_converse", "deepseek", "google_genai", "google_vertexai", "groq"),
        *("mistralai", "ollama", "openai", "xai"),
    ]
)
"""Providers, as LangChain writes them on a message, all of whose answers end with a reason."""


def ending_of(message: AIMessage) -> Ending:
    """Say how a message came to its end."""
    if message.additional_kwargs.get("refusal") or _has_refusal_block(message.content):
        return Ending.REFUSED
    metadata = message.response_metadata
    details = metadata.get("incomplete_details")
    if isinstance(details, dict) and (cut := _ending(details.get("reason"))):
        return cut
    reasons = (metadata.get(key) for key in _REASON_KEYS)
    said = next((reason for reason in reasons if reason), metadata.get("status"))
    if said is None:
        always = metadata.get("model_provider") in _ALWAYS_SAY_SO
        return Ending.BROKEN_OFF if always else Ending.UNKNOWN
    return _ending(said) or Ending.OTHER


def _ending(reason: Any) -> Ending | None:
    # Gemini's client hands out an enum, Vertex writes `FinishReason.MAX_TOKENS`.
    word = str(getattr(reason, "name", reason)).rpartition(".")[2].lower()
    return _ENDINGS.get(word)


def _has_refusal_block(content: str | list[str | dict[str, Any]]) -> bool:
    if isinstance(content, str):
        return False
    return any(isinstance(block, dict) and block.get("type") == "refusal" for block in content)
