"""What the figures count."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_control.events import AuditRecord, EventName
from langchain_control.trail import AuditSummary
from langchain_control.trail.index import AuditIndex
from tests.audit_records import attempt, audit_record, finished


def summary_of(*records: AuditRecord) -> AuditSummary:
    """Count records."""
    index = AuditIndex()
    for record in records:
        index.add(record)
    return index.summary()


def test_the_pass_rate_counts_requests_not_attempts() -> None:
    """A request that took three attempts is one request, accepted."""
    summary = summary_of(
        attempt("timeout"), attempt("timeout"), attempt(), finished("accepted", attempts=3)
    )

    assert summary.pass_rate == 1
    assert summary.attempt_pass_rate == pytest.approx(1 / 3)


def test_a_fallback_is_no_pass() -> None:
    """Canned answers have a rate of their own."""
    summary = summary_of(finished("accepted"), finished("fallback"), finished("exhausted"))

    assert summary.pass_rate == pytest.approx(1 / 3)
    assert summary.fallback_rate == pytest.approx(1 / 3)


def test_a_request_that_was_cut_off_did_not_pass() -> None:
    """Two thirds of the requests died of a bug, and the pass rate was 1."""
    cut_off = [audit_record(EventName.CUT_OFF, message="KeyError") for _ in range(2)]
    summary = summary_of(finished("accepted"), *cut_off)

    assert (summary.requests, summary.accepted, summary.cut_off) == (3, 1, 2)
    assert summary.pass_rate == pytest.approx(1 / 3)
    assert summary.retries == {0: 1}


def test_adds_up_what_is_known_to_have_cost_something() -> None:
    """Attempts and fallbacks, each once: the end of a request tells their sum."""
    summary = summary_of(
        attempt(cost=0.25),
        attempt(),
        attempt(cost=1.0, within="fallback"),
        attempt(cost="much"),
        audit_record(EventName.FALLBACK, cost=1.0),
        finished("fallback", cost=1.25),
    )

    assert summary.cost == 1.25
    assert summary_of(attempt(input_tokens=1)).cost is None


def test_includes_costs_that_were_counted_elsewhere() -> None:
    """A file's figures are those of the files it was rotated into, added up."""
    whole, part, unpriced = AuditIndex(), AuditIndex(), AuditIndex()
    part.add(attempt(cost=0.5))
    unpriced.add(attempt())

    for other in (part, part, unpriced):
        whole.include(other)

    assert whole.summary().cost == 1.0


@pytest.mark.parametrize(
    ("within", "requests", "tokens"),
    [
        (None, 2, 30),
        ("tool", 2, 30),
        ("validate", 1, 30),
        ("guard", 1, 30),
        ("call", 1, 20),
        ("fallback", 1, 30),
        (["no name"], 1, 30),
    ],
)
def test_a_run_in_a_request_is_no_request(within: Any, requests: int, tokens: int) -> None:
    """What it used is told once, by the request around it or by its own attempts."""
    inner: dict[str, Any] = {} if within is None else {"within": within}
    ends = [finished(**inner), finished("fallback", attempts=3)]
    summary = summary_of(
        attempt(input_tokens=20, output_tokens=20, **inner),
        attempt(input_tokens=10, output_tokens=10),
        *ends,
    )
    cut_off = summary_of(audit_record(EventName.CUT_OFF, **inner))

    assert (summary.requests, summary.fallbacks) == (requests, 1)
    assert (summary.input_tokens, summary.output_tokens) == (tokens, tokens)
    assert summary.retries == ({2: 1} if requests == 1 else {0: 1, 2: 1})
    assert cut_off.cut_off == requests - 1


@pytest.mark.parametrize(
    ("mode", "is_about_a_text"),
    [
        ("prompt_injection", True),
        ("schema_violation", True),
        ("circuit_open", False),
        ("rate_limited", False),
        ("bulkhead_full", False),
        ("token_overflow", True),
        (None, True),
    ],
)
def test_an_outage_is_no_attack(mode: str | None, is_about_a_text: bool) -> None:
    """What a circuit refused was counted with what the guard had blocked."""
    summary = summary_of(audit_record(EventName.BLOCKED, failure_mode=mode))

    assert (summary.blocked, summary.refused) == (is_about_a_text, not is_about_a_text)


def test_rates_are_no_number_before_the_first_request() -> None:
    """Nothing asked is neither success nor failure."""
    empty = summary_of()

    assert math.isnan(empty.pass_rate)
    assert math.isnan(empty.fallback_rate)
    assert math.isnan(empty.attempt_pass_rate)


