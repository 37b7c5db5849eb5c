"""One request, told to somebody who does not know the code."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_control.events import AuditRecord, EventName
from langchain_control.trail.story import tell
from tests.audit_records import attempt, audit_record, finished

REQUEST = "4f" * 16


@pytest.mark.parametrize(("delay", "told"), [(0.07137681036507082, "0.071"), (2, "2"), ("?", "?")])
def test_tells_waits_to_the_millisecond(delay: Any, told: str) -> None:
    """Chance makes a wait of sixteen digits, which nobody wants to read."""
    records = [
        audit_record(EventName.RETRY_SCHEDULED, number=2, delay_seconds=delay),
        audit_record(EventName.WAITED, component="RateLimiter", delay_seconds=delay),
    ]

    _, retry, wait = tell(REQUEST, records).split("\n")

    assert retry.endswith(f"retry as attempt 2 in {told} s")
    assert wait.endswith(f"wait of {told} s for a turn, asked for by RateLimiter")


def test_tells_an_incident_in_order() -> None:
    """Each record is a line: what happened, why, how long, how much."""
    records = [
        attempt(
            "schema_violation",
            number=1,
            model="gpt-4o",
            message="/total: expected number, found string",
            rules=["type"],
            latency_ms=812.3,
            input_tokens=300,
            output_tokens=80,
            notes=["history_dropped"],
        ),
        audit_record(EventName.RETRY_SCHEDULED, number=2, delay_seconds=0.07, mutation="schema"),
        attempt("circuit_open", number=2, model="gpt-4o", mutation="schema"),
        audit_record(
            EventName.FALLBACK,
            strategy="fallback:large",
            status="refused",
            failure_mode="circuit_open",
            message="the circuit of `large` is open",
        ),
        audit_record(EventName.WAITED, component="FallbackRouter", delay_seconds=1.5),
        audit_record(
            EventName.FALLBACK,
            strategy="fallback:small",
            model="gpt-4o-mini",
            status="rejected",
            failure_mode="timeout",
            latency_ms=30,
        ),
        audit_record(EventName.FALLBACK, strategy="static", status="answered", latency_ms=0.1),
        finished("fallback", failure_mode="circuit_open", strategy="fallback:static", attempts=2),
    ]
    time = "2026-11-23T14:03:22.101+00:00"

    assert (
        tell(REQUEST, records)
        == f"""\
request {REQUEST}
  {time}  attempt 1 of gpt-4o: schema_violation (/total: expected number, found string); \
