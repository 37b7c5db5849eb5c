"""The exceptions an application meets, and what foreign exceptions mean.

```
ControlError(LangChainException)   .result
├── InputRejected                  the guard turned the input away
├── BudgetExceeded                 the prompt cannot fit its budget
├── CircuitOpen                    .retry_after
├── RateLimited                    .retry_after
├── ResponseRejected               an answer broke its contract (also an OutputParserException)
└── AttemptsExhausted              every attempt and every fallback failed
```
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_core import exceptions as core
from langchain_core.exceptions import LangChainException, OutputParserException

from langchain_control.outcomes import ControlResult, FailureMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_control.outcomes import ValidationResult

__all__ = [
    "AttemptsExhausted",
    "BudgetExceeded",
    "CircuitOpen",
    "ControlError",
    "InputRejected",
    "RateLimited",
    "ResponseRejected",
    "classify",
    "error_for",
    "rejection",
    "retry_after_seconds",
]


class ControlError(LangChainException):
    """A named failure. `result` holds how it came about."""

    result: ControlResult

    def __init__(self, message: str = "", *, result: ControlResult | None = None) -> None:
        """Keep the result; without a message, say the result's reason."""
        self.result = result or ControlResult(status="rejected", reason=message)
        super().__init__(message or self.result.reason)

    @property
    def failure_mode(self) -> FailureMode:
        """What happened."""
        return self.result.failure_mode

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the result through pickling, as process pools need."""
        return _rebuild, (type(self), str(self), self.result)


def _rebuild(kind: type[ControlError], message: str, result: ControlResult) -> ControlError:
    return kind(message, result=result)


class InputRejected(ControlError):
    """The input was turned away before any model call."""


class BudgetExceeded(ControlError):
    """The prompt cannot fit its token budget; no model call was made."""


class CircuitOpen(ControlError):
    """The provider's circuit is open; no call was made."""

    @property
    def retry_after(self) -> float | None:
        """Seconds until the circuit lets a probe through."""
        return self.result.retry_after


class RateLimited(ControlError):
    """The rate limit of the policy was reached; no model call was made."""

    @property
    def retry_after(self) -> float | None:
        """Seconds until the limit has room again."""
        return self.result.retry_after


class ResponseRejected(ControlError, OutputParserException):
    """An answer broke its contract.

    Also an `OutputParserException`, so that handlers written for LangChain's parsers recognize it.
    """

    def __init__(self, message: str = "", *, result: ControlResult | None = None) -> None:
        """Set the parser exception's fields without handing it any model output."""
        ControlError.__init__(self, message, result=result)
        self.observation = None
        self.llm_output = None
        self.send_to_llm = False


class AttemptsExhausted(ControlError):
    """Every attempt and every fallback failed."""


def error_for(result: ControlResult) -> ControlError:
    """Return the exception that stands for a failed result."""
    if result.failure_mode is FailureMode.CIRCUIT_OPEN:
        return CircuitOpen(result=result)
    if result.status != "rejected":
        return AttemptsExhausted(result=result)
    if result.failure_mode is FailureMode.RATE_LIMITED:
        return RateLimited(result=result)
    return (BudgetExceeded if result.step == "build" else InputRejected)(result=result)


def rejection(verdict: ValidationResult, kind: type[ControlError]) -> ControlError:
    """Turn a gate's verdict into the exception its Runnable raises."""
    result = ControlResult(
        status="rejected",
        failure_mode=verdict.failure_mode,
        reason=verdict.message,
        violations=verdict.violations,
        findings=verdict.findings,
        retry_after=verdict.retry_after,
    )
    return kind(result=result)


# --- what foreign exceptions mean ---------------------------------------------------------------

_REFUSAL_ERROR = getattr(core, "ModelRefusalError", None)  # langchain-core >= 1.7.5

