"""One call of the model: in its turn, if its circuit admits it."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig

from langchain_control._effects import Flow
from langchain_control.circuits import Refusal
from langchain_control.components.bulkhead import NoPlace
from langchain_control.conversation import answer_of
from langchain_control.errors import BudgetExceeded, classify, result_in, retry_after_seconds
from langchain_control.errors.answers import OF_ANSWERS, answer_in
from langchain_control.errors.logged import log_failure
from langchain_control.events import as_attempt, blocked
from langchain_control.models.as_said import as_said
from langchain_control.models.signatures import signed
from langchain_control.models.variants import for_retry, gives_replies, tools_of
from langchain_control.outcomes import Attempt, FailureMode, FallbackTry, failure
from langchain_control.retries.usage_limits import spent_in
from langchain_control.runs.context import Context
from langchain_control.runs.state import RunState, note_of
from langchain_control.runs.time_limits import bounded, remaining_seconds
from langchain_control.runs.watching import watched

__all__ = ["called_in_turn"]


def called_in_turn(state: RunState, context: Context, config: RunnableConfig) -> Flow[RunState]:
    """Call the model, in a place of its own where the policy bounds how many are under way.

    Returns:
        The answer in the draft, or the failure. Without a call, the failure alone.
    """
    calling, bulkhead = _called(state, context, config), context.policy.bulkhead
    if bulkhead is None:
        return (yield from calling)
    name, remaining = context.asked(state["retry"], config).name, remaining_seconds(state, context)
    if bulkhead.would_queue(config, name):  # an open circuit must not be queued for
        refusal = yield from context.policy.breaker.refusal(name)
        if refusal is not None:
            return (yield from _refused(refusal, state, config))
    update = yield from bulkhead.inside(calling, config, name=name, max_wait_seconds=remaining)
    return {"failure": note_of("call", update.verdict)} if isinstance(update, NoPlace) else update


def _called(state: RunState, context: Context, config: RunnableConfig) -> Flow[RunState]:
    policy, asked = context.policy, context.asked(state["retry"], config)
    model = for_retry(asked.model, state["retry"], policy.validator.json_schema(), config)
    calls_no_tools = not tools_of(asked.model, config)  # text before such a call is no answer yet
    if policy.judge_while_streaming and calls_no_tools:
        model = watched(model, policy.validator.glance)
    retry, prompt = state["retry"], state["draft"]["prompt"]
    tagged = as_attempt(config, retry["number"]) if retry else config
    effect = bounded(state, context, policy.threads)(model, prompt, tagged)
    started, response, note, error, spent = policy.timer(), None, None, None, None
    try:
        answer = yield from policy.breaker.calling(effect, config, asked.name)
        if isinstance(answer, Refusal):
            return (yield from _refused(answer, state, config))
        response = answer_of(answer, is_reply=gives_replies(asked.model, config))
        response = signed(response, asked.model, config)
    except BudgetExceeded as exc:  # a prompt that was added to, or made, on the way to the model
        told = exc.result
        why = failure(told.failure_mode, told.reason, violations=told.violations)
        return {"failure": note_of("build", why)}
    except Exception as exc:
        mode = classify(exc, policy.failure_modes)
        if mode is None:
            raise
        response, error, run = answer_in(exc), exc, result_in(exc)
        made: list[Attempt | FallbackTry] = [*run.attempts, *run.fallbacks] if run else []
        spent = spent_in(made, policy.usage_limits.cost) if made else None
        if response is None or mode not in OF_ANSWERS:  # else it is judged like any other answer
            failed = failure(mode, f"the call failed with `{type(exc).__name__}`")
            note = note_of("call", failed, retry_after=retry_after_seconds(exc))
        log_failure(f"the model `{asked.name}`", exc)
    if context.last_calls is not None:
        context.last_calls.error = error
        context.last_calls.said = as_said(response) if response else context.last_calls.said
    latency_ms = round((policy.timer() - started) * 1000, 3)
    return {
        "draft": {
            **state["draft"],
            "response": response,
            "latency_ms": latency_ms,
            "spent": spent,
        },
        "failure": note,
    }


def _refused(refusal: Refusal, state: RunState, config: RunnableConfig) -> Flow[RunState]:
    """Say that the circuit is open."""
    refused = failure(FailureMode.CIRCUIT_OPEN, refusal.message, retry_after=refusal.retry_after)
    yield blocked("CircuitBreaker", refused, config, request_id=state["request_id"])
    return {"failure": note_of("call", refused)}
