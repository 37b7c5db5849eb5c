"""A run that the model could not serve: what fallbacks are asked, and what is waited for."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from langchain_control._effects import Call, Flow, Sleep
from langchain_control.errors import AttemptsExhausted, rejection
from langchain_control.events import EventName, event
from langchain_control.outcomes import FailureMode, FallbackTry
from langchain_control.parts import asks_a_model
from langchain_control.runs.attempts import tokens_of
from langchain_control.runs.context import Context
from langchain_control.runs.state import RunState
from langchain_control.runs.time_limits import bounded, limit_reached, remaining_seconds
from langchain_control.strategies import FallbackRequest
from langchain_control.strategies.asking import Calls

__all__ = ["calls_of", "had_a_turn", "model_was_refused", "request_of", "waited_for_a_circuit"]


def request_of(state: RunState) -> FallbackRequest:
    """Return what a fallback has to answer: the conversation as screened, and what went before."""
    note, draft = state["failure"], state["draft"]
    prompt = draft.get("prompt")
    return FallbackRequest(
        messages=tuple(draft.get("messages") or state["messages"]),
        context=tuple(draft.get("context") or ()),
        prompt=tuple(prompt) if prompt else None,
        failure_mode=FailureMode(note["mode"]) if note else FailureMode.NONE,
        attempts=tuple(state["attempts"]),
        tries=tuple(had_a_turn(state)),
        request_id=state["request_id"],
    )


def calls_of(state: RunState, context: Context, strategy: str) -> Calls:
    """Return how a strategy is called in this run.

    It has threads of its own: those of the model may all be held by calls that hang. A model is not
    asked once a limit is reached: it costs money, and could not answer in time.
    """
    policy, request = context.policy, request_of(state)

    def tokens(reply: AIMessage) -> tuple[int, int]:
        return tokens_of(reply, request.prompt or request.messages, policy.prompt.budget)

    call_within = bounded(state, context, policy.threads.of(strategy))

    def make_call(runnable: Any, given: Any, config: RunnableConfig) -> Call:
        reached = limit_reached(state, context)
        if reached is not None and asks_a_model(runnable):
            raise rejection(reached, AttemptsExhausted)
        return call_within(runnable, given, config)

    return Calls(make_call, policy.breaker, tokens, policy.usage_limits.cost, policy.timer)


def had_a_turn(state: RunState) -> list[FallbackTry]:
    """Return the tries that count.

    After a wait, a strategy that only told us to come back later counts as not tried.
    """
    tries, waited_after = state["fallbacks"], state["waited_after"] or 0
    return [t for n, t in enumerate(tries) if n >= waited_after or t["retry_after"] is None]


def waited_for_a_circuit(state: RunState, context: Context, config: RunnableConfig) -> Flow[bool]:
    """Wait until the first circuit that refused is due, unless the deadline comes before it."""
    note = state["failure"]
    of_model = note["retry_after"] if note and model_was_refused(state, context) else None
    seconds = context.policy.fallback.seconds_to_wait(state["fallbacks"], of_model)
    if state["waited_after"] is not None or seconds is None:
        return False
    if seconds > 0:
        remaining = remaining_seconds(state, context)
        if remaining is None or seconds >= remaining:
            return False
        yield event(
            EventName.WAITED,
            config,
            component=type(context.policy.fallback).__name__,
            request_id=state["request_id"],
            delay_seconds=round(seconds, 6),
        )
        yield Sleep(seconds)
    return True


def model_was_refused(state: RunState, context: Context) -> bool:
    """Say whether it was the model's circuit that ended the attempts, with some of them left."""
    note = state["failure"]
    is_open = note is not None and note["mode"] == FailureMode.CIRCUIT_OPEN
    return is_open and len(state["attempts"]) < context.policy.retry.max_attempts
