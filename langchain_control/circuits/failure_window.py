"""When a share of failures is too large to be chance.

Counting failures in a row is a poor judge under concurrency: errors come back faster than answers,
so runs of them form in a provider that still serves most calls. A `FailureWindow` looks at the
share of failures in the last seconds and opens only if the true share is too high with confidence.
"""

from __future__ import annotations

from collections import deque
from copy import copy
from math import sqrt

from pydantic import ConfigDict, Field

from langchain_control._overriding import OverridableModel
from langchain_control.circuits import Outcome

__all__ = ["FailureWindow", "Tally", "wilson_lower_bound"]

SUCCESS, FAILURE = Outcome.SUCCESS, Outcome.FAILURE  # read once, see `machine`

PARTS = 10
"""Parts of a window. The oldest part leaves as a whole."""

LATENCY_WEIGHT = 0.1
"""Weight of the newest answer in the moving average of latencies."""


class FailureWindow(OverridableModel):
    """Open a circuit by the share of failures in the last seconds.

    Opens when the failure rate, or the rate of slow answers, is above its limit with confidence,
    or when `failure_threshold` failures came in a row *and* no answer has come for a while.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(default=60.0, gt=0)
    """Length of the window. Long enough to hold some tens of calls at ordinary load."""
    failure_rate: float = Field(default=0.5, gt=0, lt=1)
    """Share of failed calls above which the circuit opens."""
    slow_seconds: float | None = Field(default=None, gt=0)
    """Latency from which an answer counts as slow, and as a failure in a run. `None`: never."""
    slow_rate: float = Field(default=0.5, gt=0, lt=1)
    """Share of slow answers above which the circuit opens."""
    z_score: float = Field(default=2.33, ge=0)
    """How sure to be, as a one-sided normal quantile. 2.33 is 99 %: six failures and no answer."""
    silence_latencies: float = Field(default=5.0, ge=0)
    """A run of failures counts only if no answer came for this many usual latencies."""
    min_silence_seconds: float = Field(default=5.0, ge=0)
    """Least silence a run of failures needs."""


class Tally:
    """What a closed circuit has seen in its window. Guarded by the owner's lock."""

    __slots__ = ("_calls", "_failures", "_last_answer", "_latency", "_newest", "_parts", "_slow")

    def __init__(self, now: float) -> None:
        """Start empty; silence counts from now."""
        self._parts: deque[_Part] = deque()
        self._newest: _Part | None = None
        self._calls = self._failures = self._slow = 0
        self._last_answer = now
        self._latency = 0.0

    def add(self, outcome: Outcome, latency: float, window: FailureWindow, now: float) -> None:
        """Count one call: a success, a failure or a slow answer."""
        part = self._newest
        if part is None or not part.begins <= now < part.ends:
            part = self._begin_part(window, now)
        part.calls += 1
        self._calls += 1
        if outcome is SUCCESS:
            self._last_answer = now
            self._latency += LATENCY_WEIGHT * (latency - self._latency)
        elif outcome is FAILURE:
            part.failures += 1
            self._failures += 1
        else:
            part.slow += 1
            self._slow += 1

    def verdict(self, window: FailureWindow) -> str | None:
        """Say which share is too large to be chance, or `None`."""
        calls, z_score = self._calls, window.z_score
        if wilson_lower_bound(self._failures, calls, z_score) >= window.failure_rate:
            return f"{self._failures} of {calls} calls failed"
        if wilson_lower_bound(self._slow, calls, z_score) >= window.slow_rate:
            return f"{self._slow} of {calls} calls were slow"
        return None

    def is_silent(self, window: FailureWindow, now: float) -> bool:
        """Say whether it is unusually long since the last answer in time."""
        usual = max(window.min_silence_seconds, window.silence_latencies * self._latency)
        return now - self._last_answer >= usual

    def summary(self, window: FailureWindow, now: float) -> tuple[int, float]:
        """Return the calls in the window and the share of them that failed."""
        self._forget(window, now)
        return self._calls, (self._failures / self._calls if self._calls else 0.0)

    def copy(self) -> Tally:
        """Return what was seen until now, by itself."""
        twin = copy(self)
        twin.separate()
        return twin

    def separate(self) -> None:
        """Stop sharing what changes with another copy: the list of parts, and the newest of them.

        That one may have left the window, and so the list, already.
        """
        self._parts = self._parts.copy()
        self._newest = copy(self._parts.pop()) if self._parts else None
        if self._newest is not None:
            self._parts.append(self._newest)

    def _begin_part(self, window: FailureWindow, now: float) -> _Part:
        self._forget(window, now)
        self._last_answer = min(self._last_answer, now)  # a server's clock may be set back
        self._newest = _Part(now, now + window.seconds / PARTS)
        self._parts.append(self._newest)
        return self._newest

    def _forget(self, window: FailureWindow, now: float) -> None:
        earliest, latest = now - window.seconds, now + window.seconds
        while self._parts and not earliest < self._parts[0].ends <= latest:
            part = self._parts.popleft()
            self._calls -= part.calls
            self._failures -= part.failures
            self._slow -= part.slow


class _Part:
    """A slice of the window's time."""

    __slots__ = ("begins", "calls", "ends", "failures", "slow")

    def __init__(self, begins: float, ends: float) -> None:
        self.begins, self.ends = begins, ends
        self.calls = self.failures = self.slow = 0


def wilson_lower_bound(hits: int, total: int, z_score: float) -> float:
    """Return the least true share that `hits` of `total` are compatible with.

    The lower end of the score interval of E. B. Wilson, "Probable inference, the law of
    succession, and statistical inference", J. Am. Stat. Assoc. 22 (1927).
    """
    if not hits:
        return 0.0
    share, square = hits / total, z_score * z_score
    spread = z_score * sqrt(share * (1 - share) / total + square / (4 * total * total))
    return (share + square / (2 * total) - spread) / (1 + square / total)
