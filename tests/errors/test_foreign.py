"""What the exceptions of others mean."""

import asyncio
import errno
import http.client
import json
import socket
import ssl
import sys
import urllib.error
from importlib import import_module
from types import SimpleNamespace
from typing import get_args

import pytest
from langchain_core import exceptions as core
from langchain_core.exceptions import OutputParserException
from langgraph import errors as graph_errors
from langgraph.errors import GraphBubbleUp, GraphInterrupt

from langchain_control.errors import AttemptsExhausted, classify, retry_after_seconds
from langchain_control.errors.codes import MODE_OF_CODE, MODE_OF_STREAMED_CODE
from langchain_control.errors.foreign import steers_a_graph
from langchain_control.outcomes import ControlResult, FailureMode
from tests.sdk_errors import (
    CarriesStatusError,
    aiohttp_error,
    aws_error,
    aws_stream_error,
    built,
    google_error,
    httpx_error,
    langchain_openai_error,
    named,
    raised,
    requests_status,
    sdk_error,
    urllib_status,
)

TIMEOUT = FailureMode.TIMEOUT
TRANSIENT = FailureMode.MODEL_ERROR
REJECTED = FailureMode.MODEL_REJECTED
LIMITED = FailureMode.RATE_LIMITED
OVERFLOW = FailureMode.CONTEXT_OVERFLOW
REFUSAL = FailureMode.REFUSAL
SCHEMA = FailureMode.SCHEMA_VIOLATION

OURS = None
"""A mistake of the program or of the caller: raised on."""


class OpenRouterError(CarriesStatusError):
    """As in openrouter 0.11: with the status of a reply, and the reply as text."""

    __module__ = "openrouter.errors.openroutererror"

    body = "<html/>"


class ResponseValidationError(OpenRouterError):
    """Of a reply that its client cannot read."""

    __module__ = "openrouter.errors.responsevalidationerror"


class Retryable(core.ModelError):
    """An integration's own transient error."""

    is_retryable = True


OPENAI_STATUS = [
    ("BadRequestError", 400, REJECTED),
    ("AuthenticationError", 401, REJECTED),
    ("PermissionDeniedError", 403, REJECTED),
    ("NotFoundError", 404, REJECTED),
    ("ConflictError", 409, TRANSIENT),
    ("UnprocessableEntityError", 422, REJECTED),
    ("RateLimitError", 429, LIMITED),
    ("InternalServerError", 500, TRANSIENT),
    ("InternalServerError", 502, TRANSIENT),
    ("InternalServerError", 503, TRANSIENT),
    ("InternalServerError", 504, TIMEOUT),
    ("InternalServerError", 529, TRANSIENT),
    ("APIStatusError", 408, TIMEOUT),
]

