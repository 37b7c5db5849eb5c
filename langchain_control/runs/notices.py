"""The message that stands where an answer should, when a run has ended without one."""

from __future__ import annotations

from langchain_core.messages import AIMessage, BaseMessage

from langchain_control.outcomes import FailureMode
from langchain_control.runs.state import RunState

__all__ = ["WITHOUT_ANSWER", "failure_behind", "is_notice", "notice"]

WITHOUT_ANSWER = ("rejected", "exhausted")
"""How a run ends that has no answer."""

_STATUS = "control_status"
"""Key in the `response_metadata` of such a message: how the run ended."""

_FAILURE_MODE = "control_failure_mode"


def notice(run: RunState) -> AIMessage:
    """Say in a message that there is no answer, and name the failure."""
    note = run["failure"]
    mode = note["mode"] if note else "none"
    return AIMessage(
        f"There is no answer: {mode}.",
        response_metadata={_STATUS: run["status"], _FAILURE_MODE: mode},
    )


def failure_behind(message: AIMessage) -> FailureMode | None:
    """Return the failure that a message tells of; `None` if it is an answer.

    Clients may write what they like into the metadata of a message: half a mark is none.
    """
    said = message.response_metadata
    if said.get(_STATUS) not in WITHOUT_ANSWER:
        return None
    return next((mode for mode in FailureMode if mode == said.get(_FAILURE_MODE)), None)


def is_notice(message: BaseMessage) -> bool:
    """Whether a message says that there is no answer."""
    return isinstance(message, AIMessage) and failure_behind(message) is not None