def test_failures_are_attempts_and_blocks_by_mode() -> None:
    """The most frequent comes first; the final outcome is not counted once more."""
    summary = summary_of(
        audit_record(EventName.BLOCKED, failure_mode="prompt_injection"),
        attempt("timeout"),
        attempt("timeout"),
        attempt(),
        finished("exhausted", failure_mode="timeout"),
    )

    assert list(summary.failures.items()) == [("timeout", 2), ("prompt_injection", 1)]
    assert summary.blocked == 1


def test_outcomes_are_requests_by_the_failure_that_ended_them() -> None:
    """A request that a deadline or a limit had ended was in no figure by that name."""
    summary = summary_of(
        attempt("timeout"),
        finished("exhausted", failure_mode="deadline_exceeded"),
        attempt(),
        finished("fallback", failure_mode="usage_limit_exceeded"),
        finished("exhausted", failure_mode="deadline_exceeded"),
        finished("accepted", failure_mode="none"),
    )

    assert summary.failures == {"timeout": 1}
    assert list(summary.outcomes.items()) == [("deadline_exceeded", 2), ("usage_limit_exceeded", 1)]


def test_retries_are_counted_per_request() -> None:
    """The first call is no retry; a request without a call had none."""
    summary = summary_of(
        finished(attempts=3), finished(attempts=1), finished(attempts=1), finished(attempts=0)
    )

    assert summary.retries == {0: 3, 2: 1}


def test_tokens_of_failed_attempts_count() -> None:
    """They were paid for."""
    summary = summary_of(
        attempt("timeout", input_tokens=10, output_tokens=1),
        attempt(input_tokens=20, output_tokens=2),
        finished(input_tokens=30, output_tokens=3),
    )

    assert (summary.input_tokens, summary.output_tokens) == (30, 3)


def test_tokens_of_fallback_models_count() -> None:
    """Whoever answered in the end, or failed to, was paid."""
    fallback = audit_record(EventName.FALLBACK, input_tokens=5, output_tokens=7)

    summary = summary_of(attempt("timeout", input_tokens=10), fallback, finished("fallback"))

    assert (summary.input_tokens, summary.output_tokens) == (15, 7)
    assert summary.attempts == 1


def test_requests_turned_away_do_not_make_the_others_look_fast() -> None:
    """Latency is that of requests that were worked on."""
    summary = summary_of(finished("rejected", latency_ms=0.01), finished(latency_ms=900))

    assert summary.latency_ms["p50"] == 900


def test_attempts_have_latencies_of_their_own() -> None:
    """A request's latency holds its waits, an attempt's does not."""
    summary = summary_of(attempt(latency_ms=100), attempt(latency_ms=100), finished(latency_ms=250))

    assert summary.attempt_latency_ms["p50"] == 100
    assert summary.latency_ms["p50"] == 250


def test_figures_counted_apart_add_up() -> None:
    """Files counted one by one come to what one file would."""
    first = [attempt("timeout", latency_ms=1), finished("accepted", attempts=2, latency_ms=5)]
    second = [attempt("model_error", input_tokens=3), finished("fallback", latency_ms=9)]
    whole, other = AuditIndex(), AuditIndex()
    for record in first:
        whole.add(record)
    for record in second:
        other.add(record)
    whole.include(other)

    assert whole.summary() == summary_of(*first, *second)


def test_changes_of_the_circuit_are_counted() -> None:
    """How often the provider failed as a whole."""
    assert summary_of(audit_record(EventName.CIRCUIT_CHANGED, key="m")).circuit_changes == 1


def test_events_without_figures_change_nothing() -> None:
    """Also those of a later version of this package."""
    later = audit_record()
    later["event"] = "control.invented_later"

    assert summary_of(audit_record(EventName.RETRY_SCHEDULED), later) == summary_of()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(
    event=st.sampled_from(EventName),
    fields=st.dictionaries(
        st.sampled_from(["failure_mode", "status", "latency_ms", "attempts", "input_tokens"]),
        json_values,
    ),
)
def test_nothing_in_a_file_can_break_the_figures(event: EventName, fields: dict[str, Any]) -> None:
    """Anybody could have written the file; the figures stay figures."""
    summary = summary_of(audit_record(event, **fields))

    assert summary.input_tokens >= 0
    assert str(summary)


def test_memory_does_not_grow_with_the_records() -> None:
    """The second ten thousand requests cost no more room than the first."""

    def fill(index: AuditIndex) -> int:
        tracemalloc.start()
        for number in range(11_000):
            index.add(finished(latency_ms=number, request_id=str(number)))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    index = AuditIndex()
    fill(index)

    assert fill(index) < 1_000_000


def test_invented_failure_modes_are_counted_together() -> None:
    """Memory does not grow with what a file invents."""
    summary = summary_of(*(attempt(f"invented {number}") for number in range(100)))

    assert summary.failures == {"unknown": 100}