CASES = [
    # langchain-core's family
    ("core ModelError", lambda: core.ModelError("m"), REJECTED),
    ("core ModelAuthenticationError", lambda: core.ModelAuthenticationError("m"), REJECTED),
    ("core ModelPermissionDeniedError", lambda: core.ModelPermissionDeniedError("m"), REJECTED),
    ("core ModelInvalidRequestError", lambda: core.ModelInvalidRequestError("m"), REJECTED),
    ("core ModelNotFoundError", lambda: core.ModelNotFoundError("m"), REJECTED),
    ("core ModelRateLimitError", lambda: core.ModelRateLimitError("m"), LIMITED),
    ("core ModelAPIError", lambda: core.ModelAPIError("m"), TRANSIENT),
    ("core ModelConnectionError", lambda: core.ModelConnectionError("m"), TRANSIENT),
    ("core ModelTimeoutError", lambda: core.ModelTimeoutError("m"), TIMEOUT),
    ("core ContextOverflowError", lambda: core.ContextOverflowError("m"), OVERFLOW),
    ("core OutputParserException", lambda: OutputParserException("m"), SCHEMA),
    ("a retryable ModelError of others", lambda: Retryable("m"), TRANSIENT),
    # the standard library
    ("TimeoutError", TimeoutError, TIMEOUT),
    ("asyncio.TimeoutError", asyncio.TimeoutError, TIMEOUT),
    ("socket.timeout", lambda: socket.timeout("m"), TIMEOUT),  # noqa: UP041  (its old name)
    ("ConnectionRefusedError", ConnectionRefusedError, TRANSIENT),
    ("ConnectionResetError", ConnectionResetError, TRANSIENT),
    ("BrokenPipeError", BrokenPipeError, TRANSIENT),
    ("RemoteDisconnected", lambda: http.client.RemoteDisconnected("m"), TRANSIENT),
    ("IncompleteRead", lambda: http.client.IncompleteRead(b""), TRANSIENT),
    ("asyncio.IncompleteReadError", lambda: asyncio.IncompleteReadError(b"", 9), TRANSIENT),
    ("no such host", lambda: socket.gaierror(-2, "m"), TRANSIENT),
    ("TLS", lambda: ssl.SSLError(1, "m"), TRANSIENT),
    ("no route to host", lambda: OSError(errno.EHOSTUNREACH, "m"), TRANSIENT),
    ("network is unreachable", lambda: OSError(errno.ENETUNREACH, "m"), TRANSIENT),
    ("a corrupt chunk", lambda: raised(lambda: json.loads("{")), TRANSIENT),
    ("urllib 503", lambda: urllib_status(503), TRANSIENT),
    ("urllib 401", lambda: urllib_status(401), REJECTED),
    ("urllib refused", lambda: urllib.error.URLError(ConnectionRefusedError()), TRANSIENT),
    ("urllib timeout", lambda: urllib.error.URLError(TimeoutError()), TIMEOUT),
    # openai and anthropic
    *(
        (f"{sdk} {name} {status}", lambda a=(sdk, name, status): sdk_error(*a), mode)
        for sdk in ("openai", "anthropic")
        for name, status, mode in OPENAI_STATUS
    ),
    *(
        (f"{sdk} {name}", lambda a=(sdk, name): sdk_error(*a), mode)
        for sdk in ("openai", "anthropic")
        for name, mode in [
            ("APIConnectionError", TRANSIENT),
            ("APITimeoutError", TIMEOUT),
            ("APIResponseValidationError", TRANSIENT),
            ("APIError", TRANSIENT),
        ]
    ),
    (
        "openai, an error in the stream",
        lambda: sdk_error("openai", "APIError", body={"type": "server_error"}),
        TRANSIENT,
    ),
    (
        "openai, a limit in the stream",
        lambda: sdk_error("openai", "APIError", body={"code": "rate_limit_exceeded"}),
        LIMITED,
    ),
    (
        "openai, a prompt too long",
        lambda: sdk_error(
            "openai",
            "BadRequestError",
            400,
            {"code": "context_length_exceeded", "type": "invalid_request_error"},
        ),
        OVERFLOW,
    ),
    (
        "openai, no quota left",
        lambda: sdk_error("openai", "RateLimitError", 429, {"code": "insufficient_quota"}),
        REJECTED,
    ),
    (
        "azure, a filtered prompt",
        lambda: sdk_error("openai", "BadRequestError", 400, {"code": "content_filter"}),
        REFUSAL,
    ),
    (
        "openai, a filtered answer",
        lambda: named("openai", "ContentFilterFinishReasonError"),
        REFUSAL,
    ),
    (
        "anthropic, overloaded in the stream",
        lambda: sdk_error(
            "anthropic", "APIStatusError", 200, {"error": {"type": "overloaded_error"}}
        ),
        TRANSIENT,
    ),
    (
        "anthropic, refused in the stream",
        lambda: sdk_error(
            "anthropic", "APIStatusError", 200, {"error": {"type": "invalid_request_error"}}
        ),
        REJECTED,
    ),
    (
        "langchain-openai context overflow",
        lambda: langchain_openai_error("OpenAIContextOverflowError", 400),
        OVERFLOW,
    ),
    (
        "langchain-openai rate limit",
        lambda: langchain_openai_error("OpenAIRateLimitError", 429),
        LIMITED,
    ),
    (
        "langchain-openai authentication",
        lambda: langchain_openai_error("OpenAIAuthenticationError", 401),
        REJECTED,
    ),
    (
        "langchain-openai server",
        lambda: langchain_openai_error("OpenAIAPIError", 500),
        TRANSIENT,
    ),
    (
        "langchain-openai gateway timeout",
        lambda: langchain_openai_error("OpenAIAPIError", 504),
        TIMEOUT,
    ),
    # google
    ("google 400", lambda: google_error(400, "INVALID_ARGUMENT"), REJECTED),
    ("google 403", lambda: google_error(403, "PERMISSION_DENIED"), REJECTED),
    ("google 429", lambda: google_error(429, "RESOURCE_EXHAUSTED"), LIMITED),
    ("google 499", lambda: google_error(499, "CANCELLED"), TRANSIENT),
    ("google 500", lambda: google_error(500, "INTERNAL"), TRANSIENT),
    ("google 503", lambda: google_error(503, "UNAVAILABLE"), TRANSIENT),
    ("google 504", lambda: google_error(504, "DEADLINE_EXCEEDED"), TIMEOUT),
    (
        "google, no JSON",
        lambda: named("google.genai.errors", "UnknownApiResponseError", "m"),
        TRANSIENT,
    ),
    (
        "google, no token",
        lambda: named("google.auth.exceptions", "RefreshError", "m"),
        REJECTED,
    ),
    (
        "google, token server away",
        lambda: named("google.auth.exceptions", "TransportError", "m"),
        TRANSIENT,
    ),
    # httpx and its successor
    *(
        (f"{package} {name}", lambda a=(package, name): httpx_error(*a), mode)
        for package in ("httpx", "httpx2")
        for name, mode in [
            ("ConnectTimeout", TIMEOUT),
            ("ReadTimeout", TIMEOUT),
            ("WriteTimeout", TIMEOUT),
            ("PoolTimeout", TIMEOUT),
            ("ConnectError", TRANSIENT),
            ("ReadError", TRANSIENT),
            ("WriteError", TRANSIENT),
            ("CloseError", TRANSIENT),
            ("RemoteProtocolError", TRANSIENT),
            ("ProxyError", TRANSIENT),
            ("DecodingError", TRANSIENT),
            ("TooManyRedirects", REJECTED),
            ("UnsupportedProtocol", OURS),
            ("LocalProtocolError", OURS),
            ("InvalidURL", OURS),
        ]
    ),
    *(
        (
            f"httpx status {status}",
            lambda s=status: httpx_error("httpx", "HTTPStatusError", status=s),
            mode,
        )
        for status, mode in [(302, REJECTED), (401, REJECTED), (429, LIMITED), (503, TRANSIENT)]
    ),
    ("httpcore ReadTimeout", lambda: named("httpcore", "ReadTimeout", "m"), TIMEOUT),
    ("httpcore ConnectError", lambda: named("httpcore", "ConnectError", "m"), TRANSIENT),
    # requests and urllib3
    *(
        (f"requests {name}", lambda n=name: named("requests.exceptions", n, "m"), mode)
        for name, mode in [
            ("ConnectTimeout", TIMEOUT),
            ("ReadTimeout", TIMEOUT),
            ("ConnectionError", TRANSIENT),
            ("SSLError", TRANSIENT),
            ("ProxyError", TRANSIENT),
            ("ChunkedEncodingError", TRANSIENT),
            ("ContentDecodingError", TRANSIENT),
            ("RetryError", TRANSIENT),
            ("TooManyRedirects", REJECTED),
            ("MissingSchema", OURS),
            ("InvalidURL", OURS),
        ]
    ),
    ("requests 429", lambda: requests_status(429), LIMITED),
    ("requests 500", lambda: requests_status(500), TRANSIENT),
    ("requests 404", lambda: requests_status(404), REJECTED),
    ("urllib3 ProtocolError", lambda: named("urllib3.exceptions", "ProtocolError", "m"), TRANSIENT),
    (
        "urllib3 ReadTimeoutError",
        lambda: named("urllib3.exceptions", "ReadTimeoutError", None, "u", "m"),
        TIMEOUT,
    ),
    (
        "urllib3 NewConnectionError",
        lambda: named("urllib3.exceptions", "NewConnectionError", None, "m"),
        TRANSIENT,
    ),
    (
        "urllib3, retries used up",
        lambda: named("urllib3.exceptions", "MaxRetryError", None, "u", None),
        TRANSIENT,
    ),
    (
        "urllib3, retries used up by timeouts",
        lambda: named(
            "urllib3.exceptions",
            "MaxRetryError",
            None,
            "u",
            named("urllib3.exceptions", "ConnectTimeoutError", "m"),
        ),
        TIMEOUT,
    ),
    # aiohttp
    ("aiohttp disconnected", lambda: named("aiohttp", "ServerDisconnectedError"), TRANSIENT),
    ("aiohttp timeout", lambda: named("aiohttp", "ServerTimeoutError"), TIMEOUT),
    ("aiohttp payload", lambda: named("aiohttp", "ClientPayloadError"), TRANSIENT),
    ("aiohttp reset", lambda: named("aiohttp", "ClientConnectionResetError"), TRANSIENT),
    ("aiohttp 429", lambda: aiohttp_error("ClientResponseError", 429), LIMITED),
    ("aiohttp 503", lambda: aiohttp_error("ClientResponseError", 503), TRANSIENT),
    ("aiohttp 401", lambda: aiohttp_error("ClientResponseError", 401), REJECTED),
    ("aiohttp content type", lambda: aiohttp_error("ContentTypeError", 200), TRANSIENT),
    ("aiohttp URL", lambda: named("aiohttp", "InvalidURL", "m"), OURS),
    # botocore
    ("aws throttled", lambda: aws_error("ThrottlingException", 429), LIMITED),
    ("aws throttled with 400", lambda: aws_error("ThrottlingException", 400), LIMITED),
    ("aws throttled in the stream", lambda: aws_stream_error("throttlingException"), LIMITED),
    ("aws failed in the stream", lambda: aws_stream_error("modelStreamErrorException"), TRANSIENT),
    ("aws refused in the stream", lambda: aws_stream_error("validationException"), REJECTED),
    ("aws model timeout", lambda: aws_error("ModelTimeoutException", 408), TIMEOUT),
    ("aws model error", lambda: aws_error("ModelErrorException", 424), TRANSIENT),
    ("aws model not ready", lambda: aws_error("ModelNotReadyException", 429), TRANSIENT),
    ("aws validation", lambda: aws_error("ValidationException", 400), REJECTED),
    ("aws access", lambda: aws_error("AccessDeniedException", 403), REJECTED),
    ("aws unavailable", lambda: aws_error("ServiceUnavailableException", 503), TRANSIENT),
    *(
        (f"botocore {name}", lambda n=name, k=kwargs: named("botocore.exceptions", n, **k), mode)
        for name, kwargs, mode in [
            ("ReadTimeoutError", {"endpoint_url": "u"}, TIMEOUT),
            ("ConnectTimeoutError", {"endpoint_url": "u"}, TIMEOUT),
            ("EndpointConnectionError", {"endpoint_url": "u"}, TRANSIENT),
            ("ConnectionClosedError", {"endpoint_url": "u"}, TRANSIENT),
            ("ProxyConnectionError", {"proxy_url": "u"}, TRANSIENT),
            ("SSLError", {"endpoint_url": "u", "error": "m"}, TRANSIENT),
            ("HTTPClientError", {"error": "m"}, TRANSIENT),
            ("ResponseStreamingError", {"error": "m"}, TRANSIENT),
            ("NoCredentialsError", {}, REJECTED),
            ("ParamValidationError", {"report": "m"}, OURS),
            ("UnknownServiceError", {"service_name": "s", "known_service_names": "t"}, OURS),
        ]
    ),
    *(
        (f"botocore {name}", lambda m=module, n=name: named(f"botocore.{m}", n, "m"), TRANSIENT)
        for module, name in [("parsers", "ResponseParserError"), ("eventstream", "ParserError")]
    ),
    ("google, no content", lambda: google_error(204, "No Content"), TRANSIENT),
    *(
        (
            f"groq, {code}",
            lambda c=code: sdk_error("openai", "BadRequestError", 400, {"error": {"code": c}}),
            SCHEMA,
        )
        for code in ("tool_use_failed", "json_validate_failed")
    ),
    # ollama
    ("ollama, an error in the stream", lambda: named("ollama", "ResponseError", "m"), TRANSIENT),
    ("ollama 404", lambda: named("ollama", "ResponseError", "m", 404), REJECTED),
    ("ollama, no request", lambda: named("ollama", "RequestError", "m"), OURS),
    # openrouter
    ("openrouter, a web page", lambda: OpenRouterError(200), TRANSIENT),
    ("openrouter, an unreadable reply", lambda: ResponseValidationError(200), TRANSIENT),
    ("openrouter 401", lambda: OpenRouterError(401), REJECTED),
    ("openrouter 429", lambda: OpenRouterError(429), LIMITED),
    # any other SDK
    *((f"status {status}", lambda s=status: CarriesStatusError(s), mode) for status, mode in [
        (200, OURS), (400, REJECTED), (402, REJECTED), (408, TIMEOUT), (409, TRANSIENT),
        (413, REJECTED), (425, TRANSIENT), (429, LIMITED), (500, TRANSIENT), (501, REJECTED),
        (529, TRANSIENT), (599, TRANSIENT), (600, OURS), (None, OURS), (True, OURS), ("503", OURS),
    ]),
    # mistakes, interrupts and cancellation
    ("KeyError", lambda: KeyError("k"), OURS),
    ("TypeError", lambda: TypeError("m"), OURS),
    ("ValueError", lambda: ValueError("m"), OURS),
    ("AttributeError", lambda: AttributeError("m"), OURS),
    ("AssertionError", AssertionError, OURS),
    ("FileNotFoundError", lambda: FileNotFoundError(errno.ENOENT, "m"), OURS),
    ("PermissionError", lambda: PermissionError(errno.EACCES, "m"), OURS),
    ("RecursionError", RecursionError, OURS),
    ("MemoryError", MemoryError, OURS),
    ("GraphBubbleUp", GraphBubbleUp, OURS),
    ("CancelledError", asyncio.CancelledError, OURS),
    ("KeyboardInterrupt", KeyboardInterrupt, OURS),
    ("SystemExit", lambda: SystemExit(1), OURS),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "mode"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_real_exceptions_are_classified(make, mode):
    """What the SDKs really raise means one thing each, or is raised on."""
    assert classify(built(make)) is mode


class FromModuleError(Exception):
    """Stands for an SDK's exception that is known by its name."""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("httpx_sse._exceptions", "SSEError"),
        ("cohere.core.http_sse._exceptions", "SSEError"),
        ("cohere.core.api_error", "ApiError"),
    ],
)
def test_a_reply_that_an_sdk_could_not_read_is_known_by_name(module, name):
    """It came with status 200, or without any."""
    exc = type(name, (FromModuleError,), {"__module__": module})()
    exc.status_code = 200

    assert classify(exc) is TRANSIENT