_MODE_OF_TYPE: tuple[tuple[type[BaseException], FailureMode], ...] = (
    *(((_REFUSAL_ERROR, FailureMode.REFUSAL),) if _REFUSAL_ERROR else ()),
    (core.ContextOverflowError, FailureMode.TOKEN_OVERFLOW),
    (core.ModelRateLimitError, FailureMode.RATE_LIMITED),
    (core.ModelTimeoutError, FailureMode.TIMEOUT),
    (core.ModelConnectionError, FailureMode.MODEL_ERROR),
    (core.ModelAPIError, FailureMode.MODEL_ERROR),
    (core.ModelError, FailureMode.MODEL_REJECTED),
    (core.OutputParserException, FailureMode.SCHEMA_VIOLATION),
    (TimeoutError, FailureMode.TIMEOUT),
    (ConnectionError, FailureMode.MODEL_ERROR),
    (json.JSONDecodeError, FailureMode.MODEL_ERROR),
)
"""First match wins.

A `JSONDecodeError` out of a model call is a corrupt chunk on the wire (seen with openai's stream),
not a bad answer: an answer is parsed by the validator, never by the call.
"""

_MODE_OF_STATUS: dict[int, FailureMode] = {
    408: FailureMode.TIMEOUT,
    409: FailureMode.MODEL_ERROR,
    425: FailureMode.MODEL_ERROR,
    429: FailureMode.RATE_LIMITED,
    504: FailureMode.TIMEOUT,
}

_FIRST_CLIENT_ERROR, _FIRST_SERVER_ERROR, _LAST_STATUS = 400, 500, 599

_HTTP_CLIENTS = ("httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "aiohttp")


def classify(exc: BaseException) -> FailureMode | None:
    """Say what an exception out of a model call means, or `None` if it is not the model's.

    Knows langchain-core's `ModelError` family, this package's own errors, timeouts and connection
    errors of the standard library and the usual HTTP clients, and any exception that carries an
    HTTP status. Everything else is a programming error and must be raised on.
    """
    if isinstance(exc, ControlError):
        return exc.failure_mode
    status = _http_status(exc)
    for kind, mode in _MODE_OF_TYPE:
        if isinstance(exc, kind):
            return mode
    if status is not None:
        return _mode_of_status(status)
    return _mode_of_client_error(exc)


def retry_after_seconds(exc: BaseException) -> float | None:
    """Return the wait a provider asked for in its `Retry-After` header, in seconds.

    Understands the seconds form and `retry-after-ms`; the date form is read against the response's
    own `Date` header, so that a wrong local clock does not matter.
    """
    if isinstance(exc, ControlError):
        return exc.result.retry_after
    headers: Any = getattr(getattr(exc, "response", None), "headers", None)
    get: Callable[[str], str | None] | None = getattr(headers, "get", None)
    if get is None:
        return None
    if (milliseconds := _number(get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    header = get("retry-after") or get("Retry-After")
    if (seconds := _number(header)) is not None:
        return seconds
    return _seconds_between(get("date") or get("Date"), header)


def _http_status(exc: BaseException) -> int | None:
    """Find an HTTP status where SDKs put it: on the exception, its response, or botocore's dict."""
    response: Any = getattr(exc, "response", None)
    if isinstance(response, dict):
        candidates = [response.get("ResponseMetadata", {}).get("HTTPStatusCode")]
    else:
        candidates = [
            getattr(exc, "status_code", None),
            getattr(exc, "code", None),
            getattr(response, "status_code", None),
        ]
    return next((c for c in candidates if isinstance(c, int) and not isinstance(c, bool)), None)


def _mode_of_status(status: int) -> FailureMode | None:
    if mode := _MODE_OF_STATUS.get(status):
        return mode
    if _FIRST_SERVER_ERROR <= status <= _LAST_STATUS:
        return FailureMode.MODEL_ERROR
    if _FIRST_CLIENT_ERROR <= status < _FIRST_SERVER_ERROR:
        return FailureMode.MODEL_REJECTED
    return None


def _mode_of_client_error(exc: BaseException) -> FailureMode | None:
    """Recognize HTTP clients' own errors by module and name, without importing any client."""
    for kind in type(exc).__mro__:
        if kind.__module__.split(".")[0] not in (*_HTTP_CLIENTS, "botocore", "openai", "anthropic"):
            continue
        if "Timeout" in kind.__name__:
            return FailureMode.TIMEOUT
        if any(word in kind.__name__ for word in ("Connect", "Network", "Protocol", "ReadError")):
            return FailureMode.MODEL_ERROR
    return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _seconds_between(start: str | None, end: str | None) -> float | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  (rare; keeps import light)

    if start is None or end is None:
        return None
    try:
        return max(0.0, (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds())
    except (ValueError, TypeError):
        return None
