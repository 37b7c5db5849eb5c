"""Percentiles of any number of latencies in bounded memory."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from statistics import quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LatencyDigest", "Percentiles"]

Percentiles = dict[str, float]
"""`p50`, `p90` and `p99` in milliseconds; `nan` while there are no values."""

_PERCENTS = (50, 90, 99)

EXACT_UP_TO = 10_000

RELATIVE_ERROR = 0.01
_SHORTEST_MS, _LONGEST_MS = 1e-3, 1e9
"""What a bucket can tell apart: a microsecond to eleven days."""

_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(_GAMMA)


class LatencyDigest:
    """Keep latencies so that their percentiles can be asked for at any time.

    Up to `EXACT_UP_TO` values are kept as they are. More are counted in buckets whose bounds grow
    by a constant factor, which keeps every answer within 1 % of the truth; there are less than
    1,400 of them. Source: Masson, Rim, Lee, "DDSketch", PVLDB 12 (2019). Not thread-safe.
    """

    def __init__(self) -> None:
        """Start without values."""
        self._values = array("d")
        self._buckets: Counter[int] = Counter()

    @property
    def exact(self) -> bool:
        """Whether percentiles come from the values themselves."""
        return not self._buckets

    def add(self, latency_ms: float) -> None:
        """Take one more value. What is no latency (negative, infinite, not a number) is ignored."""
        if not 0 <= latency_ms < math.inf:
            return
        if self._buckets:
            self._buckets[_bucket(latency_ms)] += 1
            return
        self._values.append(latency_ms)
        self._bucket_if_many()

    def include(self, other: LatencyDigest) -> None:
        """Take the values of another digest."""
        self._values.extend(other._values)
        self._buckets.update(other._buckets)
        self._bucket_if_many()

    def percentiles(self) -> Percentiles:
        """Interpolate between neighbors, with the smallest and largest value as 0 and 100 %."""
        if self._buckets:
            return dict(zip(_names(), self._sketched(), strict=True))
        if not self._values:
            return dict.fromkeys(_names(), math.nan)
        doubled = self._values if len(self._values) > 1 else self._values * 2
        cuts = quantiles(doubled, n=100, method="inclusive")
        return {f"p{percent}": cuts[percent - 1] for percent in _PERCENTS}

    def _bucket_if_many(self) -> None:
        if self._buckets or len(self._values) > EXACT_UP_TO:
            self._buckets.update(map(_bucket, self._values))
            self._values = array("d")

    def _sketched(self) -> Iterator[float]:
        last_rank = self._buckets.total() - 1
        for percent in _PERCENTS:
            rank, rest = divmod(last_rank * percent, 100)
            low, high = self._at(rank), self._at(min(rank + 1, last_rank))
            yield low + (high - low) * rest / 100

    def _at(self, rank: int) -> float:
        """Return the value at a rank, counted from 0."""
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen > rank:
                break
        return _middle(bucket)


def _names() -> list[str]:
    return [f"p{percent}" for percent in _PERCENTS]


def _bucket(latency_ms: float) -> int:
    """Number the bucket whose bounds are two neighboring powers of gamma."""
    clamped = min(max(latency_ms, _SHORTEST_MS), _LONGEST_MS)
    return math.ceil(math.log(clamped) / _LOG_GAMMA)


def _middle(bucket: int) -> float:
    """Return the value with the same relative distance to both bounds of a bucket."""
    return float(2 * _GAMMA**bucket / (_GAMMA + 1))