# --- a prompt that is too long --------------------------------------------------------------------

TOO_LONG = {
    "vLLM": "This model's maximum context length is 4096 tokens. However, you requested 5000",
    "Mistral": "Prompt contains 9 tokens, too large for model with 8 maximum context length",
    "Anthropic": "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "Claude on Bedrock": "prompt is too long: 200001 tokens > 200000 maximum",
    "Bedrock": "Input is too long for requested model.",
    "Cohere": "too many tokens: size limit exceeded by 5000 tokens.",
    "Ollama": "the input length exceeds the context length",
    "llama.cpp": "the request exceeds the available context size, try increasing it",
    "Gemini": "The input token count (2) exceeds the maximum number of tokens allowed (1).",
    "LiteLLM": "litellm.ContextWindowExceededError: m",
}


def saying(message, status, where):
    """An exception whose message stands where some SDK puts it."""
    exc = CarriesStatusError(status)
    exc.body = {"body": {"message": message}, "error": {"error": {"message": message}}}.get(where)
    if where == "args":
        exc.args = (message,)
    return exc


@pytest.mark.parametrize("where", ["body", "error", "args"])
@pytest.mark.parametrize("message", TOO_LONG.values(), ids=TOO_LONG)
def test_a_prompt_that_is_too_long_is_known_by_what_is_said_of_it(message, where):
    """Most servers have no code for it."""
    assert classify(saying(message, 400, where)) is OVERFLOW
    assert classify(saying(message, 413, where)) is OVERFLOW


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_words_count_where_a_request_was_turned_down(status):
    """Elsewhere they may be anybody's."""
    assert classify(saying("too many tokens", status, "args")) is not OVERFLOW


