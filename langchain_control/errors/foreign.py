"""What the exceptions of providers, SDKs and HTTP clients mean.

No SDK is imported for that: exceptions are recognized by langchain-core's types, by the status and
the error code they carry, and by name.
"""

from __future__ import annotations

import errno
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import takewhile
from traceback import walk_tb
from typing import Any, NamedTuple

from langchain_core import exceptions as core

from langchain_control.outcomes import FailureMode

__all__ = ["attribute", "dig", "explained", "gathered_in", "mode_of", "steers_a_graph"]

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
        _by_code(exc, _MODE_OF_CODE)
        or _by_words(exc)
        or _by_type(exc)
        or _by_status(exc)
        or _by_code(exc, _MODE_OF_STREAMED_CODE)
        or _by_name(exc)
        or _by_place(exc)
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
        return _MODE_OF_STATUS.get(_status(exc), FailureMode.MODEL_ERROR)
    if isinstance(exc, OSError) and exc.errno in _UNREACHABLE:
        return FailureMode.MODEL_ERROR
    return None


# --- by HTTP status -------------------------------------------------------------------------------

_MODE_OF_STATUS: dict[int, FailureMode] = {
    408: FailureMode.TIMEOUT,
    409: FailureMode.MODEL_ERROR,  # a conflict of requests, gone at the next try
    424: FailureMode.MODEL_ERROR,  # Bedrock: the model behind it failed
    425: FailureMode.MODEL_ERROR,
    429: FailureMode.RATE_LIMITED,
    499: FailureMode.MODEL_ERROR,  # Google: cancelled on the way
    501: FailureMode.MODEL_REJECTED,
    504: FailureMode.TIMEOUT,
    505: FailureMode.MODEL_REJECTED,
}

_MODE_OF_STATUS_CLASS: dict[int, FailureMode] = {
    3: FailureMode.MODEL_REJECTED,  # a redirect that was not followed: the wrong address
    4: FailureMode.MODEL_REJECTED,
    5: FailureMode.MODEL_ERROR,
}


def _by_status(exc: BaseException) -> FailureMode | None:
    return _of_status(_status(exc))


