"""How a run ended, read out of its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages

from langchain_control._least import least
from langchain_control.conversation import source_of
from langchain_control.outcomes import (
    ANSWERED,
    ControlResult,
    FailureMode,
    FallbackTry,
    Finding,
    Scores,
)
from langchain_control.retries.usage_limits import cost_of
from langchain_control.runs.state import FailureNote, calls_in, usage_of, violations_in
from langchain_control.strategies.asking import causes

__all__ = ["message_and_rest", "result_of"]


def result_of(state: Mapping[str, Any]) -> ControlResult:
    """Read the outcome of a finished run out of its state, from whichever door.

    The state may be JSON, as a server gives it. What others have said after the answer is no part
    of it; where somebody took the answer out of the messages, the result has none.

    Raises:
        ValueError: The run has not finished, another question waits for its own, or the state is a
            parent's that does not have the run's keys.
    """
    status = state.get("status", "")
    if status is None:
        msg = "the run has not finished: its `status` is `None`"
        raise ValueError(msg)
    if missing := [f"`{key}`" for key in _NEEDED if key not in state]:
        msg = (
            f"the state has no {', '.join(missing)}: a parent's state declares the keys of "
            "`ControlOutput`, and a run that has not begun has none of them"
        )
        raise ValueError(msg)
    answer, after = message_and_rest(state["messages"], state["answer_id"])
    if any(source_of(message) == "user" for message in after):
        msg = "the run has not finished: the newest question came after the answer"
        raise ValueError(msg)
    note = state.get("failure")
    has_answer = status in ANSWERED
    return ControlResult(
        status=status,
        message=answer if has_answer else None,
        value=state.get("value"),
        failure_mode=FailureMode(note["mode"]) if note else FailureMode.NONE,
        reason=_reason(note, [] if has_answer else state["fallbacks"]),
        step=note["step"] if note else "",
        attempts=tuple(state["attempts"]),
        fallbacks=tuple(state["fallbacks"]),
        strategy=state["strategy"],
        request_id=state["request_id"],
        violations=violations_in(note),
        findings=tuple(Finding(**f) for f in note["findings"]) if note else (),
        retry_after=_retry_after(note, state["fallbacks"]),
        usage=usage_of(state),
        cost=cost_of(calls_in(state)),
        scores=Scores(**(state.get("scores") or {})),
    )


_NEEDED = ("status", "answer_id", "strategy", "attempts", "fallbacks", "request_id")


def message_and_rest(
    messages: Sequence[Any], message_id: str | None
) -> tuple[AIMessage | None, Sequence[BaseMessage]]:
    """Return the message of that id, if it is there, and what follows it."""
    read = convert_to_messages(messages)
    for position, message in enumerate(read):
        if isinstance(message, AIMessage) and message.id == message_id:
            return message, read[position + 1 :]
    return None, ()


def _reason(note: FailureNote | None, tries: Sequence[FallbackTry]) -> str:
    reasons = [note["message"]] if note else []
    if tries:
        reasons.append(f"no fallback strategy answered: {causes(tries)}")
    return "; ".join(reasons)


def _retry_after(note: FailureNote | None, tries: Sequence[FallbackTry]) -> float | None:
    """Return when the first of those that said so may be asked again."""
    said = note["retry_after"] if note else None
    return least(said, *(tried["retry_after"] for tried in tries))