def test_what_langchain_calls_a_bad_request_may_be_a_prompt_that_is_too_long():
    """Its own exception says less than the server's words."""
    exc = core.ModelInvalidRequestError("input length exceeds the context length")
    exc.status_code = 400

    assert classify(exc) is OVERFLOW


def test_only_the_beginning_of_a_message_is_read():
    """A server may send the whole prompt back."""
    assert classify(saying("x" * 10_000 + "too many tokens", 400, "args")) is REJECTED


def test_llama_cpps_own_code_is_known():
    """Its words may change."""
    exc = CarriesStatusError(400)
    exc.body = {"error": {"type": "exceed_context_size_error", "message": "m"}}

    assert classify(exc) is OVERFLOW


def test_a_message_that_cannot_be_told_tells_nothing():
    """An exception may fail to say what it is."""

    class DumbError(CarriesStatusError):
        __str__ = _not_yet

    assert classify(DumbError(400)) is REJECTED


def test_an_error_in_a_stream_is_found_in_the_body():
    """SDKs that do not read the body leave its error there."""
    exc = CarriesStatusError(200)
    exc.body = {"type": "error", "error": {"type": "overloaded_error"}}

    assert classify(exc) is TRANSIENT


def test_a_subclass_means_what_its_base_means():
    """Applications subclass the errors of their SDK."""

    class SlowError(TimeoutError):
        pass

    assert classify(SlowError()) is TIMEOUT


