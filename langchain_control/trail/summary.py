"""The figures of an audit trail, as one value."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_control.trail.costs import as_cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_control.trail.latency import Percentiles

__all__ = ["AuditSummary"]


@dataclass(frozen=True, slots=True)
class AuditSummary:
    """What an audit trail says, up to one moment. `str()` of it is a table for people."""

    requests: int = 0
    """Requests that ended, however they did."""
    accepted: int = 0
    """Requests answered by the model, within the contract."""
    fallbacks: int = 0
    """Requests answered by a fallback."""
    rejected: int = 0
    """Requests turned away before a model call."""
    exhausted: int = 0
    """Requests that got no answer."""
    cut_off: int = 0
    """Requests that were cancelled, or ended by a mistake of the program."""
    blocked: int = 0
    """Values that a gate turned away for what they say or how long they are, in a controlled
    request or in a chain of its own."""
    refused: int = 0
    """Calls that were not made, whatever they said: a circuit was open, a rate limit reached, or no
    place free. A fallback may have answered."""
    flagged: int = 0
    """Values in which a gate found something and that went on, as they were or made harmless."""
    attempts: int = 0
    attempts_passed: int = 0
    input_tokens: int = 0
    """Over all attempts and fallback models, those that failed included."""
    output_tokens: int = 0
    cost: float | None = None
    """What they cost, as far as prices are known, in the unit of the policy's prices."""
    failures: dict[str, int] = field(default_factory=dict)
    """Attempts and blocked values by failure mode, the most frequent first."""
    outcomes: dict[str, int] = field(default_factory=dict)
    """Requests that the model did not answer, by the failure they ended with, the most frequent
    first. A deadline or a limit on usage may end one without a failed attempt."""
    retries: dict[int, int] = field(default_factory=dict)
    """How many requests needed how many retries."""
    latency_ms: Percentiles = field(default_factory=dict)
    """Of finished requests; those turned away are not counted, they would hide the others."""
    attempt_latency_ms: Percentiles = field(default_factory=dict)
    latency_exact: bool = True
    """Whether the percentiles are exact, or within 1 %, as they are for many values."""
    circuit_changes: int = 0
    unreadable_lines: int = 0
    """Lines of the file that hold no record, such as the half line of a killed process."""
    write_errors: int | None = None
    """Records that a sink of this process could not keep. `None` where no `AuditLogger` was asked:
    the file does not know what it lacks."""

    @property
    def pass_rate(self) -> float:
        """Accepted among requests that ended, or `nan` before the first.

        One that was cut off got no answer, so it did not pass.
        """
        return _share(self.accepted, self.requests)

    @property
    def fallback_rate(self) -> float:
        """Answered by a fallback among requests that ended, or `nan` before the first."""
        return _share(self.fallbacks, self.requests)

    @property
    def attempt_pass_rate(self) -> float:
        """Attempts without a failure among all attempts, or `nan` before the first."""
        return _share(self.attempts_passed, self.attempts)

    def __str__(self) -> str:
        """Lay the figures out as a table."""
        return "\n".join(f"{name:<18}{figures}".rstrip() for name, figures in self._rows())

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield "requests", f"{self.requests:,}"
        for name in ("accepted", "fallbacks", "rejected", "exhausted", "cut_off"):
            count: int = getattr(self, name)
            yield f"  {name.replace('_', ' ')}", f"{count:<10,}{_percent(count, self.requests)}"
        passed = _percent(self.attempts_passed, self.attempts)
        yield "attempts", f"{self.attempts:<10,}{passed and f'{passed} passed'}"
        yield "blocked", f"{self.blocked:,}"
        yield "refused", f"{self.refused:,}"
        yield "flagged", f"{self.flagged:,}"
        yield "tokens", f"{self.input_tokens:,} in, {self.output_tokens:,} out"
        if self.cost is not None:
            yield "cost", as_cost(self.cost)
        yield "failures", _listed(self.failures)
        yield "outcomes", _listed(self.outcomes)
        yield "retries", _listed(self.retries)
        yield "latency", _latencies(self.latency_ms, exact=self.latency_exact)
        yield "  of an attempt", _latencies(self.attempt_latency_ms, exact=self.latency_exact)
        yield "circuit changes", f"{self.circuit_changes:,}"
        yield "unreadable lines", f"{self.unreadable_lines:,}"
        if self.write_errors is not None:
            yield "write errors", f"{self.write_errors:,}"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _listed(counts: dict[str, int] | dict[int, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items()) or "none"


def _latencies(percentiles: Percentiles, *, exact: bool) -> str:
    known = {name: value for name, value in percentiles.items() if not math.isnan(value)}
    if not known:
        return "none"
    figures = ", ".join(f"{name} {value:,.1f} ms" for name, value in known.items())
    return figures if exact else f"{figures} (within 1 %)"
