"""What the exceptions of SDKs and HTTP clients mean by their names. No SDK is imported for that."""

from __future__ import annotations

from langchain_control.outcomes import FailureMode

__all__ = ["by_name", "known_as"]

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


def by_name(exc: BaseException) -> FailureMode | None:
    """Say what an exception means by its package and class, or those of its bases."""
    for kind in type(exc).__mro__:
        package = known_as(kind.__module__).split(".")[0]
        if mode := _MODE_OF_NAME.get(f"{package}.{kind.__name__}"):
            return mode
    return None


def known_as(module: str) -> str:
    """Return a module's name as it is in the package whose exceptions are called alike."""
    package, *inner = module.split(".")
    return ".".join([_SAME_NAMES.get(package, package), *inner])