def test_a_name_alone_is_not_enough():
    """An application's own class of the same name is not an SDK's."""

    class APIError(Exception):
        pass

    assert classify(APIError()) is None


# --- properties that raise ------------------------------------------------------------------------

READ = ("body", "details", "headers", "is_retryable", "reason", "response", "status_code")
"""What is read of an exception, whoever made it."""


def _not_yet(_):
    msg = "no response yet"
    raise RuntimeError(msg)


@pytest.mark.parametrize(
    ("base", "mode"),
    [(Exception, OURS), (ConnectionError, TRANSIENT), (core.ModelError, REJECTED)],
)
def test_a_property_that_raises_tells_nothing(base, mode):
    """The exception itself is what must be raised on, or become a value."""
    kind = type("UnreadableError", (base,), dict.fromkeys(READ, property(_not_yet)))

    assert classify(kind("m")) is mode
    assert retry_after_seconds(kind("m")) is None


def test_a_response_that_raises_tells_nothing():
    """Clients raise where a response is read that was not received."""
    exc = CarriesStatusError(429)
    exc.response = type("Response", (), dict.fromkeys(READ, property(_not_yet)))()

    assert classify(exc) is LIMITED
    assert retry_after_seconds(exc) is None


# --- groups ---------------------------------------------------------------------------------------


