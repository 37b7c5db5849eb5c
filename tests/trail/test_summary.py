"""The summary is a value, and a table for people."""

from __future__ import annotations

import dataclasses
import math

import pytest

from langchain_control.trail import AuditSummary


def test_reads_as_a_table() -> None:
    """Everything an operator asks first, in one screen."""
    summary = AuditSummary(
        requests=1250,
        accepted=1100,
        fallbacks=60,
        rejected=30,
        exhausted=10,
        cut_off=50,
        blocked=30,
        refused=7,
        flagged=4,
        attempts=1500,
        attempts_passed=1100,
        input_tokens=123456,
        output_tokens=7890,
        cost=1234.5,
        failures={"schema_violation": 300, "timeout": 100},
        outcomes={"schema_violation": 60, "deadline_exceeded": 10},
        retries={0: 900, 1: 300},
        latency_ms={"p50": 812.34, "p90": 1530.0, "p99": 2004.0},
        attempt_latency_ms={"p50": 700.0, "p90": 1000.0, "p99": 1200.0},
        latency_exact=False,
        circuit_changes=2,
        unreadable_lines=1,
        write_errors=3,
    )

    assert (
        str(summary)
        == """\
requests          1,250
  accepted        1,100     88.0%
  fallbacks       60        4.8%
  rejected        30        2.4%
  exhausted       10        0.8%
  cut off         50        4.0%
attempts          1,500     73.3% passed
blocked           30
refused           7
flagged           4
tokens            123,456 in, 7,890 out
cost              1,234.5
failures          schema_violation: 300, timeout: 100
outcomes          schema_violation: 60, deadline_exceeded: 10
retries           0: 900, 1: 300
latency           p50 812.3 ms, p90 1,530.0 ms, p99 2,004.0 ms (within 1 %)
  of an attempt   p50 700.0 ms, p90 1,000.0 ms, p99 1,200.0 ms (within 1 %)
circuit changes   2
unreadable lines  1
write errors      3"""
    )


def test_an_empty_trail_is_readable_too() -> None:
    """No division by zero and no `nan` on the screen."""
    text = str(AuditSummary(latency_ms={"p50": math.nan}))

    assert "nan" not in text
    assert "latency           none" in text
    assert "cost" not in text


def test_is_frozen() -> None:
    """Figures of one moment do not move."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        AuditSummary().requests = 1  # type: ignore[misc]
