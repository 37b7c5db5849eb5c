"""What an agent's state keeps of the run: one request, however many calls and tools it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from langchain.agents.middleware.types import AgentState, OmitFromInput
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from langchain_control.outcomes import Attempt, ControlResult, FallbackTry
from langchain_control.runs.state import FailureNote, RunState, result_of

__all__ = [
    "AgentRun",
    "ControlAgentState",
    "agent_result",
    "record_of",
]


class AgentRun(TypedDict, total=False):
    """The run so far, as JSON. The keys mean what they mean in `ControlState`."""

    request_id: str
    started: float
    deadline: float | None
    """Of the whole run, in seconds since the epoch. Set anew when a person has answered."""
    reservation: list[Any] | None
    attempts: list[Attempt]
    """Of all model calls of the run; each call counts its own from 1."""
    fallbacks: list[FallbackTry]
    """Of all model calls of the run."""
    calls: int
    """How many answers the agent asked the model for."""
    status: str | None
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

    Raises:
        ValueError: The run has not finished, or the agent has no `ControlMiddleware`.
    """
    return result_of({**(state.get("control") or {}), "messages": state["messages"]})


def record_of(
    run: RunState, before: AgentRun | None = None, *, deadline: float | None = None
) -> AgentRun:
    """Return the record of a walk through the steps, added to the record before it."""
    earlier = before or AgentRun(
        request_id=run["request_id"],
        started=run["started"],
        deadline=deadline,
        reservation=run["reservation"],
        attempts=[],
        fallbacks=[],
        calls=0,
    )
    return AgentRun(
        request_id=earlier["request_id"],
        started=earlier["started"],
        deadline=earlier["deadline"],
        reservation=earlier["reservation"],
        attempts=[*earlier["attempts"], *run["attempts"]],
        fallbacks=[*earlier["fallbacks"], *run["fallbacks"]],
        calls=earlier["calls"] + bool(run["attempts"]),
        status=run["status"],
        strategy=run["strategy"],
        failure=run["failure"],
        value=run["value"],
        scores=run["scores"],
        paused=None,
        replies=[],
    )
