"""How runs end: turned away, finished, or cut off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar, cast
from uuid import uuid4

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from langchain_control._effects import Flow
from langchain_control.components.limiter import Reservation
from langchain_control.errors.foreign import steers_a_graph
from langchain_control.events import EventName, blocked, event
from langchain_control.outcomes import ANSWERED, FailureMode, Status, ValidationResult, answered_by
from langchain_control.retries.usage_limits import cost_of
from langchain_control.runs.attempts import sha256_of_answer
from langchain_control.runs.context import Context
from langchain_control.runs.notices import WITHOUT_ANSWER, notice
from langchain_control.runs.settlements import Settlements
from langchain_control.runs.state import (
    FailureNote,
    PerRun,
    RunState,
    calls_in,
    note_of,
    usage_of,
)

__all__ = [
    "close",
    "closed_if_cut_off",
    "finished",
    "refunded_if_left",
    "status_without_answer",
    "turned_away",
]

T = TypeVar("T")

_SETTLEMENTS = Settlements()

_BEFORE_ANY_CALL = ("guard", "build")
_STEP_OF = {"RateLimiter": "guard", "InputGuard": "guard", "TokenBudget": "build"}


def turned_away(
    run: PerRun,
    component: str,
    verdict: ValidationResult,
    context: Context,
    config: RunnableConfig,
) -> Flow[RunState]:
    """End a run before any call, or leave the end to the fallback where the policy allows it."""
    note = note_of(_STEP_OF[component], verdict)
    yield blocked(component, verdict, config, request_id=run["request_id"])
    if context.policy.fallback.answer_blocked_input:
        return cast("RunState", {**run, "messages": [], "failure": note})
    return (yield from finished(run, context, config, status="rejected", failure=note))


def finished(
    run: PerRun, context: Context, config: RunnableConfig, **update: Any
) -> Flow[RunState]:
    """Close a run and return the last update. Where there is no answer, a message says so."""
    final = cast("RunState", {**run, "messages": [], **update})
    if final["status"] in WITHOUT_ANSWER:
        final["messages"] = [notice(final)]
    known = {message.id for message in cast("RunState", run).get("messages", ())}
    final["messages"] = [_identified(message, known) for message in final["messages"]]
    final["answer_id"] = final["messages"][-1].id
    if context.is_whole_request:
        answer = final["messages"][-1] if final["status"] in ANSWERED else None
        yield from close(final, context, config, answer, marked=run)
        final["reservation"] = None
    return final


def _identified(message: BaseMessage, known: Collection[str | None]) -> BaseMessage:
    """Return a message with an id of its own: one from a cache would replace an earlier one."""
    is_new = message.id and message.id not in known
    return message if is_new else message.model_copy(update={"id": uuid4().hex})


def status_without_answer(note: FailureNote | None) -> Status:
    """Return how a run ends that has no answer, by its last failure."""
    return "rejected" if note and note["step"] in _BEFORE_ANY_CALL else "exhausted"


def closed_if_cut_off(
    flow: Flow[T], run: Mapping[str, Any], context: Context, config: RunnableConfig
) -> Flow[T]:
    """Perform a part of a run. If the run is cut off in it, free what was reserved, and say so.

    It is cut off when it is cancelled, or ended by a mistake of the program. Where parts of it were
    under way at the same time, the first says so: they share what is marked in `run`, which must
    be nobody else's. If it is cut off while its end is told, this has the id of that record: a
    trail has one of the two.
    """
    try:
        return (yield from flow)
    except GeneratorExit:  # nobody performs this flow any more
        raise
    except BaseException as exc:
        if not (steers_a_graph(exc) or run.get("closed")):
            cast("dict[str, Any]", run)["closed"] = True
            yield from _cut_off(run, exc, context, config)
        raise


def refunded_if_left(flow: Flow[T], run: Mapping[str, Any], context: Context) -> Flow[T]:
    """Perform the opening of a run. If LangGraph leaves it, refund what was reserved.

    Where a plug-in pauses the graph, the step begins anew on resume, and so does the run.
    """
    try:
        return (yield from flow)
    except Exception as exc:
        reserved, limiter = run["reservation"], context.policy.limiter
        if reserved and limiter is not None and steers_a_graph(exc):
            yield limiter.refund(Reservation(*reserved))
        raise


def _cut_off(
    run: Mapping[str, Any], exc: BaseException, context: Context, config: RunnableConfig
) -> Flow[None]:
    if "end_id" not in run:  # else `close` has settled it
        yield from _settled(run, context)
    yield event(
        EventName.CUT_OFF,
        config,
        id=run.get("end_id"),
        request_id=run["request_id"],
        message=type(exc).__name__,
        model=context.name(config),
        attempts=len(run.get("attempts") or ()),
    )


def _settled(run: Mapping[str, Any], context: Context) -> Flow[None]:
    """Replace what a rate limit holds for a run by what the run has used.

    The state still holds the reservation after that, as do checkpoints from which a run that was
    cut off, or that raised, is tried again: `Settlements` knows what of it is left.
    """
    reserved, limiter = run.get("reservation"), context.policy.limiter
    if reserved and limiter is not None:
        reservation = Reservation(*reserved)
        used = usage_of({**run, "attempts": [*context.earlier, *run["attempts"]]})
        ended = (run["request_id"], run["started"])
        held, tokens = _SETTLEMENTS.settled(ended, reservation, used["total_tokens"])
        yield limiter.settle(held, tokens)


def close(
    final: Mapping[str, Any],
    context: Context,
    config: RunnableConfig,
    answer: BaseMessage | None = None,
    *,
    marked: Mapping[str, Any] | None = None,
) -> Flow[None]:
    """Settle what was reserved for a request, and tell the trail how it ended.

    Args:
        final: The request, as it ended.
        context: What it was made with.
        config: The run that its end is told on.
        answer: What was given for an answer, if there is one.
        marked: The run that `closed_if_cut_off` watches, if any does.
    """
    note, attempts = final["failure"], final["attempts"]
    took_seconds = max(0.0, context.policy.clock() - final["started"])  # two processes: two clocks
    usage = usage_of(final)
    yield from _settled(final, context)
    end_id = uuid4().hex
    if marked is not None:
        cast("dict[str, Any]", marked)["end_id"] = end_id
    yield event(
        EventName.FINISHED,
        config,
        id=end_id,
        request_id=final["request_id"],
        status=final["status"],
        strategy=final["strategy"],
        failure_mode=note["mode"] if note else FailureMode.NONE.value,
        message=note["message"] if note else None,
        model=_model_of(final, context, config),
        attempts=len(attempts),
        calls=final.get("calls"),
        latency_ms=round(took_seconds * 1000, 3),
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cost=cost_of(calls_in(final)),
        answer_sha256=sha256_of_answer(answer),
    )


def _model_of(final: Mapping[str, Any], context: Context, config: RunnableConfig) -> str | None:
    """Return the model that answered, if any; without an answer the one that was to."""
    if final["status"] not in ANSWERED:
        return context.name(config)
    if final["status"] == "accepted":
        return answered_by(final["attempts"][-1]) if final["attempts"] else None
    return final["fallbacks"][-1]["model"] if final["fallbacks"] else None
