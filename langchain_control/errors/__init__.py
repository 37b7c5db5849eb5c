"""The exceptions an application meets, and what foreign exceptions mean.

```
ControlError(LangChainException, RuntimeError)   .result, .retry_after
├── InputRejected                  the guard turned the input away
├── BudgetExceeded                 the prompt cannot fit its budget
├── CircuitOpen                    the provider's circuit is open
├── RateLimited                    a limit on calls was reached
├── ResponseRejected               an answer broke its contract (also an OutputParserException)
└── AttemptsExhausted              every attempt and every fallback failed
    └── AnswersRejected            the last one for its answer (also a ResponseRejected)
```
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.exceptions import LangChainException, OutputParserException

from langchain_control.errors.answers import OF_ANSWERS
from langchain_control.errors.declared import FailureModes, declared_mode
from langchain_control.errors.foreign import explained, gathered_in, mode_of
from langchain_control.errors.listeners import gets_out
from langchain_control.errors.retry_after import seconds_to_wait
from langchain_control.outcomes import ControlResult, FailureMode

if TYPE_CHECKING:
    from langchain_control.outcomes import ValidationResult

__all__ = [
    "AnswersRejected",
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
    "result_in",
    "retry_after_seconds",
]

T = TypeVar("T")


class ControlError(LangChainException, RuntimeError):
    """A named failure. `result` holds how it came about.

    Also a `RuntimeError`, so that LangGraph's `RetryPolicy` leaves it alone: what was worth another
    try has had it.
    """

    result: ControlResult

    def __init__(self, message: str = "", *, result: ControlResult | None = None) -> None:
        """Keep the result; without a message, say the result's reason."""
        self.result = result or ControlResult(status="rejected", reason=message)
        # Not `super()`: OutputParserException, next for some, would add a link to the message.
        LangChainException.__init__(self, message or self.result.reason)

    @property
    def failure_mode(self) -> FailureMode:
        """What happened."""
        return self.result.failure_mode

    @property
    def retry_after(self) -> float | None:
        """Seconds until it is worth asking again, where somebody said so."""
        return self.result.retry_after

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


class RateLimited(ControlError):
    """A limit on calls was reached, per minute or at a time; no call was made."""


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


class AnswersRejected(AttemptsExhausted, ResponseRejected):
    """Every attempt and every fallback failed, and the model's last answer broke its contract."""


def error_for(result: ControlResult, cause: BaseException | None = None) -> ControlError:
    """Return the exception that stands for a failed result, with what caused it as its cause."""
    error = _kind_of(result)(result=result)
    if cause is not None:
        error.__cause__ = cause
    return error


def _kind_of(result: ControlResult) -> type[ControlError]:
    if kind := _BY_MODE.get(result.failure_mode):
        return kind
    if result.status != "rejected":
        is_answers_fault = result.step == "validate" and result.failure_mode in OF_ANSWERS
        return AnswersRejected if is_answers_fault else AttemptsExhausted
    if result.failure_mode is FailureMode.RATE_LIMITED:
        return RateLimited
    return BudgetExceeded if result.step == "build" else InputRejected


_BY_MODE: dict[FailureMode, type[ControlError]] = {
    FailureMode.CIRCUIT_OPEN: CircuitOpen,
    FailureMode.BULKHEAD_FULL: RateLimited,
}


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


def classify(exc: BaseException, declared: FailureModes = ()) -> FailureMode | None:
    """Say what an exception out of a model call means, or `None` if it is not the model's.

    Knows langchain-core's `ModelError` family, this package's own errors, the errors of common SDKs
    and HTTP clients, timeouts and connection errors of the standard library, any exception that
    carries an HTTP status, and what LangChain raises where it cannot read a reply, finds none, or
    finds another object in it than was asked for.
    An unknown exception is classified by the one it was raised `from`, and a group by the first in
    it if every one has a meaning. Everything else is a programming error, or a listener's that
    stops the run, and must be raised on.

    Args:
        exc: The exception.
        declared: What the application says of its own exceptions. Goes before what is known.
    """
    if gets_out(exc):
        return None
    return _first(
        _own_mode(known, declared) or _shared_mode(known, declared) for known in explained(exc)
    )


def retry_after_seconds(exc: BaseException) -> float | None:
    """Return the seconds a provider, a circuit or a rate limit asked to wait, if it did.

    Of a group it is the longest wait.
    """
    return _first(_longest_retry_after(known) for known in explained(exc))


def result_in(exc: BaseException) -> ControlResult | None:
    """Return the result of a controlled run that an exception comes from, if it does."""
    return next((known.result for known in explained(exc) if isinstance(known, ControlError)), None)


def _own_mode(exc: BaseException, declared: FailureModes) -> FailureMode | None:
    if isinstance(exc, ControlError):
        return exc.failure_mode
    return declared_mode(exc, declared) or mode_of(exc)


def _shared_mode(exc: BaseException, declared: FailureModes) -> FailureMode | None:
    """Return the first mode in a group, or `None` if one in it has none: it must be raised on."""
    members = gathered_in(exc)
    if any(map(gets_out, members)):
        return None
    modes = [_first(_own_mode(known, declared) for known in explained(one)) for one in members]
    return modes[0] if modes and all(modes) else None


def _longest_retry_after(exc: BaseException) -> float | None:
    asked = [
        _first(_own_retry_after(known) for known in explained(one)) for one in gathered_in(exc)
    ]
    waits = (_own_retry_after(exc), *asked)
    return max((seconds for seconds in waits if seconds is not None), default=None)


def _own_retry_after(exc: BaseException) -> float | None:
    return exc.result.retry_after if isinstance(exc, ControlError) else seconds_to_wait(exc)


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
