"""What the exceptions of providers, SDKs and HTTP clients mean.

No SDK is imported for that: exceptions are recognized by langchain-core's types, by the status and
the error code they carry, by what they say, by name, and by the place where they were raised.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Iterator

from langchain_core import exceptions as core

from langchain_control.errors.codes import (
    MODE_OF_CODE,
    MODE_OF_STATUS,
    MODE_OF_STREAMED_CODE,
    attribute,
    by_code,
    by_status,
    dig,
    status_of,
)
from langchain_control.errors.names import by_name
from langchain_control.errors.places import by_place
from langchain_control.outcomes import FailureMode

__all__ = ["explained", "gathered_in", "mode_of", "steers_a_graph"]

MOST_CAUSES = 8
"""How far back an exception is explained. Code nests no deeper; a chain may be a ring."""


def mode_of(exc: BaseException) -> FailureMode | None:
    """Say what an exception out of a model call means by itself, or `None` if nothing is known.

    The most telling sign comes first: a provider's own code or words for a case that its status
    hides, then the exception's type, its HTTP status, the code of an error inside a stream, its
    name, and the place where it was raised.
    """
    reason = attribute(exc, "reason")  # urllib's and urllib3's wrapped exception
    inner = reason if isinstance(reason, BaseException) else None
    return _own_mode(inner) or _own_mode(exc)


def explained(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those it was raised `from`, the last first.

    What was merely being handled when it was raised explains nothing: it may be a mistake made
    in handling it.
    """
    known: BaseException | None = exc
    for _ in range(MOST_CAUSES):
        if known is None:
            return
        yield known
        known = known.__cause__


def gathered_in(exc: BaseException) -> list[BaseException]:
    """List the exceptions in a group, those of groups within it too. In any other there are none.

    Clients that use `asyncio.TaskGroup` or anyio raise what befell them in groups.
    """
    found, pending = [], [exc]
    while pending:
        known = pending.pop()
        if isinstance(known, BaseExceptionGroup):
            pending += reversed(known.exceptions)
        elif known is not exc:
            found.append(known)
    return found


def steers_a_graph(exc: BaseException) -> bool:
    """Say whether LangGraph raises this to interrupt or redirect a graph: no failure at all."""
    graph_errors = sys.modules.get("langgraph.errors")  # not loaded: nothing can raise it
    if graph_errors is None:
        return False
    if isinstance(exc, graph_errors.GraphBubbleUp):
        return True
    is_invalid_resume = getattr(graph_errors, "is_invalid_resume", None)  # newer than langgraph 1.2
    return bool(is_invalid_resume and is_invalid_resume(exc))


def _own_mode(exc: BaseException | None) -> FailureMode | None:
    if exc is None:
        return None
    return (
        by_code(exc, MODE_OF_CODE)
        or _by_words(exc)
        or _by_type(exc)
        or by_status(exc)
        or by_code(exc, MODE_OF_STREAMED_CODE)
        or by_name(exc)
        or by_place(exc)
    )


# --- by type --------------------------------------------------------------------------------------

_REFUSAL_ERROR = getattr(core, "ModelRefusalError", None)  # langchain-core >= 1.7.5

_MODE_OF_TYPE: tuple[tuple[type[BaseException], FailureMode], ...] = (
    *(((_REFUSAL_ERROR, FailureMode.REFUSAL),) if _REFUSAL_ERROR else ()),
    (core.ContextOverflowError, FailureMode.CONTEXT_OVERFLOW),
    (core.ModelRateLimitError, FailureMode.RATE_LIMITED),
    (core.ModelTimeoutError, FailureMode.TIMEOUT),
    (core.OutputParserException, FailureMode.SCHEMA_VIOLATION),
    (TimeoutError, FailureMode.TIMEOUT),
    (ConnectionError, FailureMode.MODEL_ERROR),
    (json.JSONDecodeError, FailureMode.MODEL_ERROR),
)
"""First match wins.

A `JSONDecodeError` out of a model call is a corrupt chunk on the wire (seen with openai's stream),
not a bad answer: an answer is parsed by the validator, never by the call.
"""

_UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.ENETRESET}
)


def _by_type(exc: BaseException) -> FailureMode | None:
    for kind, mode in _MODE_OF_TYPE:
        if isinstance(exc, kind):
            return mode
    if isinstance(exc, core.ModelError):
        if not attribute(exc, "is_retryable"):
            return FailureMode.MODEL_REJECTED
        return MODE_OF_STATUS.get(status_of(exc), FailureMode.MODEL_ERROR)
    if isinstance(exc, OSError) and exc.errno in _UNREACHABLE:
        return FailureMode.MODEL_ERROR
    return None


# --- by words -----------------------------------------------------------------------------------

_MAX_WORDS = 2_000
"""How many characters of a message are read."""

_OVERFLOW_STATUS = frozenset({400, 413})

_OVERFLOW_WORDS = (
    "contextwindowexceedederror",  # LiteLLM, of whatever is behind it
    "exceed context limit",  # Anthropic, with the answer
    "exceeds the available context size",  # llama.cpp
    "exceeds the context length",  # Ollama
    "exceeds the context window",
    "exceeds the maximum number of tokens",  # Gemini
    "input is too long for requested model",  # Bedrock
    "maximum context length",  # OpenAI, vLLM, DeepSeek, Mistral, Ollama
    "prompt is too long",  # Anthropic
    "too many tokens",  # Cohere
)
"""What providers that have no code for it say of a prompt that is too long."""


def _by_words(exc: BaseException) -> FailureMode | None:
    if status_of(exc) not in _OVERFLOW_STATUS:
        return None
    said = _message(exc)[:_MAX_WORDS].lower()
    is_overflow = any(words in said for words in _OVERFLOW_WORDS)
    return FailureMode.CONTEXT_OVERFLOW if is_overflow else None


def _message(exc: BaseException) -> str:
    """Return what a provider said, without what its client wrote around it where they differ."""
    body = attribute(exc, "body")
    said = dig(body, "error", "message") or dig(body, "message")
    try:
        return said if isinstance(said, str) else str(exc)
    except Exception:  # noqa: BLE001  (a foreign object may refuse in any way)
        return ""
