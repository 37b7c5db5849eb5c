"""What an agent's state keeps of the run: one request, however many calls and tools it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired, cast

from langchain.agents.middleware.types import AgentState, OmitFromInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from langchain_control.outcomes import (
    ANSWERED,
    Attempt,
    ControlResult,
    FailureMode,
    FallbackTry,
    failure,
)
from langchain_control.policy import ControlPolicy
from langchain_control.runs.endings import status_without_answer
from langchain_control.runs.screening import WITHHELD
from langchain_control.runs.state import FailureNote, RunState, fresh_run, note_of, result_of

__all__ = [
    "AgentRun",
    "ControlAgentState",
    "agent_result",
    "ended_with",
    "placeholders_in",
    "record_of",
    "unopened",
]


class AgentRun(TypedDict, total=False):
    """The run so far, as JSON. The keys mean what they mean in `ControlState`."""

    request_id: str
    started: float
    reservation: list[Any] | None
    attempts: list[Attempt]
    """Of all model calls of the run; each call counts its own from 1."""
    fallbacks: list[FallbackTry]
    """Of all model calls of the run."""
    calls: int
    """How many answers the agent asked the model for."""
    status: str | None
    """`None` while the run goes on: also where an answer only calls tools."""
    answer: str | None
    """Id of the last answer, or of the notice that there is none."""
    strategy: str
    failure: FailureNote | None
    value: Any
    scores: dict[str, float | None] | None
    paused: dict[str, Any] | None
    """What a call had reached when it stopped for a person."""
    replies: list[Any]
    """What the person has answered; empty until then."""
    closed: bool
    """Whether the trail was told how the run ended."""


class ControlAgentState(AgentState[Any]):
    """An agent's state with the run in it."""

    control: NotRequired[Annotated[AgentRun, OmitFromInput]]


def agent_result(state: Mapping[str, Any]) -> ControlResult:
    """Read how a controlled agent's run ended out of its final state.

    Only what the control layer has accepted is an answer. A run that other middleware ended before
    there was one is `exhausted`, or `rejected` if it was ended before `ControlMiddleware` saw it,
    and its failure mode is `stopped`. Where tools with `return_direct` answered, the message holds
    what they gave.

    Raises:
        ValueError: The run has not finished, or the agent has no `ControlMiddleware`.
    """
    record, messages = cast("AgentRun", dict(state.get("control") or {})), state["messages"]
    if record.get("closed"):
        record = ended_with(record, messages)
    answer = _answer_in(record, messages)
    if answer is None and record.get("status") in ANSWERED:
        record["status"] = None
    return result_of({**record, "messages": [answer]})


def ended_with(record: AgentRun, messages: Sequence[BaseMessage]) -> AgentRun:
    """Return the record of a run that has come to its end, by itself or through others.

    One that waited for a person, and was left, ends as if there had been nobody to ask.
    """
    has_failed = record["status"] is not None and record["status"] not in ANSWERED
    if has_failed or _answer_in(record, messages) is not None:
        return record
    paused = record["paused"]
    if not paused:
        return _stopped(record, "call")
    added = {name: [*record[name], *paused[name]] for name in ("attempts", "fallbacks")}
    status = status_without_answer(paused["failure"])
    left = {**record, **added, "failure": paused["failure"], "status": status, "paused": None}
    return cast("AgentRun", left)


def placeholders_in(record: AgentRun | None, messages: Sequence[BaseMessage]) -> list[str]:
    """Return the id of the empty message that stood for the answer of a run that was left."""
    waiting = (record or AgentRun()).get("paused") or {}
    return [m.id for m in messages if m.id and m.id == waiting.get("placeholder")]


def unopened(policy: ControlPolicy) -> AgentRun:
    """Return the record of a run that others ended before it was opened: no request was made."""
    run = cast("RunState", {**fresh_run({}, policy), "request_id": ""})
    return _stopped(record_of(run), "guard")


def _stopped(record: AgentRun, step: str) -> AgentRun:
    why = "the agent's run was ended, by other middleware or a tool, before there was an answer"
    note = note_of(step, failure(FailureMode.STOPPED, why))
    return AgentRun(**{**record, "failure": note, "status": status_without_answer(note)})


def _answer_in(record: AgentRun, messages: Sequence[BaseMessage]) -> AIMessage | None:
    """Return the answer that a run ended with, if it did: others write messages, too."""
    if record.get("status") not in ANSWERED:
        return None
    ids = [message.id for message in messages]
    if record.get("answer") not in ids:
        return None
    position = ids.index(record["answer"])
    answer, after = messages[position], messages[position + 1 :]
    if not isinstance(answer, AIMessage):
        return None
    if answer.tool_calls and record["value"] is None:
        return _given_by_tools(after)
    return None if any(isinstance(message, HumanMessage) for message in after) else answer


def _given_by_tools(after: Sequence[BaseMessage]) -> AIMessage | None:
    """Return what tools gave for an answer, unless one of them failed or others had a say."""
    results = [message for message in after if isinstance(message, ToolMessage)]
    failed = any(result.status == "error" or result.content == WITHHELD for result in results)
    if not results or failed or any(isinstance(message, AIMessage) for message in after):
        return None
    [*_, last] = results
    content = last.content if len(results) == 1 else "\n\n".join(r.text for r in results)
    return AIMessage(content, id=last.id)


def record_of(
    run: RunState,
    before: AgentRun | None = None,
    *,
    answer: str | None = None,
) -> AgentRun:
    """Return the record of a walk through the steps, added to the record before it."""
    earlier = before or AgentRun(
        request_id=run["request_id"],
        started=run["started"],
        reservation=run["reservation"],
        attempts=[],
        fallbacks=[],
        calls=0,
    )
    return AgentRun(
        request_id=earlier["request_id"],
        started=earlier["started"],
        reservation=earlier["reservation"],
        attempts=[*earlier["attempts"], *run["attempts"]],
        fallbacks=[*earlier["fallbacks"], *run["fallbacks"]],
        calls=earlier["calls"] + bool(run["attempts"]),
        status=run["status"],
        answer=answer,
        strategy=run["strategy"],
        failure=run["failure"],
        value=run["value"],
        scores=run["scores"],
        paused=None,
        replies=[],
    )