def caused(exc, cause):
    """Return an exception as if it were raised `from` another."""
    exc.__cause__ = cause
    return exc


@pytest.mark.parametrize(
    ("within", "mode"),
    [
        ([ConnectionError()], TRANSIENT),
        ([TimeoutError(), ConnectionError()], TIMEOUT),
        ([ExceptionGroup("g", [CarriesStatusError(429)]), TimeoutError()], LIMITED),
        ([caused(ValueError(), TimeoutError())], TIMEOUT),
        ([ConnectionError(), KeyError("k")], OURS),
        ([ExceptionGroup("g", [ConnectionError(), KeyError("k")])], OURS),
        ([caused(GraphInterrupt(), TimeoutError())], OURS),
    ],
    ids=repr,
)
def test_a_group_means_the_first_in_it_unless_one_is_a_mistake(within, mode):
    """Clients that use `asyncio.TaskGroup` or anyio raise what befell them in groups."""
    group = ExceptionGroup("unhandled errors in a TaskGroup", within)

    assert classify(group) is mode
    assert classify(caused(RuntimeError("of an SDK"), group)) is mode


def test_a_group_with_a_cancellation_is_raised_on():
    """Whoever cancelled waits for it."""
    assert classify(BaseExceptionGroup("g", [ConnectionError(), asyncio.CancelledError()])) is None


def test_a_group_may_be_declared_as_a_whole():
    """What the application says goes first."""
    group = ExceptionGroup("g", [KeyError("k")])

    assert classify(group, ((ExceptionGroup, TRANSIENT),)) is TRANSIENT
    assert classify(group, ((KeyError, REJECTED),)) is REJECTED


def test_a_group_raised_from_within_itself_is_classified():
    """A chain may be a ring."""
    mistake = KeyError("k")
    group = ExceptionGroup("g", [mistake])
    mistake.__cause__ = group

    assert classify(group) is None


# --- where it was raised --------------------------------------------------------------------------


def at(exc, *places):
    """Return an exception raised in the last of these functions, each called by the one before."""
    call = None
    for module, function in reversed(places):
        space = {"__name__": module, "exc": exc, "call": call}
        exec(f"def {function}():\n    if call: call()\n    raise exc\n", space)
        call = space[function]
    try:
        call()
    except type(exc) as raised_there:
        return raised_there


CORE = "langchain_core.language_models.chat_models"
HUGGING_FACE = "huggingface_hub.inference._generated.types.base"


class FireworksError(Exception):
    """As in fireworks-ai 1.2: of an empty stream, and of a client without a key."""

    __module__ = "fireworks"


