"""What an agent's state keeps of the run: one request, however many calls and tools it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired, cast

from langchain.agents.middleware.types import AgentState, OmitFromInput
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    convert_to_messages,
)
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from langchain_control.conversation import source_of
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
from langchain_control.runs.results import message_and_rest, result_of
from langchain_control.runs.screening import WITHHELD, index_of_question
from langchain_control.runs.state import (
    FailureNote,
    RunState,
    fresh_run,
    note_of,
)

__all__ = [
    "RECORD",
    "AgentRun",
    "ControlAgentState",
    "agent_result",
    "answer_in",
    "closed",
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
    answer_id: str | None
    """Id of the last answer, or of the notice that there is none."""
    strategy: str
    failure: FailureNote | None
    value: Any
    scores: dict[str, float | None] | None
    paused: dict[str, Any] | None
    """What a call had reached when it stopped for a person."""
    replies: list[Any]
    """What the person has answered, as it came; empty until then."""
    closed: bool
    """Whether the trail was told how the run ended."""
    question_id: str | None
    """Id of the newest question when the run was closed; a newer one has a run of its own."""


RECORD = "control"
"""The part of an agent's state that tells of its run, and is nobody else's to write."""


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
        ValueError: The run has not finished, another question waits for its own, the agent has no
            `ControlMiddleware`, or the state is a parent's that does not declare `control`.
    """
    if not state.get(RECORD):
        msg = (
            f"the state has no `{RECORD}`: a parent's state has to declare it, as by "
            "`control: Any`, an agent has to have `ControlMiddleware`, and its run to have begun"
        )
        raise ValueError(msg)
    record = cast("AgentRun", dict(state[RECORD]))
    messages = convert_to_messages(state["messages"])
    if record.get("closed") and _is_asked_again(record, messages):
        msg = "the run has not finished: the newest question came after the answer"
        raise ValueError(msg)
    if record.get("closed"):
        record = ended_with(record, messages)
    elif record.get("status") in ANSWERED and not _has_answer(record, messages):
        record["status"] = None
    answer = answer_in(record, messages)
    found = {"messages": [answer], "answer_id": answer.id} if answer else {"messages": []}
    return result_of({**record, **found})


def ended_with(record: AgentRun, messages: Sequence[BaseMessage]) -> AgentRun:
    """Return the record of a run that has come to its end, by itself or through others.

    One that waited for a person, and was left, ends as if there had been nobody to ask.
    """
    has_failed = record["status"] is not None and record["status"] not in ANSWERED
    if has_failed or _has_answer(record, messages):
        return record
    paused = record["paused"]
    if not paused:
        return _stopped(record, "call")
    added = {name: [*record[name], *paused[name]] for name in ("attempts", "fallbacks")}
    status = status_without_answer(paused["failure"])
    left = {**record, **added, "failure": paused["failure"], "status": status, "paused": None}
    return cast("AgentRun", left)


def closed(record: AgentRun, messages: Sequence[BaseMessage]) -> AgentRun:
    """Return the record of a run that the trail was told the end of."""
    asked = _question_id_in(messages)
    return AgentRun(**{**record, "closed": True, "reservation": None, "question_id": asked})


def _is_asked_again(record: AgentRun, messages: Sequence[BaseMessage]) -> bool:
    """Whether a question came after a run that is closed, as far as its messages still tell."""
    for own in (record.get("answer_id"), record.get("question_id")):
        places = [n for n, message in enumerate(messages) if own and message.id == own]
        if places:
            return any(source_of(message) == "user" for message in messages[places[0] + 1 :])
    asked = index_of_question(messages)
    answered = asked is None or any(isinstance(m, AIMessage) for m in messages[asked + 1 :])
    return not answered


def _question_id_in(messages: Sequence[BaseMessage]) -> str | None:
    """Return the id of the newest message that a person wrote."""
    asked = index_of_question(messages)
    return None if asked is None else messages[asked].id


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


def _has_answer(record: AgentRun, messages: Sequence[BaseMessage]) -> bool:
    """Whether a run has come to an answer: others end runs, too, and write messages then.

    What they make of an accepted answer, under another id perhaps, is an answer all the same.
    """
    if record.get("status") not in ANSWERED:
        return False
    answer, after = message_and_rest(messages, record["answer_id"])
    if answer is not None and answer.tool_calls and record["value"] is None:
        return _given_by_tools(after) is not None
    asked = [n for n, message in enumerate(after) if isinstance(message, HumanMessage)]
    return not (asked and any(isinstance(message, AIMessage) for message in after[asked[0] :]))


def answer_in(record: AgentRun, messages: Sequence[BaseMessage]) -> AIMessage | None:
    """Return the answer that a run ended with, or what others have put in its place, if any."""
    if record.get("status") not in ANSWERED:
        return None
    answer, after = message_and_rest(messages, record["answer_id"])
    if answer is not None and answer.tool_calls and record["value"] is None:
        return _given_by_tools(after)
    newest_first = (m for m in reversed(messages) if isinstance(m, AIMessage))
    return answer if answer is not None else next(newest_first, None)


def _given_by_tools(after: Sequence[BaseMessage]) -> AIMessage | None:
    """Return what tools gave for an answer, unless one of them failed or others had a say."""
    results = [message for message in after if isinstance(message, ToolMessage)]
    failed = any(result.status == "error" or result.content == WITHHELD for result in results)
    if not results or failed or any(isinstance(message, AIMessage) for message in after):
        return None
    [*_, last] = results
    content = last.content if len(results) == 1 else "\n\n".join(r.text for r in results)
    return AIMessage(content, id=last.id)


def record_of(run: RunState, before: AgentRun | None = None) -> AgentRun:
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
        answer_id=run["answer_id"],
        strategy=run["strategy"],
        failure=run["failure"],
        value=run["value"],
        scores=run["scores"],
        paused=None,
        replies=[],
    )
