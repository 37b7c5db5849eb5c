"""A circuit around a plain function or coroutine function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from langchain_control.circuits import Outcome, Permit, Refusal
from langchain_control.errors import retry_after_seconds

if TYPE_CHECKING:
    from langchain_control.stores import Changes, MaybeAwaitable

__all__ = ["AdmitsCalls", "permitted", "protected"]

P = ParamSpec("P")
T = TypeVar("T")

SUCCESS, IGNORED = Outcome.SUCCESS, Outcome.IGNORED  # read once, see `machine`


class AdmitsCalls(Protocol):
    """Who admits calls and hears how they went: a `CircuitBreaker`."""

    def acquire(self) -> Permit:
        """Return a permit for one call, or raise `CircuitOpen`."""

    def try_acquire(self) -> MaybeAwaitable[Permit | Refusal]:
        """Return a permit for one call, or the refusal."""

    def record(
        self, permit: Permit, outcome: Outcome, retry_after: float | None = None
    ) -> MaybeAwaitable[Changes]:
        """Hear how the call went."""

    def outcome_of(self, failure: BaseException) -> Outcome:
        """Say what a failure tells about the provider."""


def protected(function: Callable[P, T], breaker: AdmitsCalls) -> Callable[P, T]:
    """Return a function that calls another if the breaker admits it. See `CircuitBreaker.protect`.

    Raises:
        TypeError: It is a generator function, whose call says nothing yet.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        msg = "`protect` takes a function or a coroutine function, not a generator function"
        raise TypeError(msg)
    protect: Any = _protected_async if _is_async(function) else _protected
    guarded: Callable[P, T] = wraps(function)(protect(function, breaker))
    return guarded


def permitted(decision: Permit | Refusal) -> Permit:
    """Return a permit, or raise the refusal."""
    if isinstance(decision, Refusal):
        raise decision.error()
    return decision


def _protected(function: Callable[P, T], breaker: AdmitsCalls) -> Callable[P, T]:
    acquire, record = breaker.acquire, breaker.record

    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        permit = acquire()
        outcome, retry_after = IGNORED, None
        try:
            result = function(*args, **kwargs)
            outcome = SUCCESS
        except Exception as exc:
            outcome, retry_after = breaker.outcome_of(exc), retry_after_seconds(exc)
            raise
        finally:  # also when interrupted: a lost permit would keep a half-open circuit shut
            record(permit, outcome, retry_after)
        return result

    return guarded


def _protected_async(
    function: Callable[P, Awaitable[T]], breaker: AdmitsCalls
) -> Callable[P, Awaitable[T]]:
    try_acquire, record = breaker.try_acquire, breaker.record

    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        answer = try_acquire()
        permit = permitted(answer if isinstance(answer, tuple) else await answer)
        outcome, retry_after = IGNORED, None
        try:
            result = await function(*args, **kwargs)
            outcome = SUCCESS
        except Exception as exc:
            outcome, retry_after = breaker.outcome_of(exc), retry_after_seconds(exc)
            raise
        finally:
            told = record(permit, outcome, retry_after)
            if not isinstance(told, tuple):
                await told
        return result

    return guarded


def _is_async(function: Callable[..., Any]) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004  (of a callable object)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
