"""Pauses of an agent: a strategy that asks a person waits for the reply in a step of its own.

If the graph paused within the model's step, it would repeat every call on resume.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from langchain_control.components.fallback import FallbackRouter
from langchain_control.middleware.agent_run import AgentRun, record_of
from langchain_control.policy import ControlPolicy
from langchain_control.runs.falling_back import had_a_turn, request_of
from langchain_control.runs.state import RunState
from langchain_control.steps import StepName
from langchain_control.strategies.human import as_answer

__all__ = ["before_build_or", "before_pause", "paused", "with_reply"]


def with_reply(policy: ControlPolicy, record: AgentRun | None) -> ControlPolicy:
    """Put a person's reply in the place of the strategy that asked for it, before all others.

    The policy may have other strategies by now.
    """
    if not record or not record["replies"] or not record["paused"]:
        return policy
    asker, [reply] = record["paused"]["asker"], record["replies"]
    others = {name: given for name, given in policy.fallback.strategies if name != asker}
    strategies = {asker: lambda _: as_answer(reply), **others}
    return policy.override(fallback=policy.fallback.override(strategies=strategies))


def before_build_or(
    other: Callable[[StepName, RunState], bool],
) -> Callable[[StepName, RunState], bool]:
    """Stop when the input is admitted, too: prompts are made for each model call."""
    return lambda step, state: step == "build" or other(step, state)


def before_pause(policy: ControlPolicy) -> Callable[[StepName, RunState], bool]:
    """Stop before a strategy that pauses the graph."""

    def is_next(step: StepName, state: RunState) -> bool:
        router = policy.fallback
        return step == "fallback" and router.pauses(_next_in(router, state)[1])

    return is_next


def _next_in(router: FallbackRouter, state: RunState) -> tuple[str, Any]:
    """Return the strategy whose turn it is, by its name; `None` if there is none."""
    return router.next_after(had_a_turn(state)) or ("", None)


def paused(
    run: RunState,
    record: AgentRun | None,
    policy: ControlPolicy,
) -> AgentRun:
    """Put off the rest of a walk until a person has answered."""
    asker, strategy = _next_in(policy.fallback, run)
    request = request_of(run)
    before = record or record_of(RunState(**{**run, "attempts": [], "fallbacks": []}))
    pause = {
        "asker": asker,
        "asked": strategy.asked(request.question, request),
        "placeholder": uuid4().hex,
        "attempts": run["attempts"],
        "failure": run["failure"],
        "fallbacks": run["fallbacks"],
    }
    return AgentRun(**{**before, "status": None, "paused": pause, "replies": []})
