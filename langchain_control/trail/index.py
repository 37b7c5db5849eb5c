"""Figures that grow with each record."""

from __future__ import annotations

import math
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from langchain_control.events import EventName
from langchain_control.outcomes import FailureMode, Status
from langchain_control.trail.latency import LatencyDigest
from langchain_control.trail.nesting import is_of_a_request
from langchain_control.trail.numbers import number_in
from langchain_control.trail.spending import SpentOnce
from langchain_control.trail.summary import AuditSummary

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_control.events import AuditRecord

__all__ = ["AuditIndex"]

_MODES = frozenset(mode.value for mode in FailureMode)
_STATUSES = frozenset(get_args(Status))
_REFUSALS = (FailureMode.CIRCUIT_OPEN, FailureMode.RATE_LIMITED, FailureMode.BULKHEAD_FULL)
"""What has nothing to do with the text that was turned away."""

_MOST_RETRIES = 1000


class AuditIndex:
    """Count records without keeping them: memory stays the same however many there are.

    Every `add` counts: the caller leaves out records that it has heard before, see `RecentIds`.
    Records may come from a file that anybody could have written, so values that make no sense
    count as zero and unknown failure modes are counted together.
    """

    def __init__(self) -> None:
        """Start from nothing."""
        self._lock = threading.RLock()
        self._status: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._retries: Counter[int] = Counter()
        self._sums: Counter[str] = Counter()
        self._cost: float | None = None
        self._spent = SpentOnce()
        self._request_latency = LatencyDigest()
        self._attempt_latency = LatencyDigest()

    def add(self, record: AuditRecord) -> None:
        """Count a record."""
        if count := self._counters.get(record["event"]):
            with self._lock:
                count(self, record)

    def include(self, other: AuditIndex) -> None:
        """Add the figures of records that were counted elsewhere."""
        with self._lock, other._lock:
            self._status.update(other._status)
            self._failures.update(other._failures)
            self._outcomes.update(other._outcomes)
            self._retries.update(other._retries)
            self._sums.update(other._sums)
            self._add_cost(other._cost)
            self._request_latency.include(other._request_latency)
            self._attempt_latency.include(other._attempt_latency)

    def summary(self) -> AuditSummary:
        """Sum up what was counted so far."""
        with self._lock:
            return AuditSummary(
                requests=self._status.total() + self._sums["cut_off"],
                accepted=self._status["accepted"],
                fallbacks=self._status["fallback"],
                rejected=self._status["rejected"],
                exhausted=self._status["exhausted"],
                cut_off=self._sums["cut_off"],
                blocked=self._sums["blocked"],
                refused=self._sums["refused"],
                flagged=self._sums["flagged"],
                attempts=self._sums["attempts"],
                attempts_passed=self._sums["attempts_passed"],
                input_tokens=self._sums["input_tokens"],
                output_tokens=self._sums["output_tokens"],
                cost=self._cost,
                failures=dict(self._failures.most_common()),
                outcomes=dict(self._outcomes.most_common()),
                retries=dict(sorted(self._retries.items())),
                latency_ms=self._request_latency.percentiles(),
                attempt_latency_ms=self._attempt_latency.percentiles(),
                latency_exact=self._request_latency.exact and self._attempt_latency.exact,
                circuit_changes=self._sums["circuit_changes"],
            )

    def _count_attempt(self, record: AuditRecord) -> None:
        self._sums["attempts"] += 1
        self._sums["attempts_passed"] += not self._count_mode(record, self._failures)
        self._count_used(record)
        self._attempt_latency.add(number_in(record, "latency_ms", default=math.nan))

    def _count_used(self, record: AuditRecord) -> None:
        spent = self._spent.of(record)
        self._sums["input_tokens"] += spent.input_tokens
        self._sums["output_tokens"] += spent.output_tokens
        self._add_cost(spent.cost)

    def _add_cost(self, cost: float | None) -> None:
        if cost is not None:
            self._cost = (self._cost or 0.0) + cost

    def _count_blocked(self, record: AuditRecord) -> None:
        self._sums["refused" if record.get("failure_mode") in _REFUSALS else "blocked"] += 1
        self._count_mode(record, self._failures)

    def _count_flagged(self, _: AuditRecord) -> None:
        self._sums["flagged"] += 1

    def _count_finished(self, record: AuditRecord) -> None:
        if not is_of_a_request(record):
            return
        status = _known(record.get("status"), _STATUSES)
        self._status[status] += 1
        self._count_mode(record, self._outcomes)
        retries = int(number_in(record, "attempts")) - max(1, int(number_in(record, "calls")))
        self._retries[min(max(retries, 0), _MOST_RETRIES)] += 1
        if status != "rejected":
            self._request_latency.add(number_in(record, "latency_ms", default=math.nan))

    def _count_cut_off(self, record: AuditRecord) -> None:
        self._sums["cut_off"] += is_of_a_request(record)

    def _count_circuit_change(self, _: AuditRecord) -> None:
        self._sums["circuit_changes"] += 1

    def _count_mode(self, record: AuditRecord, modes: Counter[str]) -> bool:
        """Count a failure by its mode, and say whether there was one."""
        mode = record.get("failure_mode", FailureMode.NONE)
        if mode == FailureMode.NONE:
            return False
        modes[_known(mode, _MODES)] += 1
        return True

    _counters: ClassVar[dict[str, Callable[[Any, AuditRecord], Any]]] = {
        EventName.ATTEMPT: _count_attempt,
        EventName.BLOCKED: _count_blocked,
        EventName.FLAGGED: _count_flagged,
        EventName.FALLBACK: _count_used,
        EventName.FINISHED: _count_finished,
        EventName.CUT_OFF: _count_cut_off,
        EventName.CIRCUIT_CHANGED: _count_circuit_change,
    }


def _known(value: Any, known: frozenset[str]) -> str:
    return value if isinstance(value, str) and value in known else "unknown"
