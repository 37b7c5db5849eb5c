"""How a model came to stop, from what providers write on a message."""

from __future__ import annotations

import re
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
    FAILED = "failed"
    """The provider says that it did not come to the end of it."""
    MALFORMED = "malformed"
    """The provider could not read what its model wrote, or a call in it."""
    OTHER = "other"
    """Somebody said, in a word that is not known here: servers have more words for an end than for
    trouble."""
    UNKNOWN = "unknown"
    """Nobody said."""


_REASON_KEYS = ("finish_reason", "stop_reason", "stopReason", "done_reason")
"""OpenAI, Gemini, Mistral; Anthropic; Bedrock; Ollama."""

_WORDS: dict[Ending, tuple[str, ...]] = {
    Ending.FINISHED: (
        *("stop", "end_turn", "stop_sequence", "completed", "complete", "eos", "eos_token"),
        *("tool_calls", "tool_call", "tool_use", "function_call"),
    ),
    Ending.GIVEN_UP: (Ending.GIVEN_UP.value,),
    Ending.TRUNCATED: (
        *("length", "max_tokens", "max_output_tokens", "model_length", "incomplete", "limit"),
        *("model_context_window_exceeded", "error_limit", "continuation"),
        # Of a turn that goes on with the next request, which nobody makes.
        *("pause_turn", "compaction", "max_messages", "steered", "too_many_tool_calls"),
    ),
    Ending.REFUSED: (
        *("content_filter", "content_filtered", "refusal", "guardrail_intervened"),
        *("safety", "recitation", "blocklist", "prohibited_content", "spii", "language"),
        *("image_safety", "image_prohibited_content", "image_recitation"),
        *("model_armor", "escalation", "pup_limited_disabled", "error_toxic"),
    ),
    Ending.FAILED: (
        *("error", "failed", "abort", "cancelled", "timeout", "user_cancel", "other"),
        *("insufficient_system_resource", "missing_thought_signature", "image_other", "no_image"),
    ),
    Ending.MALFORMED: (
        *("malformed_model_output", "malformed_tool_use"),
        *("malformed_function_call", "malformed_response", "unexpected_tool_call"),
    ),
    Ending.BROKEN_OFF: ("finish_reason_unspecified", "in_progress", "queued"),
}
"""What OpenAI, Anthropic, Gemini, Bedrock, Mistral, Groq, DeepSeek, Cohere, OpenRouter, Ollama,
llama.cpp, vLLM, SGLang and TGI write, in lower case."""

_ENDINGS = {word: ending for ending, words in _WORDS.items() for word in words}

_WORST_LAST = (
    *(Ending.BROKEN_OFF, Ending.FINISHED, Ending.GIVEN_UP, Ending.TRUNCATED),
    *(Ending.MALFORMED, Ending.FAILED, Ending.REFUSED),
)
"""Which of several words counts. A stream that says it is not over may go on to its end."""

_MOST_JOINED = 10_000
"""Characters that are taken apart. A reason may come with every chunk of a long answer."""

_ANY_WORD = "|".join(sorted(map(re.escape, _ENDINGS), key=len, reverse=True))
_JOINED = re.compile(rf"(?:{_ANY_WORD})(?={_ANY_WORD}|\Z)")

_ALWAYS_SAY_SO = frozenset(
    [
        *("anthropic", "bedrock_converse", "deepseek", "fireworks", "google_genai"),
        *("google_vertexai", "groq", "mistralai", "nvidia", "ollama", "openai", "openrouter"),
        "xai",
    ]
)
"""Providers, as LangChain writes them on a message, all of whose answers end with a reason."""


def ending_of(message: AIMessage) -> Ending:
    """Say how a message came to its end."""
    if message.additional_kwargs.get("refusal") or _has_refusal_block(message.content):
        return Ending.REFUSED
    metadata = message.response_metadata
    if _is_blocked(metadata.get("prompt_feedback")):
        return Ending.REFUSED
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
    word = _word(reason)
    return _ENDINGS.get(word) or _worst_of(word)


def _worst_of(joined: str) -> Ending | None:
    """Read a reason that came with several chunks: langchain-core puts them into one word."""
    words = _JOINED.findall(joined[:_MOST_JOINED])
    if "".join(words) != joined:
        return None
    return max((_ENDINGS[word] for word in words), key=_WORST_LAST.index, default=None)


def _word(reason: Any) -> str:
    # Gemini's client hands out an enum, Vertex writes `FinishReason.MAX_TOKENS`.
    return str(getattr(reason, "name", reason)).rpartition(".")[2].lower()


def _is_blocked(feedback: Any) -> bool:
    """Whether Gemini says that it took no notice of the prompt."""
    blocked = feedback.get("block_reason") if isinstance(feedback, dict) else None
    return bool(blocked) and _word(blocked) != "blocked_reason_unspecified"


def _has_refusal_block(content: str | list[str | dict[str, Any]]) -> bool:
    if isinstance(content, str):
        return False
    return any(isinstance(block, dict) and block.get("type") == "refusal" for block in content)