@pytest.mark.parametrize(
    ("module", "function", "exc", "mode"),
    [
        ("langchain_groq.chat_models", "_create_chat_result", AttributeError("m"), TRANSIENT),
        ("langchain_anthropic.chat_models", "_format_output", KeyError("m"), TRANSIENT),
        ("langchain_ollama.chat_models", "_chat_stream_with_aggregation", ValueError(), TRANSIENT),
        ("langchain_ollama.chat_models", "_achat_stream_with_aggregation", ValueError(), TRANSIENT),
        (CORE, "invoke", IndexError("m"), TRANSIENT),
        (CORE, "astream", ValueError("m"), TRANSIENT),
        (CORE, "invoke", ValueError("m"), OURS),
        (CORE, "stream", AttributeError("m"), OURS),
        (CORE, "_convert_input", ValueError("m"), OURS),
        ("langchain_aws.chat_models.bedrock_converse", "_parse_response", ValueError(), TRANSIENT),
        (
            "langchain_aws.chat_models.bedrock_converse",
            "_parse_stream_event",
            KeyError(),
            TRANSIENT,
        ),
        ("langchain_cohere.chat_models", "_extract_content_and_thinking", TypeError(), TRANSIENT),
        ("langchain_cohere.chat_models", "_get_stream_info_v2", AttributeError(), TRANSIENT),
        ("langchain_cohere.chat_models", "_get_generation_info_v2", AttributeError(), TRANSIENT),
        ("langchain_fireworks.chat_models", "_raise_empty_stream", FireworksError(), TRANSIENT),
        ("langchain_fireworks.chat_models", "validate_environment", FireworksError(), OURS),
        ("botocore.parsers", "_parse_payload", TypeError("m"), TRANSIENT),
        ("botocore.parsers", "_parse_payload", KeyError("m"), OURS),
        ("botocore.validate", "_parse_payload", TypeError("m"), OURS),
        (HUGGING_FACE, "parse_obj", ValueError("m"), TRANSIENT),
        (HUGGING_FACE, "parse_obj", RuntimeError("m"), OURS),
        ("fireworks._streaming", "json", ValueError("m"), TRANSIENT),
        ("ollama._client", "inner", ValueError("m"), TRANSIENT),
        ("ollama._client", "_request", TypeError("m"), TRANSIENT),
        ("httpx._models", "json", RecursionError(), TRANSIENT),
        ("httpx2._models", "json", ValueError("m"), TRANSIENT),
        ("requests.models", "json", ValueError("m"), TRANSIENT),
        ("aiohttp.client_reqrep", "json", ValueError("m"), TRANSIENT),
        ("anthropic._streaming", "iter_bytes", ValueError("m"), TRANSIENT),
        ("httpx._models", "json", KeyError("m"), OURS),
        ("httpx._urlparse", "urlparse", ValueError("m"), OURS),
        ("my_models", "json", ValueError("m"), OURS),
        ("ollama._client", "_copy_messages", ValueError("m"), OURS),
        ("langchain_ollama.chat_models", "_create_chat_stream", ValueError("m"), OURS),
        ("langchain_groq.chat_models", "_generate", TypeError("m"), OURS),
        ("langchain_groq.chat_models", "_create_chat_result", RuntimeError("m"), OURS),
        ("langchain_core.runnables.base", "invoke", IndexError("m"), OURS),
        ("langchain_control.testing", "_create_chat_result", KeyError("m"), OURS),
        ("my_models", "_create_chat_result", KeyError("m"), OURS),
    ],
)
def test_what_langchain_cannot_read_is_the_providers_trouble(module, function, exc, mode):
    """Where replies are read, plain exceptions tell of the reply; elsewhere, of a mistake."""
    assert classify(at(exc, (module, function))) is mode


RESPONSES = ("langchain_openai.chat_models.base", "_construct_lc_result_from_responses_api")


@pytest.mark.parametrize(
    ("told", "mode"),
    [
        (SimpleNamespace(code="rate_limit_exceeded"), LIMITED),
        (SimpleNamespace(code="server_error"), TRANSIENT),
        (SimpleNamespace(code="invalid_prompt"), REFUSAL),
        (SimpleNamespace(code="invalid_image_url"), REJECTED),
        ("code='rate_limit_exceeded' message='m'", LIMITED),
        ("rate_limit_exceeded: m", LIMITED),
        ("Response resp_1 failed.", TRANSIENT),
        ({"code": 429, "message": "m"}, LIMITED),
        ({"code": 502, "message": "m"}, TRANSIENT),
        ({"message": "m", "type": "rate_limit_error", "code": None}, LIMITED),
        ({"code": True}, TRANSIENT),
        (None, TRANSIENT),
    ],
    ids=str,
)
def test_an_error_in_place_of_an_answer_is_told_by_its_code(told, mode):
    """LangChain raises what stood in a reply as a plain `ValueError`."""
    assert classify(at(ValueError(told), RESPONSES)) is mode


def test_every_code_of_openais_responses_is_known():
    """A code that a new version of the SDK brings is noticed here."""
    try:
        errors = import_module("openai.types.responses.response_error")
    except ModuleNotFoundError:
        pytest.skip("openai is not installed")
    codes = get_args(errors.ResponseError.model_fields["code"].annotation)

    assert codes
    assert [code for code in codes if code not in MODE_OF_CODE | MODE_OF_STREAMED_CODE] == []


@pytest.mark.parametrize(
    ("inner", "mode"), [("langchain_core.messages.ai", TRANSIENT), ("my_parts", OURS)]
)
def test_what_a_reader_calls_counts_where_it_is_langchains_too(inner, mode):
    """A message refuses its parts for the provider's sake; somebody's own code fails for its."""
    reader = ("langchain_groq.chat_models", "_create_chat_result")

    assert classify(at(TypeError("m"), reader, (inner, "build"))) is mode