def _of_status(status: int) -> FailureMode | None:
    return _MODE_OF_STATUS.get(status) or _MODE_OF_STATUS_CLASS.get(status // 100)


def _status(exc: BaseException) -> int:
    """Find an HTTP status where SDKs put it: on the exception, or on its response."""
    response = attribute(exc, "response")
    places = (
        dig(response, "ResponseMetadata", "HTTPStatusCode"),  # botocore
        *(_static(exc, name) for name in ("status_code", "status", "code")),
        attribute(response, "status_code"),
    )
    return next((int(p) for p in places if isinstance(p, int)), 0)


# --- by the provider's error code -----------------------------------------------------------------

_MODE_OF_CODE: dict[str, FailureMode] = {
    "context_length_exceeded": FailureMode.CONTEXT_OVERFLOW,
    "exceed_context_size_error": FailureMode.CONTEXT_OVERFLOW,  # llama.cpp
    "content_filter": FailureMode.REFUSAL,
    "content_policy_violation": FailureMode.REFUSAL,
    "image_content_policy_violation": FailureMode.REFUSAL,
    "bio_policy": FailureMode.REFUSAL,
    "misalignment_policy_violation": FailureMode.REFUSAL,
    "invalid_prompt": FailureMode.REFUSAL,  # OpenAI: flagged as against its policy
    # Groq: its model wrote what nobody can read.
    "tool_use_failed": FailureMode.SCHEMA_VIOLATION,
    "json_validate_failed": FailureMode.SCHEMA_VIOLATION,
    # A 429 that no waiting ends.
    "insufficient_quota": FailureMode.MODEL_REJECTED,
    "billing_hard_limit_reached": FailureMode.MODEL_REJECTED,
    # AWS may say so with status 400.
    "throttling": FailureMode.RATE_LIMITED,
    "throttlingexception": FailureMode.RATE_LIMITED,
    "toomanyrequestsexception": FailureMode.RATE_LIMITED,
    "modelnotreadyexception": FailureMode.MODEL_ERROR,
}
"""Codes that say more than the status they come with."""

_MODE_OF_STREAMED_CODE: dict[str, FailureMode] = {
    "overloaded_error": FailureMode.MODEL_ERROR,
    "api_error": FailureMode.MODEL_ERROR,
    "server_error": FailureMode.MODEL_ERROR,
    "timeout_error": FailureMode.TIMEOUT,
    "rate_limit_error": FailureMode.RATE_LIMITED,
    "rate_limit_exceeded": FailureMode.RATE_LIMITED,
    "authentication_error": FailureMode.MODEL_REJECTED,
    "billing_error": FailureMode.MODEL_REJECTED,
    "invalid_request_error": FailureMode.MODEL_REJECTED,
    "not_found_error": FailureMode.MODEL_REJECTED,
    "permission_error": FailureMode.MODEL_REJECTED,
    "modeltimeoutexception": FailureMode.TIMEOUT,
    "validationexception": FailureMode.MODEL_REJECTED,
    "vector_store_timeout": FailureMode.TIMEOUT,
    **dict.fromkeys(
        (
            "data_residency_mismatch",
            "empty_image_file",
            "failed_to_download_image",
            "image_file_not_found",
            "image_file_too_large",
            "image_parse_error",
            "image_too_large",
            "image_too_small",
            "invalid_base64_image",
            "invalid_image",
            "invalid_image_format",
            "invalid_image_mode",
            "invalid_image_url",
            "unsupported_image_media_type",
        ),
        FailureMode.MODEL_REJECTED,
    ),
}
"""Codes of errors inside a stream, or in a reply, whose HTTP status was 200 by then."""


def _by_code(exc: BaseException, modes: Mapping[str, FailureMode]) -> FailureMode | None:
    return next((modes[code] for code in _codes(exc) if code in modes), None)


def _codes(exc: BaseException) -> Iterator[str]:
    body = attribute(exc, "body")
    error = dig(body, "error") or body
    places = (
        _static(exc, "code"),
        _static(exc, "type"),
        dig(error, "code"),
        dig(error, "type"),
        dig(attribute(exc, "response"), "Error", "Code"),  # botocore
    )
    return (place.lower() for place in places if isinstance(place, str))


_LEADING_CODE = re.compile(r"(?:code=')?([a-z_]+)\b")


def _told_in(exc: BaseException) -> FailureMode | None:
    """Say what an error means that came in place of an answer, and was raised as it is."""
    told = exc.args[0] if exc.args else None
    leading = _LEADING_CODE.match(told) if isinstance(told, str) else None
    codes = (attribute(told, "code"), dig(told, "code"), dig(told, "type"), leading and leading[1])
    modes = _MODE_OF_CODE | _MODE_OF_STREAMED_CODE
    found = (_of_status(c) if isinstance(c, int) else modes.get(str(c).lower()) for c in codes)
    return next(filter(None, found), None)


def _static(exc: BaseException, name: str) -> Any:
    """Read an attribute without running a property: aiohttp's `code` warns that it is old."""
    return inspect.getattr_static(exc, name, None)


def attribute(value: Any, name: str) -> Any:
    """Return an attribute, or `None`, also where a property fails to tell it."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001  (a foreign object may refuse in any way)
        return None


def dig(value: Any, *names: str) -> Any:
    """Return what lies under these names in nested mappings, or `None`."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


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
    if _status(exc) not in _OVERFLOW_STATUS:
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


# --- by name --------------------------------------------------------------------------------------

_SAME_NAMES = {
    "anthropic": "openai",
    "fireworks": "openai",
    "groq": "openai",
    "httpx2": "httpx",
    "httpcore": "httpx",
    "httpcore2": "httpx",
}
"""Packages whose exceptions are called as another's."""

_NAMES: dict[FailureMode, tuple[str, ...]] = {
    FailureMode.TIMEOUT: (
        "httpx.TimeoutException",
        "openai.APITimeoutError",
        "requests.Timeout",
        "requests.ConnectTimeout",
        "urllib3.TimeoutError",
        "botocore.ReadTimeoutError",
        "botocore.ConnectTimeoutError",
        "google.TimeoutError",
    ),
    FailureMode.MODEL_ERROR: (
        "aiohttp.ClientConnectionError",
        "aiohttp.ClientPayloadError",
        "aiohttp.ContentTypeError",
        "asyncio.IncompleteReadError",
        "botocore.ConnectionError",
        "botocore.EventStreamError",
        "botocore.HTTPClientError",
        "botocore.IncompleteReadError",
        "botocore.ParserError",
        "botocore.ResponseParserError",
        "cohere.ApiError",
        "cohere.SSEError",
        "google.APIError",
        "google.TransportError",
        "google.UnknownApiResponseError",
        "http.BadStatusLine",
        "http.IncompleteRead",
        "httpx.DecodingError",
        "httpx.NetworkError",
        "httpx.ProxyError",
        "httpx.RemoteProtocolError",
        "httpx_sse.SSEError",
        "ollama.ResponseError",
        "openai.APIError",
        "openai.RetryableError",
        "openai.WebSocketConnectionClosedError",
        "openrouter.NoResponseError",
        "openrouter.OpenRouterError",
        "requests.ChunkedEncodingError",
        "requests.ConnectionError",
        "requests.ContentDecodingError",
        "requests.RetryError",
        "socket.gaierror",
        "ssl.SSLError",
        "urllib3.DecodeError",
        "urllib3.IncompleteRead",
        "urllib3.InvalidChunkLength",
        "urllib3.MaxRetryError",
        "urllib3.NewConnectionError",
        "urllib3.ProtocolError",
        "urllib3.ProxyError",
        "urllib3.SSLError",
    ),
    FailureMode.MODEL_REJECTED: (
        "botocore.CredentialRetrievalError",
        "botocore.NoCredentialsError",
        "botocore.PartialCredentialsError",
        "google.GoogleAuthError",
        "httpx.TooManyRedirects",
        "openai.CredentialsError",
        "openai.WorkloadIdentityError",
        "requests.TooManyRedirects",
    ),
    FailureMode.TRUNCATED: ("openai.LengthFinishReasonError",),
    FailureMode.REFUSAL: ("openai.ContentFilterFinishReasonError",),
}
"""By top-level package and class; a subclass is what its nearest listed base is.

What a caller got wrong (a malformed URL, a consumed stream) is left out: it must be raised on.
"""

_MODE_OF_NAME = {name: mode for mode, names in _NAMES.items() for name in names}


def _by_name(exc: BaseException) -> FailureMode | None:
    for kind in type(exc).__mro__:
        package = kind.__module__.split(".")[0]
        name = f"{_SAME_NAMES.get(package, package)}.{kind.__name__}"
        if mode := _MODE_OF_NAME.get(name):
            return mode
    return None


# --- by place -------------------------------------------------------------------------------------


class _Place(NamedTuple):
    module: str
    function: str

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.module.split(".")[0]

    @property
    def is_of_langchain(self) -> bool:
        """Whether it is in LangChain, in an integration, or in what they make messages with."""
        package = self.package
        is_integration = package.startswith("langchain_") and package != "langchain_control"
        return is_integration or package in ("ollama", "pydantic")


_READERS = frozenset(
    {
        "_construct_lc_result_from_responses_api",
        "_convert_chunk_to_generation_chunk",
        "_convert_chunk_to_message_chunk",
        "_convert_responses_chunk_to_generation_chunk",
        "_create_chat_result",
        "_extract_content_and_thinking",
        "_format_output",
        "_get_generation_info_v2",
        "_get_stream_info_v2",
        "_make_message_chunk_from_anthropic_event",
        "_parse_response",
        "_parse_stream_event",
        "_response_to_result",
    }
)
"""Functions in which LangChain's integrations make a message of a response.

What they cannot read (a proxy's page, an error with status 200, a choice without a message) they
tell by plain built-in exceptions, their own or those of whatever they call.
"""

_SDK_READERS = frozenset({_Place("ollama._client", "_request"), _Place("ollama._client", "inner")})
"""Functions that do so in an SDK."""

_DECODERS = frozenset(
    {
        _Place("aiohttp.client_reqrep", "json"),
        _Place("httpx._models", "json"),
        _Place("openai._streaming", "_decode_lines"),
        _Place("openai._streaming", "aiter_bytes"),
        _Place("openai._streaming", "iter_bytes"),
        _Place("openai._streaming", "json"),
        _Place("requests.models", "json"),
    }
)
"""Functions in which clients read bytes as JSON: not all of them are text, and not all text has an
end to its brackets or numbers that Python takes."""

_CHAT_MODELS = "langchain_core.language_models.chat_models"

_MISSES: dict[_Place, type[Exception]] = {
    _Place(_CHAT_MODELS, "invoke"): LookupError,
    _Place(_CHAT_MODELS, "ainvoke"): LookupError,
    _Place(_CHAT_MODELS, "stream"): ValueError,
    _Place(_CHAT_MODELS, "astream"): ValueError,
    _Place(_CHAT_MODELS, "generate_from_stream"): ValueError,
    _Place("botocore.parsers", "_parse_payload"): TypeError,
    _Place("huggingface_hub.inference._generated.types.base", "parse_obj"): ValueError,
    _Place("langchain_fireworks.chat_models", "_raise_empty_stream"): Exception,
    _Place("langchain_ollama.chat_models", "_chat_stream_with_aggregation"): ValueError,
    _Place("langchain_ollama.chat_models", "_achat_stream_with_aggregation"): ValueError,
}
"""Functions that miss an answer, and what they raise then. What they call may fail of mistakes."""

_PARSERS = frozenset(
    {
        _Place("langchain_core.output_parsers.openai_functions", "parse_result"),
        _Place("langchain_core.output_parsers.openai_tools", "parse_result"),
        _Place("openai._compat", "model_parse_json"),
    }
)
"""Functions that make pydantic's objects of answers, and let its `ValidationError` out.

LangChain's other parsers raise `OutputParserException` in its place.
"""


def _by_place(exc: BaseException) -> FailureMode | None:
    outwards = [
        _Place(str(frame.f_globals.get("__name__", "")), frame.f_code.co_name)
        for frame, _ in walk_tb(exc.__traceback__)
    ][::-1]
    is_missed = isinstance(exc, tuple(_MISSES[p] for p in outwards[:1] if p in _MISSES))
    is_plain = isinstance(
        exc, AttributeError | LookupError | RecursionError | TypeError | ValueError
    )
    if not is_missed and not is_plain:
        return None
    if _is_undecodable(exc, outwards):
        return FailureMode.MODEL_ERROR
    maker = next((place for place in outwards if place.package != "pydantic"), None)
    if maker in _PARSERS and isinstance(exc, ValueError):
        return FailureMode.SCHEMA_VIOLATION
    within = takewhile(lambda place: place.is_of_langchain, outwards)  # not in anybody's own code
    is_unreadable = any(p.function in _READERS or p in _SDK_READERS for p in within)
    if not is_missed and not is_unreadable:
        return None
    return _told_in(exc) or FailureMode.MODEL_ERROR


def _is_undecodable(exc: BaseException, outwards: list[_Place]) -> bool:
    client = next((place for place in outwards if place.package != "json"), None)
    if client is None or not isinstance(exc, RecursionError | ValueError):
        return False
    package, *inner = client.module.split(".")
    known = ".".join([_SAME_NAMES.get(package, package), *inner])
    return client._replace(module=known) in _DECODERS
