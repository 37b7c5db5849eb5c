"""Other circuit breakers, where they are installed, as their documentation shows their use.

Apart from the open time they keep their defaults, as ours do.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from importlib.util import find_spec
from types import TracebackType
from typing import Any

from langchain_control.testing import ManualClock

__all__ = ["Decorate", "PeerGuard", "decorators", "guards"]

Decorate = Callable[[Callable[..., Any]], Callable[..., Any]]

SYNC_ONLY = ("pybreaker",)
"""Guards the making of a coroutine, not what becomes of it."""


def decorators(open_seconds: float = 30.0) -> dict[str, Decorate]:
    """Return a new breaker of each peer, as the decorator that it is."""
    found: dict[str, Decorate] = {}
    if find_spec("circuitbreaker"):
        from circuitbreaker import CircuitBreaker  # noqa: PLC0415

        found["circuitbreaker"] = CircuitBreaker(recovery_timeout=int(open_seconds))
    if find_spec("pybreaker"):
        import pybreaker  # noqa: PLC0415

        found["pybreaker"] = pybreaker.CircuitBreaker(reset_timeout=open_seconds)
    if find_spec("interlock"):
        import interlock  # noqa: PLC0415

        config = interlock.Config(wait_duration_in_open=open_seconds)
        found["interlock-cb"] = interlock.CircuitBreaker(name="benchmark", config=config)
    if find_spec("nopanic"):
        import nopanic  # noqa: PLC0415

        found["nopanic"] = nopanic.circuit_breaker(reset_timeout=open_seconds)
    return found


class PeerGuard:
    """Another breaker in a simulation: each call is a block in a context of its own."""

    def __init__(
        self, block: Callable[[], AbstractContextManager[Any]], refusal: type[Exception]
    ) -> None:
        """Guard calls with blocks that raise `refusal` on entering while the circuit is open."""
        self._block, self._refusal = block, refusal
        self.opened: int | None = None

    def begin(self) -> tuple[AbstractContextManager[Any], Context] | None:
        """Enter the block of one call, or return `None` if it is refused."""
        block, context = self._block(), copy_context()
        try:
            context.run(block.__enter__)
        except self._refusal:
            return None
        return block, context

    def end(self, call: tuple[AbstractContextManager[Any], Context], *, good: bool) -> None:
        """Leave the block of one call."""
        block, context = call
        error = None if good else TimeoutError()
        context.run(block.__exit__, type(error) if error else None, error, None)

    def patience(self, call: Any) -> None:
        """Wait for the end of every call."""


def guards(open_seconds: float = 30.0) -> dict[str, Callable[[ManualClock], PeerGuard]]:
    """Return what makes a guard on a virtual clock, for each peer that can be simulated.

    pybreaker is not among them: it holds a lock while a call is under way, which a simulation in
    one thread would not show.
    """
    found: dict[str, Callable[[ManualClock], PeerGuard]] = {}
    if find_spec("circuitbreaker"):
        found["circuitbreaker"] = lambda clock: _circuitbreaker(clock, open_seconds)
    if find_spec("interlock"):
        found["interlock-cb"] = lambda clock: _interlock(clock, open_seconds)
    if find_spec("nopanic"):
        found["nopanic"] = lambda clock: _nopanic(clock, open_seconds)
    return found


def _circuitbreaker(clock: ManualClock, open_seconds: float) -> PeerGuard:
    import circuitbreaker  # noqa: PLC0415

    circuitbreaker.monotonic = clock  # it takes no clock
    breaker = circuitbreaker.CircuitBreaker(name="simulated", recovery_timeout=int(open_seconds))
    return PeerGuard(lambda: _AskedFirst(breaker), circuitbreaker.CircuitBreakerError)


class _AskedFirst:
    """What the decorator of `circuitbreaker` does: its own block admits everybody."""

    def __init__(self, breaker: Any) -> None:
        self._breaker = breaker

    def __enter__(self) -> None:
        if self._breaker.opened:
            import circuitbreaker  # noqa: PLC0415

            raise circuitbreaker.CircuitBreakerError(self._breaker)
        self._breaker.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._breaker.__exit__(kind, error, traceback)


class _MonotonicClock:
    """A clock as `interlock` wants it."""

    def __init__(self, clock: ManualClock) -> None:
        self.monotonic = clock


def _interlock(clock: ManualClock, open_seconds: float) -> PeerGuard:
    import interlock  # noqa: PLC0415

    breaker = interlock.CircuitBreaker(
        name="simulated",
        config=interlock.Config(wait_duration_in_open=open_seconds),
        clock=_MonotonicClock(clock),
    )
    return PeerGuard(lambda: breaker, interlock.CircuitOpenError)


def _nopanic(clock: ManualClock, open_seconds: float) -> PeerGuard:
    import nopanic  # noqa: PLC0415

    breaker = nopanic.circuit_breaker(reset_timeout=open_seconds, clock=clock)
    return PeerGuard(breaker.guard, nopanic.CircuitOpen)
