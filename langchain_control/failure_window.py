"""When a share of failures is too large to be chance.

Counting failures in a row is a poor judge under concurrency: errors come back faster than answers,
so runs of them form in a provider that still serves most calls. A `FailureWindow` looks at the
share of failures in the last seconds and opens only if the true share is too high with confidence.
"""

from __future__ import annotations

from collections import deque
from math import sqrt

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FailureWindow", "Tally", "wilson_lower_bound"]

BUCKETS = 10
"""Parts of a window. The oldest part leaves as a whole."""

LATENCY_WEIGHT = 0.1
"""Weight of the newest answer in the moving average of latencies."""


class FailureWindow(BaseModel):
    """Open a circuit by the share of failures in the last seconds.

    Opens when the failure rate, or the rate of slow answers, is above its limit with confidence,
    or when `failure_threshold` failures came in a row *and* no answer has come for a while.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    seconds: float = Field(default=60.0, gt=0)
    """Length of the window. Long enough to hold some tens of calls at ordinary load."""
    failure_rate: float = Field(default=0.5, gt=0, lt=1)
    """Share of failed calls above which the circuit opens."""
    slow_seconds: float | None = Field(default=None, gt=0)
    """Latency from which an answer counts as slow. `None` measures none."""
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

    __slots__ = ("_buckets", "_calls", "_failures", "_last_answer", "_latency", "_slow")

    def __init__(self, now: float) -> None:
        """Start empty; silence counts from now."""
        self._buckets: deque[list[int]] = deque()
        self._calls = self._failures = self._slow = 0
        self._last_answer = now
        self._latency = 0.0

    def add(self, outcome: str, latency: float, window: FailureWindow, now: float) -> None:
        """Count one call. Every outcome but `failure` is an answer."""
        self._forget(window, now)
        failed, slow = outcome == "failure", outcome == "slow"
        bucket = self._bucket(window, now)
        bucket[1] += 1
        bucket[2] += failed
        bucket[3] += slow
        self._calls += 1
        self._failures += failed
        self._slow += slow
        if failed:
            return
        self._last_answer = now
        self._latency += LATENCY_WEIGHT * (latency - self._latency) if self._latency else latency

    def verdict(
        self, window: FailureWindow, now: float, failures_in_a_row: int, failure_threshold: int
    ) -> str | None:
        """Say why the circuit must open, or `None`."""
        calls, z_score = self._calls, window.z_score
        if wilson_lower_bound(self._failures, calls, z_score) >= window.failure_rate:
            return f"{self._failures} of {calls} calls failed"
        if wilson_lower_bound(self._slow, calls, z_score) >= window.slow_rate:
            return f"{self._slow} of {calls} calls were slow"
        silence = max(window.min_silence_seconds, window.silence_latencies * self._latency)
        if failures_in_a_row >= failure_threshold and now - self._last_answer >= silence:
            return f"{failures_in_a_row} failures in a row and no answer"
        return None

    def summary(self, window: FailureWindow, now: float) -> tuple[int, float]:
        """Return the calls in the window and the share of them that failed."""
        self._forget(window, now)
        return self._calls, (self._failures / self._calls if self._calls else 0.0)

    def _bucket(self, window: FailureWindow, now: float) -> list[int]:
        index = int(now * BUCKETS / window.seconds)
        if not self._buckets or self._buckets[-1][0] != index:
            self._buckets.append([index, 0, 0, 0])
        return self._buckets[-1]

    def _forget(self, window: FailureWindow, now: float) -> None:
        oldest = int(now * BUCKETS / window.seconds) - BUCKETS
        while self._buckets and self._buckets[0][0] <= oldest:
            _, calls, failures, slow = self._buckets.popleft()
            self._calls -= calls
            self._failures -= failures
            self._slow -= slow


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