def test_what_is_called_where_an_answer_is_missed_may_be_a_mistake():
    """Only the function that looks for the answer can miss it."""
    assert classify(at(ValueError("m"), (CORE, "stream"), ("my_models", "_stream"))) is OURS


TOOLS = ("langchain_core.output_parsers.openai_tools", "parse_result")
WITHIN_PYDANTIC = ("pydantic.main", "__init__")


@pytest.mark.parametrize(
    ("exc", "places", "mode"),
    [
        (ValueError("m"), [TOOLS, WITHIN_PYDANTIC], SCHEMA),
        (ValueError("m"), [TOOLS, ("pydantic.v1.main", "__init__")], SCHEMA),
        (ValueError("m"), [TOOLS], SCHEMA),
        (ValueError("m"), [("openai._compat", "model_parse_json"), WITHIN_PYDANTIC], SCHEMA),
        (KeyError("m"), [TOOLS, WITHIN_PYDANTIC], OURS),
        (ValueError("m"), [TOOLS, ("my_models", "check")], OURS),
        (ValueError("m"), [TOOLS, ("my_models", "check"), WITHIN_PYDANTIC], OURS),
        (ValueError("m"), [("my_parts", "parse_result"), WITHIN_PYDANTIC], OURS),
    ],
)
def test_what_makes_no_object_of_an_answer_is_the_answers_fault(exc, places, mode):
    """Where a parser hands an answer to pydantic; in an application's own code it is a mistake."""
    assert classify(at(exc, *places)) is mode


# --- what steers a graph --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exc", "steers"),
    [
        (GraphBubbleUp(), True),
        (GraphInterrupt(), True),
        (graph_errors.GraphRecursionError(), False),
        (ValueError("a bug"), False),
        (TimeoutError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_interrupts_steer_a_graph_and_failures_do_not(exc, steers):
    """What LangGraph raises to stop or redirect a graph is told from what went wrong."""
    assert steers_a_graph(exc) is steers


def test_an_invalid_resume_steers_a_graph(monkeypatch):
    """Newer LangGraph raises on an answer that fits no interrupt, and says which errors are it."""

    def is_invalid_resume(exc):
        return isinstance(exc, KeyError)

    monkeypatch.setattr(graph_errors, "is_invalid_resume", is_invalid_resume, raising=False)
    assert steers_a_graph(KeyError())
    assert not steers_a_graph(ValueError())


def test_without_langgraph_nothing_steers_a_graph(monkeypatch):
    """LangGraph is not loaded for the question."""
    monkeypatch.delitem(sys.modules, "langgraph.errors")
    assert not steers_a_graph(GraphBubbleUp())
    assert "langgraph.errors" not in sys.modules


class WrappedError(Exception):
    """What a library of somebody's own makes of every exception."""


def because_of(cause, exc):
    """Give an exception a cause, as `raise ... from` does."""
    exc.__cause__ = cause
    return exc


OUT_OF_TIME = ControlResult(status="exhausted", failure_mode=TIMEOUT)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("cause", "mode"),
    [
        (ConnectionError(), TRANSIENT),
        (TimeoutError(), TIMEOUT),
        (CarriesStatusError(429), LIMITED),
        (AttemptsExhausted(result=OUT_OF_TIME), TIMEOUT),
        (KeyError(), OURS),
    ],
    ids=repr,
)
def test_what_was_raised_from_a_known_exception_means_the_same(cause, mode, times):
    """A provider's failure in a wrapper of somebody's own was a mistake of the program."""
    for _ in range(times):
        cause = because_of(cause, WrappedError())

    assert classify(cause) is mode


def test_what_an_exception_says_itself_comes_before_its_cause():
    """An SDK raises its timeout from the connection error below."""
    assert classify(because_of(ConnectionError(), TimeoutError())) is TIMEOUT


def test_a_mistake_in_handling_a_failure_is_a_mistake():
    """Without `from`, a bug in an error handler is not taken for the failure it was handling."""
    bug = KeyError("reason")
    bug.__context__ = ConnectionError()

    assert classify(bug) is OURS


def test_an_interrupt_has_no_cause_that_matters():
    """A graph that a failure made ask a person is interrupted, and has not failed."""
    assert classify(because_of(ConnectionError(), GraphInterrupt())) is OURS


def test_a_ring_of_causes_is_left():
    """Two exceptions that name each other as their cause explain nothing, and hold up nobody."""
    one = WrappedError()
    other = because_of(one, WrappedError())

    assert classify(because_of(other, one)) is OURS
