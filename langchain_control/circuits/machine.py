"""One circuit as a pure state machine.

```
            too many failures, or told to wait
   CLOSED ───────────────────────────────────▶ OPEN ◀──┐
     ▲                                           │     │ a probe failed or was lost
     │ every probe succeeded        time is over │     │
     └───────────────────────── HALF_OPEN ◀──────┘     │
                                    └──────────────────┘
```

No lock, no clock, no I/O: a store owns the circuit, locks it and says what time it is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_control.circuits import (
    CircuitRules,
    CircuitState,
    CircuitView,
    Outcome,
    Permit,
    Refusal,
    StateChange,
)
from langchain_control.circuits.failure_window import FailureWindow, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Circuit", "Moment"]

# Read once, as Python 3.11 takes as long to look a member up as to admit a call.
CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN
SUCCESS, SLOW, OVERDUE = Outcome.SUCCESS, Outcome.SLOW, Outcome.OVERDUE
THROTTLED, IGNORED = Outcome.THROTTLED, Outcome.IGNORED

RAMP_FLOOR = 0.1
"""Share of the calls that a circuit admits at the start of its ramp."""

CLOCK_ERROR_SECONDS = 1.0
"""How far processes that share a circuit may disagree about the time; more is a clock set back."""

MAX_BACKOFF_ROUNDS = 64
"""Bounds the exponent; the open time has met its own bound long before."""


class Moment(NamedTuple):
    """What a circuit was at one moment."""

    shared: dict[str, Any]
    """What `dump` returned."""
    changes: tuple[StateChange, ...]
    standing_permit: Permit | None
    tally: Tally
    overdue: set[int | None]
    ramp_credit: float


class Circuit:
    """One circuit. Call its methods with the owner's lock held and the time as `now`.

    It collects its state changes until `admit` or `take_changes` hands them out.
    """

    __slots__ = (
        "_changed_at",
        "_changes",
        "_generation",
        "_held",
        "_leases",
        "_numbers",
        "_open_until",
        "_overdue",
        "_probes_succeeded",
        "_ramp_credit",
        "_ramping",
        "_resumes_closed",
        "_rounds",
        "_run",
        "_tally",
        "_uniform",
        "key",
        "standing_permit",
        "state",
        "used",
    )

    _changed_at: float
    _generation: int
    _leases: dict[int | None, float]
    _open_until: float
    _overdue: set[int | None]
    _ramp_credit: float
    _run: int
    _tally: Tally
    standing_permit: Permit | None
    """The permit that all callers get, without a lock, while admissions need not be counted."""
    used: bool
    """For the owner: whether the circuit was asked for lately."""

    def __init__(
        self,
        key: str,
        *,
        now: float,
        numbers: Callable[[], int],
        uniform: Callable[[], float],
    ) -> None:
        """Start closed.

        Args:
            key: Name of the circuit.
            now: The time, in seconds.
            numbers: Numbers that were never given before, also not to another circuit: one that
                was evicted and made again must not accept old permits.
            uniform: Random numbers between 0 and 1, for jitter.
        """
        self.key = key
        self._held = False
        self.used = True
        self._changes: tuple[StateChange, ...] = ()
        self._numbers = numbers
        self._uniform = uniform
        self._rounds = 0
        self._begin(CLOSED, now)

    # --- asked before and after a call ------------------------------------------------------------

    def admit(self, rules: CircuitRules, now: float) -> Permit | Refusal:
        """Admit or refuse one call. The decision carries the state changes so far."""
        self.tick(rules, now)
        changes = self.take_changes()
        decision = self._decide(rules, now)
        return decision._replace(changes=changes) if changes else decision

    def _decide(self, rules: CircuitRules, now: float) -> Permit | Refusal:
        if self.state is CLOSED:
            return self._admit_closed(rules, now)
        if self.state is HALF_OPEN:
            return self._admit_probe(rules, now)
        return self._refuse(rules, now)

    def record(
        self,
        permit: Permit,
        outcome: Outcome,
        rules: CircuitRules,
        now: float,
        retry_after: float | None = None,
    ) -> None:
        """Count the outcome of one call, unless the state has changed since the call began."""
        self.tick(rules, now)
        if permit.generation != self._generation:
            return
        if outcome is OVERDUE and rules.window is None:
            return  # without a window, nothing is said about a call before its end
        if not self._spend(permit, outcome):
            return
        outcome = _timed(outcome, permit, rules.window, now)
        if outcome is THROTTLED and retry_after and not self._held:
            self._throttle(retry_after, rules, now)
        elif outcome is THROTTLED or outcome is IGNORED:
            return
        elif self.state is HALF_OPEN:
            self._record_probe(rules, now, failed=outcome is not SUCCESS)
        else:
            self._record_closed(permit, outcome, rules, now)

    def success_tells_nothing(self, permit: Permit) -> bool:
        """Say, without a lock, whether a success would change nothing."""
        return permit is self.standing_permit and not self._run

    @property
    def is_closed(self) -> bool:
        """Whether it is closed and not held by hand, so that nothing is lost by forgetting it."""
        return self.state is CLOSED and not self._held

    def _spend(self, permit: Permit, outcome: Outcome) -> bool:
        """Use up a permit; say whether its outcome still counts."""
        if self.state is HALF_OPEN:
            return self._leases.pop(permit.lease, None) is not None
        if permit.lease in self._overdue:
            self._overdue.discard(permit.lease)
            return False
        if outcome is OVERDUE:
            self._overdue.add(permit.lease)
        return True

    # --- by hand ----------------------------------------------------------------------------------

    def hold(self, state: CircuitState, now: float) -> None:
        """Put the circuit into a state that only `reset` ends."""
        self._held = True
        self._change(state, "held by hand", now)
        if state is OPEN:
            self._open_until = math.inf

    def reset(self, now: float) -> None:
        """Close the circuit and forget its past."""
        self._held = False
        self._rounds = 0
        self._change(CLOSED, "reset by hand", now)

    # --- time -------------------------------------------------------------------------------------

    def tick(self, rules: CircuitRules, now: float) -> None:
        """Apply what the passing of time alone has changed."""
        if now < self._changed_at - CLOCK_ERROR_SECONDS:
            self._set_back(now)
        if self.state is CLOSED:
            if self._run >= rules.failure_threshold:
                self._open_if_due(rules, now)  # silence may have grown long enough by now
            return
        if self.state is HALF_OPEN and self._leases:
            lost = min(self._leases.values())
            if lost <= now:  # the open time counts from the loss, whoever notices it when
                self._open("a probe was lost", rules, lost)
        if self.state is OPEN and self._open_until <= now:
            if self._resumes_closed:
                self._change(CLOSED, "the wait it was told is over", now)
            else:
                self._change(HALF_OPEN, "the open time is over", now)

    def _set_back(self, now: float) -> None:
        """Take now for the time of the last change, which lies in the future.

        A server's clock was set back; the circuit would stay open for that much longer.
        """
        by = self._changed_at - now
        self._changed_at = now
        self._open_until -= by
        self._leases = {lease: ends - by for lease, ends in self._leases.items()}

    def take_changes(self) -> tuple[StateChange, ...]:
        """Return the state changes since the last call."""
        changes, self._changes = self._changes, ()
        return changes

    def view(self, rules: CircuitRules, now: float) -> CircuitView:
        """Describe the circuit."""
        self.tick(rules, now)
        calls, rate = (0, 0.0)
        if rules.window is not None:
            calls, rate = self._tally.summary(rules.window, now)
        return CircuitView(
            state=self.state.value,
            held=self._held,
            failures_in_a_row=self._run,
            probes=len(self._leases),
            retry_after=self._retry_after(rules, now),
            calls=calls,
            failure_rate=rate,
        )

    # --- shared by processes ----------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return what processes that share the circuit must agree on, as JSON-native data.

        Not in it, and so each process's own: the failure window and the credit of a ramp.
        """
        return {
            "state": self.state.value,
            "generation": self._generation,
            "changed_at": self._changed_at,
            "open_until": None if self._open_until == math.inf else self._open_until,
            "resumes_closed": self._resumes_closed,
            "leases": [[lease, ends] for lease, ends in self._leases.items()],
            "probes_succeeded": self._probes_succeeded,
            "ramping": self._ramping,
            "rounds": self._rounds,
            "run": self._run,
            "held": self._held,
        }

    def load(self, shared: Mapping[str, Any]) -> None:
        """Take over what `dump` returned in another process."""
        if shared["generation"] != self._generation:
            self._change(CircuitState(shared["state"]), "by another worker", shared["changed_at"])
            self._generation = shared["generation"]
        until = shared["open_until"]
        self._open_until = math.inf if until is None else until
        self._resumes_closed = shared["resumes_closed"]
        self._leases = dict(shared["leases"])
        self._probes_succeeded = shared["probes_succeeded"]
        self._ramping = shared["ramping"]
        self._rounds = shared["rounds"]
        self._run = shared["run"]
        self._held = shared["held"]

    def moment(self) -> Moment:
        """Return all that an operation may change, for `rewind`."""
        return Moment(
            self.dump(),
            self._changes,
            self.standing_permit,
            self._tally.copy(),
            self._overdue.copy(),
            self._ramp_credit,
        )

    def rewind(self, moment: Moment) -> None:
        """Go back to an earlier moment, once: a window must not count a call at each try."""
        self.load(moment.shared)
        _, self._changes, self.standing_permit, self._tally, self._overdue, self._ramp_credit = (
            moment
        )

    # --- closed -----------------------------------------------------------------------------------

    def _admit_closed(self, rules: CircuitRules, now: float) -> Permit | Refusal:
        if self._ramping and not self._ramp_admits(rules, now):
            return self._refuse(rules, now)
        if not self._ramping:
            self.standing_permit = self.standing_permit or Permit(self.key, self._generation)
            if rules.window is None:
                return self.standing_permit
        return Permit(self.key, self._generation, self._numbers(), now)

    def _ramp_admits(self, rules: CircuitRules, now: float) -> bool:
        """Admit a growing share, evenly: credit gathers until it pays for a call."""
        share = self._ramped_share(rules, now)
        if share >= 1:
            self._ramping = False
            return True
        self._ramp_credit += max(RAMP_FLOOR, share)
        if self._ramp_credit < 1:
            return False
        self._ramp_credit -= 1
        return True

    def _ramped_share(self, rules: CircuitRules, now: float) -> float:
        return (now - self._changed_at) / rules.ramp_seconds if rules.ramp_seconds else 1.0

    def _record_closed(
        self, permit: Permit, outcome: Outcome, rules: CircuitRules, now: float
    ) -> None:
        good = outcome is SUCCESS
        self._run = 0 if good else self._run + 1
        if rules.window is not None:
            self._tally.add(outcome, now - permit.started, rules.window, now)
        if not good:
            self._open_if_due(rules, now)

    def _open_if_due(self, rules: CircuitRules, now: float) -> None:
        if not self._held and (reason := self._reason_to_open(rules, now)):
            self._open(reason, rules, now)

    def _reason_to_open(self, rules: CircuitRules, now: float) -> str | None:
        window = rules.window
        if window is not None and (reason := self._tally.verdict(window)):
            return reason
        if self._run < rules.failure_threshold:
            return None
        if window is None:
            return f"{self._run} failures in a row"
        if self._tally.is_silent(window, now):
            return f"{self._run} failures in a row and no answer in time"
        return None

    # --- half-open --------------------------------------------------------------------------------

    def _admit_probe(self, rules: CircuitRules, now: float) -> Permit | Refusal:
        if len(self._leases) + self._probes_succeeded >= rules.half_open_probes:
            return self._refuse(rules, now)
        lease = self._numbers()
        self._leases[lease] = now + rules.probe_timeout_seconds
        return Permit(self.key, self._generation, lease, now)

    def _record_probe(self, rules: CircuitRules, now: float, *, failed: bool) -> None:
        if failed:
            self._open("a probe failed", rules, now)
            return
        self._probes_succeeded += 1
        if self._probes_succeeded >= rules.half_open_probes:
            self._change(CLOSED, "every probe succeeded", now)
            self._rounds = 0
            self._ramping = rules.ramp_seconds > 0

    # --- open -------------------------------------------------------------------------------------

    def _open(self, reason: str, rules: CircuitRules, now: float) -> None:
        growth = rules.recovery_multiplier ** min(self._rounds, MAX_BACKOFF_ROUNDS)
        seconds = min(_longest_open_seconds(rules), rules.recovery_seconds * growth)
        self._rounds += 1
        self._change(OPEN, reason, now)
        self._open_until = now + seconds * (1 + rules.recovery_jitter * self._uniform())

    def _throttle(self, retry_after: float, rules: CircuitRules, now: float) -> None:
        """Open for as long as the provider asked. It is working, so no probe follows."""
        self._change(OPEN, "told to wait", now)
        self._open_until = now + min(retry_after, _longest_open_seconds(rules))
        self._resumes_closed = True

    def _refuse(self, rules: CircuitRules, now: float) -> Refusal:
        return Refusal(self.key, self.state, self._retry_after(rules, now))

    def _retry_after(self, rules: CircuitRules, now: float) -> float | None:
        if self.state is OPEN:
            return None if self._open_until == math.inf else max(0.0, self._open_until - now)
        if self.state is HALF_OPEN and self._leases:
            return min(rules.recovery_seconds, max(0.0, min(self._leases.values()) - now))
        if self._ramping:
            return max(0.0, self._changed_at + rules.ramp_seconds - now)
        return 0.0

    # --- change of state --------------------------------------------------------------------------

    def _change(self, state: CircuitState, reason: str, now: float) -> None:
        if state is not self.state:
            self._changes = (*self._changes, StateChange(self.key, self.state, state, reason))
        self._begin(state, now)

    def _begin(self, state: CircuitState, now: float) -> None:
        """Start a new generation: no lease, no count and no permit of the last one lives on."""
        self.state = state
        self.standing_permit = None
        self._generation = self._numbers()
        self._changed_at = now
        self._open_until = 0.0
        self._resumes_closed = False
        self._leases = {}
        self._overdue = set()
        self._probes_succeeded = 0
        self._ramping = False
        self._ramp_credit = 0.0
        self._run = 0
        self._tally = Tally(now)


def _longest_open_seconds(rules: CircuitRules) -> float:
    return max(rules.recovery_seconds, rules.max_recovery_seconds)


def _timed(outcome: Outcome, permit: Permit, window: FailureWindow | None, now: float) -> Outcome:
    """Judge an answer by its latency, where there is a window to count it in."""
    if outcome is OVERDUE:
        return SLOW
    if outcome is not SUCCESS and outcome is not SLOW:
        return outcome
    if window is None:
        return SUCCESS
    limit = window.slow_seconds
    return SLOW if limit is not None and now - permit.started >= limit else outcome
