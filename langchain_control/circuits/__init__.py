"""The vocabulary of circuits: states, outcomes, permits, and the settings they follow."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypedDict

from langchain_control._lazy_attributes import lazy_attributes
from langchain_control.errors import CircuitOpen
from langchain_control.outcomes import ControlResult, FailureMode

if TYPE_CHECKING:
    from langchain_control.circuits.failure_window import FailureWindow

__all__ = [
    "CircuitRules",
    "CircuitState",
    "CircuitView",
    "FailureWindow",
    "Outcome",
    "Permit",
    "Refusal",
    "StateChange",
]


class CircuitState(StrEnum):
    """Where a circuit stands."""

    CLOSED = "closed"
    """Calls go through."""
    OPEN = "open"
    """Calls are refused."""
    HALF_OPEN = "half_open"
    """A few probes go through; they decide."""


class Outcome(StrEnum):
    """What one call says about the provider. See `CircuitBreaker.outcome_of`."""

    SUCCESS = "success"
    FAILURE = "failure"
    SLOW = "slow"
    """Answered, but too late to be of use. Without a `FailureWindow`, a success."""
    OVERDUE = "overdue"
    """Still under way after `slow_seconds`. Counts as slow at once; its later outcome is ignored.
    Without a `FailureWindow` it is ignored, too."""
    THROTTLED = "throttled"
    """Told to come back later. Opens the circuit for that long; ignored if no time was given."""
    IGNORED = "ignored"
    """Says nothing: a bad request, an error of ours, a cancelled call, an answer from a cache."""


class StateChange(NamedTuple):
    """A circuit has changed its state."""

    key: str
    before: CircuitState
    after: CircuitState
    reason: str
    """Why, in a few words without content, such as `5 failures in a row`."""


class Permit(NamedTuple):
    """Permission for one call. Hand it back through `record` or `release`."""

    key: str
    """The circuit that gave it."""
    generation: int
    """Number of the circuit's state period. Once the state has changed, the permit's outcome is
    ignored."""
    lease: int | None = None
    """The probe slot it holds in a half-open circuit; with a window, the number of the call."""
    started: float = 0.0
    """Time of admission on the store's clock, where the circuit measures latency."""
    changes: tuple[StateChange, ...] = ()
    """What asking has changed."""


class Refusal(NamedTuple):
    """The circuit does not admit a call."""

    key: str
    state: CircuitState
    retry_after: float | None
    """Seconds until it is worth asking again; `None` if the circuit was opened by hand."""
    changes: tuple[StateChange, ...] = ()
    """What asking has changed."""

    @property
    def message(self) -> str:
        """One sentence for a person."""
        wait = "" if self.retry_after is None else f"; try again in {self.retry_after:.3g} s"
        return f"the circuit of `{self.key}` {_STANDING[self.state]}{wait}"

    def error(self) -> CircuitOpen:
        """Return the exception for this refusal."""
        result = ControlResult(
            status="rejected",
            failure_mode=FailureMode.CIRCUIT_OPEN,
            reason=self.message,
            retry_after=self.retry_after,
        )
        return CircuitOpen(result=result)


_STANDING = {
    CircuitState.CLOSED: "has just closed and lets calls in gradually",
    CircuitState.OPEN: "is open",
    CircuitState.HALF_OPEN: "is half-open and waits for its probes",
}


class CircuitView(TypedDict):
    """What one circuit looks like from outside, as plain data."""

    state: str
    held: bool
    """Whether it was put there by hand and stays until `reset`."""
    failures_in_a_row: int
    probes: int
    """Probes under way."""
    retry_after: float | None
    calls: int
    """Calls in the failure window, 0 without one."""
    failure_rate: float
    """Share of failures in the failure window, 0 without one."""


class CircuitRules(Protocol):
    """The settings a circuit follows. `CircuitBreaker` documents and validates them."""

    @property
    def failure_threshold(self) -> int:
        """Failures in a row that open the circuit."""

    @property
    def recovery_seconds(self) -> float:
        """Open time before the first probe."""

    @property
    def recovery_multiplier(self) -> float:
        """Growth of the open time from one failed recovery to the next."""

    @property
    def max_recovery_seconds(self) -> float:
        """Bound of the open time."""

    @property
    def recovery_jitter(self) -> float:
        """Share of the open time that chance may add to it."""

    @property
    def half_open_probes(self) -> int:
        """Probes a half-open circuit admits, and successes it needs to close."""

    @property
    def probe_timeout_seconds(self) -> float:
        """Age at which a probe without a verdict is taken for lost."""

    @property
    def ramp_seconds(self) -> float:
        """How long a circuit takes to let everything through after closing."""

    @property
    def window(self) -> FailureWindow | None:
        """The statistical rule, if one is used."""


__getattr__ = lazy_attributes(__name__, {"FailureWindow": "failure_window"})
