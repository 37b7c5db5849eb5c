"""What a call may use: its due, or what is left to the request of time, tokens and money."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs

from langchain_control._effects import Call
from langchain_control.errors import AttemptsExhausted, rejection
from langchain_control.models.parts import asks_a_model
from langchain_control.models.variants import in_place_of
from langchain_control.outcomes import FailureMode, failure
from langchain_control.state import Context, RunState, calls_in
from langchain_control.strategies.asking import MakeCall

__all__ = ["GRACE_SECONDS", "UNHEARD", "bounded", "remaining_seconds"]

GRACE_SECONDS = 0.05
"""What a fallback may take after the deadline: a canned answer needs no time, but not none."""


UNHEARD = "nostream"
"""LangGraph's tag for calls that stay out of `stream_mode="messages"`: a draft is no answer yet."""


def bounded(state: RunState, context: Context) -> MakeCall:
    """Return how calls are made in this run: unheard, and within what is left of time and usage."""
    policy = context.policy

    def call_within(runnable: Any, given: Any, config: RunnableConfig) -> Call:
        if (why := context.used_up(calls_in(state))) and asks_a_model(runnable):
            spent = failure(FailureMode.USAGE_LIMIT_EXCEEDED, why)
            raise rejection(spent, AttemptsExhausted)
        remaining = remaining_seconds(state, context)
        is_fair = remaining is None or remaining >= policy.timeout_seconds
        seconds = policy.timeout_seconds if is_fair else max(GRACE_SECONDS, remaining or 0)
        unheard = merge_configs(config, {"tags": [UNHEARD]})
        asked = in_place_of(context.model, runnable)
        return Call(asked, given, unheard, seconds, policy.threads, is_fair=is_fair)

    return call_within


def remaining_seconds(state: RunState, context: Context) -> float | None:
    """Return what is left of the deadline, negative once it has passed; `None` without one."""
    deadline = state["deadline"]
    return None if deadline is None else deadline - context.policy.clock()
