"""What an operator may ask of an audit trail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from langchain_control.trail.story import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_control.events import AuditRecord
    from langchain_control.trail.latency import Percentiles
    from langchain_control.trail.summary import AuditSummary

__all__ = ["AuditReports"]


class AuditReports(ABC):
    """The questions, answered from `summary` and `to_records`.

    Questions about a file read the file: in async code, ask them off the event loop.
    """

    @abstractmethod
    def refresh(self) -> None:
        """Take in what was written elsewhere; every question does so by itself."""

    @abstractmethod
    def summary(self) -> AuditSummary:
        """Return all figures, of one moment."""

    @abstractmethod
    def to_records(self) -> Iterator[AuditRecord]:
        """Iterate over the records, oldest first: `pandas.DataFrame(audit.to_records())`."""

    def pass_rate(self) -> float:
        """Return accepted among requests that ended, or `nan` before the first.

        A fallback answer does not count as accepted, see `fallback_rate`, and neither does a
        request that was cut off; attempts are not requests, see `attempt_pass_rate`.
        """
        return self.summary().pass_rate

    def fallback_rate(self) -> float:
        """Return answered by a fallback among requests that ended, or `nan` before the first."""
        return self.summary().fallback_rate

    def attempt_pass_rate(self) -> float:
        """Return attempts without a failure among all attempts, or `nan` before the first."""
        return self.summary().attempt_pass_rate

    def failure_distribution(self) -> dict[str, int]:
        """Count attempts and blocked values by failure mode, the most frequent first."""
        return self.summary().failures

    def outcome_distribution(self) -> dict[str, int]:
        """Count requests that the model did not answer by the failure they ended with."""
        return self.summary().outcomes

    def retry_distribution(self) -> dict[int, int]:
        """Count finished requests by the number of retries they took."""
        return self.summary().retries

    def latency_percentiles(self, of: Literal["request", "attempt"] = "request") -> Percentiles:
        """Return `p50`, `p90` and `p99` in milliseconds; `nan` before the first value.

        Percentiles are interpolated between neighbors (`statistics.quantiles`, inclusive) up to
        10,000 values, and within 1 % of the truth above; `summary().latency_exact` says which.

        Args:
            of: `request` for the time a caller waited, requests turned away left out; `attempt`
                for the single model calls.

        Raises:
            ValueError: `of` is neither.
        """
        if of not in ("request", "attempt"):
            msg = f"`of` must be `request` or `attempt`, got {of!r}"
            raise ValueError(msg)
        summary = self.summary()
        return summary.latency_ms if of == "request" else summary.attempt_latency_ms

    def story(self, request_id: str) -> str:
        """Tell one request, a line per record, for people who do not know the code."""
        return tell(request_id, self.to_records())