rules type; notes history_dropped; 812.3 ms; tokens 300 in, 80 out
  {time}  retry as attempt 2 in 0.07 s; correction schema
  {time}  attempt 2 of gpt-4o with correction schema: circuit_open
  {time}  fallback large refused: circuit_open (the circuit of `large` is open)
  {time}  wait of 1.5 s for a turn, asked for by FallbackRouter
  {time}  fallback small with gpt-4o-mini rejected: timeout; 30 ms
  {time}  fallback static answered; 0.1 ms
  {time}  finished: fallback, static answered in place of the model; circuit_open; 2 attempts"""
    )


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (
            audit_record(
                EventName.BLOCKED,
                component="InputGuard",
                failure_mode="prompt_injection",
                key="context",
            ),
            "blocked by InputGuard: prompt_injection; source context, left out",
        ),
        (
            audit_record(
                EventName.FLAGGED,
                component="InputGuard",
                failure_mode="prompt_injection",
                key="tool",
                status="fence",
            ),
            "flagged by InputGuard: prompt_injection; source tool, let through marked as data",
        ),
        (
            audit_record(
                EventName.FALLBACK,
                strategy="fallback:canned",
                status="passed",
                failure_mode="constraint_violation",
                message="no answer",
            ),
            "fallback canned had no answer",
        ),
        (
            finished(strategy="none", cost=0.0000425),
            "finished: accepted, the answer met the contract; 1 attempt; cost 0.000043",
        ),
        (
            finished(strategy="none", within="fallback"),
            "  within fallback: finished: accepted, the answer met the contract; 1 attempt",
        ),
        (
            audit_record(
                EventName.BLOCKED,
                component="InputGuard",
                failure_mode="prompt_injection",
                message="it looks like an attack",
                rules=["override.x"],
            ),
            "blocked by InputGuard: prompt_injection (it looks like an attack); rules override.x",
        ),
        (
            audit_record(
                EventName.BLOCKED,
                component="CircuitBreaker",
                failure_mode="circuit_open",
                message="try again in 30 s",
            ),
            "model not called: circuit_open (try again in 30 s)",
        ),
        (
            audit_record(
                EventName.CIRCUIT_CHANGED,
                key="gpt-4o",
                status="open",
                message="closed to open: 5 failures in a row",
            ),
            "circuit gpt-4o opened, calls are refused from now on; 5 failures in a row",
        ),
        (
            audit_record(EventName.CIRCUIT_CHANGED, key="gpt-4o", status="closed"),
            "circuit gpt-4o closed, calls are let through again",
        ),
        (
            audit_record(EventName.WAITED, component="RateLimiter", delay_seconds=1.5),
            "wait of 1.5 s for a turn, asked for by RateLimiter",
        ),
        (
            attempt(number=3, model="small", rung="other_model"),
            "attempt 3 of small: passed; asked in place of the first model",
        ),
        (
            attempt(number=2, rung="native_schema"),
            "attempt 2: passed; asked in the provider's own schema mode, if the model has one",
        ),
        (
            audit_record(EventName.CUT_OFF, message="CancelledError", attempts=1),
            "cut off by CancelledError: no outcome; 1 attempt",
        ),
        (
            finished("accepted", attempts=1, latency_ms=812),
            "finished: accepted, the answer met the contract; 1 attempt; 812 ms",
        ),
        (
            finished("rejected", failure_mode="rate_limited", attempts=0),
            "finished: rejected, turned away before a model call; rate_limited; 0 attempts",
        ),
        (
            finished("exhausted", failure_mode="timeout", attempts=3),
            "finished: exhausted, no answer; timeout; 3 attempts",
        ),
    ],
)
def test_each_event_is_told_as_what_it_means(record: AuditRecord, line: str) -> None:
    """An operator needs to know neither the components nor the names of events."""
    assert tell(REQUEST, [record]).splitlines()[1].split("  ", 2)[2] == line


@pytest.mark.parametrize("event", EventName)
def test_every_event_has_words(event: EventName) -> None:
    """None is shown by its name in the file."""
    assert event.value not in tell(REQUEST, [audit_record(event)])


def test_leaves_other_requests_out() -> None:
    """One incident at a time."""
    assert "attempt" not in tell("another", [attempt(number=1)])


def test_an_unknown_request_is_said_to_be_unknown() -> None:
    """Nothing found is an answer."""
    assert tell("abc", []) == "request abc: no records"


def test_an_unknown_event_keeps_its_name() -> None:
    """A file of a later version stays readable."""
    record = audit_record()
    record["event"] = "control.invented_later"

    assert "control.invented_later" in tell(REQUEST, [record])


def test_control_characters_cannot_reach_the_terminal() -> None:
    """Text from outside neither colors the screen nor forges a line."""
    story = tell(REQUEST, [attempt("timeout", message="\x1b[2J\n  finished: accepted")])

    assert "\x1b" not in story
    assert len(story.splitlines()) == 2


@settings(deadline=None)
@given(
    event=st.sampled_from(EventName),
    fields=st.dictionaries(
        st.sampled_from(sorted(AuditRecord.__annotations__.keys() - {"id", "event", "request_id"})),
        st.none() | st.integers() | st.text() | st.lists(st.integers()) | st.just({"a": [None]}),
    ),
)
def test_any_record_can_be_told(event: EventName, fields: dict[str, Any]) -> None:
    """Nonsense in a file is shown, one line a record, never a crash."""
    assert len(tell(REQUEST, [audit_record(event, **fields)]).splitlines()) == 2
