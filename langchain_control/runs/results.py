"""How a run ended, read out of its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage

from langchain_control._least import least
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

__all__ = ["result_of"]


def result_of(state: Mapping[str, Any]) -> ControlResult:
    """Read the outcome of a finished run out of its state, from whichever door.

    Raises:
        ValueError: The run has not finished.
    """
    status = state.get("status")
    if status is None:
        msg = "the run has not finished: its state has no `status`"
        raise ValueError(msg)
    note = state.get("failure")
    has_answer = status in ANSWERED
    answer = state["messages"][-1] if has_answer else None
    return ControlResult(
        status=status,
        message=answer if isinstance(answer, AIMessage) else None,
        value=state.get("value"),
        failure_mode=FailureMode(note["mode"]) if note else FailureMode.NONE,
        reason=_reason(note, [] if has_answer else state["fallbacks"]),
        step=note["step"] if note else "",
        attempts=tuple(state["attempts"]),
        fallbacks=tuple(state["fallbacks"]),
        strategy=state["strategy"],
        request_id=state["request_id"],
        violations=violations_in(note),
        findings=tuple(_finding(f) for f in note["findings"]) if note else (),
        retry_after=_retry_after(note, state["fallbacks"]),
        usage=usage_of(state),
        cost=cost_of(calls_in(state)),
        scores=Scores(**(state.get("scores") or {})),
    )


def _reason(note: FailureNote | None, tries: Sequence[FallbackTry]) -> str:
    reasons = [note["message"]] if note else []
    if tries:
        reasons.append(f"no fallback strategy answered: {causes(tries)}")
    return "; ".join(reasons)


def _retry_after(note: FailureNote | None, tries: Sequence[FallbackTry]) -> float | None:
    """Return when the first of those that said so may be asked again."""
    said = note["retry_after"] if note else None
    return least(said, *(tried["retry_after"] for tried in tries))


def _finding(plain: dict[str, Any]) -> Finding:
    span = plain["span"]
    return Finding(**{**plain, "span": None if span is None else tuple(span)})
