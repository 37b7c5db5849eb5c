"""The demonstrations of recovery end as they say they do."""

from __future__ import annotations

import json

import pytest

from langchain_control import AuditLogger
from langchain_control.demo import fallback, limits, schema
from langchain_control.demo.tickets import Triage, right_answer


@pytest.fixture
def audit() -> AuditLogger:
    return AuditLogger(path=None)


def test_damaged_output_is_corrected_or_named(audit):
    """Most first answers are damaged, and no damaged one gets through."""
    results = schema.ask_all(audit)

    at_once = sum(len(result.attempts) == 1 for result in results)
    assert at_once < len(results) / 2
    for number, result in enumerate(results):
        if result.passed:
            assert Triage.model_validate(result.value) == right_answer(number)
        else:
            assert result.status == "exhausted"
    assert sum(result.passed for result in results) > at_once


def test_an_answer_too_long_and_one_with_a_forbidden_phrase_are_recovered_from(audit):
    """Each failure has its own name, and each correction is for the failure before it."""
    result = limits.ask(audit)

    assert [a["failure_mode"] for a in result.attempts] == [
        "token_overflow",
        "constraint_violation",
        "none",
    ]
    assert [a["mutation"] for a in result.attempts] == [
        None,
        "token_overflow",
        "constraint_violation",
    ]
    assert result.unwrap().text == limits.ANSWERS[-1]


def test_a_fallback_answer_is_visibly_one(audit):
    """The first valid strategy answers, and the result, the message and the trail say so."""
    result = fallback.ask(audit)

    assert (result.status, result.strategy) == ("fallback", "fallback:a person")
    assert result.failure_mode == "schema_violation"
    assert json.loads(result.unwrap().text) == fallback.FOR_A_PERSON.model_dump()
    assert result.unwrap().response_metadata["control_fallback"] == "a person"
    assert audit.summary().fallbacks == 1
    assert "past answers" in audit.story(result.request_id)
