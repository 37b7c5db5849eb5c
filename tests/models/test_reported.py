"""What counts as reported by a provider, and what a report cannot do to limits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_control import ControlPolicy, RateLimiter
from langchain_control.models.reported import MOST_TOKENS, reported_tokens
from langchain_control.testing import ScriptedChatModel
from tests.doors import DOORS
from tests.scenarios import AT_ONCE

NO_COUNTS = [-1, -(10**6), math.nan, math.inf, -math.inf, 10**15, int("9" * 400), 1.5, "7", [7]]


def reporting(count: object) -> AIMessage:
    """Return an answer whose provider reports this of everything."""
    answer = AIMessage("Paris, of course")
    names = ("input_tokens", "output_tokens", "total_tokens")
    answer.usage_metadata = dict.fromkeys(names, count)  # type: ignore[assignment]
    return answer


@given(st.integers(0, MOST_TOKENS))
def test_a_count_is_taken_as_it_is(count: int) -> None:
    """Also one that a client has read as a float."""
    assert reported_tokens(reporting(count), "input_tokens") == count
    assert reported_tokens(reporting(float(count)), "input_tokens") == count


@pytest.mark.parametrize("count", NO_COUNTS, ids=lambda c: str(c)[:8])
def test_what_no_call_takes_is_not_reported(count: object) -> None:
    """It is as if the provider had left it out."""
    assert reported_tokens(reporting(count), "input_tokens") == 0


def test_without_a_report_nothing_is_reported() -> None:
    """Neither as a whole nor in a part."""
    assert reported_tokens(AIMessage("Paris"), "input_tokens") == 0
    assert reported_tokens(reporting(None), "input_tokens") == 0


@pytest.mark.parametrize("count", NO_COUNTS[:-3], ids=lambda c: str(c)[:8])
@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_a_made_up_report_moves_no_limit(door: object, count: object) -> None:
    """A request ends as with a provider that reports nothing, and so does the next one."""
    ends = []
    for reported in (count, None):
        model = ScriptedChatModel(script=[reporting(reported)] * 9, usage=False)
        policy = ControlPolicy(
            limiter=RateLimiter(tokens_per_minute=600, burst_seconds=60),
            usage_limits={"max_total_tokens": 50},
            validator={"required_keys": ["city"]},
            retry={"max_attempts": 9, **AT_ONCE},
        )
        results = [door(model, policy) for _ in range(2)]  # type: ignore[operator]
        ends.append([(r.status, r.failure_mode, len(r.attempts)) for r in results])

    assert ends[0] == ends[1]
