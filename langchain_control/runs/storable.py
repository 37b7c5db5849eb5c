"""Answers that a checkpointer can store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_control._effects import Flow
from langchain_control.contracts.broken import broken
from langchain_control.outcomes import FailureMode, ValidationResult, Violation
from langchain_control.runs.state import RunState, note_of
from langchain_control.strategies.asking import ContractAround

__all__ = ["StorableAnswers", "storable"]

_BIG_INTEGER = Violation(
    rule="json.big_integer",
    expected="integers of 64 bits at most; send a longer one as a string",
)

_REJECTED = broken(FailureMode.SCHEMA_VIOLATION, [_BIG_INTEGER])


class StorableAnswers(ContractAround):
    """A contract, and that answers and their values fit into the state of a graph.

    JSON has integers of any length. MessagePack, in which LangGraph's checkpoints are written, has
    none beyond 64 bits, and a run whose answer holds one would be lost.
    """

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Judge an answer."""
        verdict = yield from self._contract.judge(value)
        if not verdict.passed or not _holds_a_big_integer([verdict.value, _plain(value)]):
            return verdict
        return replace(_REJECTED, notes=verdict.notes)


def storable(update: RunState) -> RunState:
    """Return what a step changes such that a checkpointer can store it.

    A model's answer is stored before it is judged. Of one that cannot be, the text stays, what it
    has cost, and that it is rejected.
    """
    draft = update.get("draft") or {}
    answer = draft.get("response")
    if answer is None or not _holds_a_big_integer(_plain(answer)):
        return update
    told = {name: getattr(answer, name) for name in ("usage_metadata", "response_metadata")}
    kept = {name: value for name, value in told.items() if not _holds_a_big_integer(value)}
    changed = {
        "draft": {**draft, "response": AIMessage(answer.text, **kept)},
        "failure": note_of("validate", _REJECTED),
    }
    return cast("RunState", {**update, **changed})


def _plain(message: AIMessage) -> dict[str, Any]:
    return message.model_dump(warnings=False)


def _holds_a_big_integer(value: Any) -> bool:
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as found:
                pending += found.values()
            case list() | tuple() as found:
                pending += found
            case int() as found if not -(1 << 63) <= found < 1 << 64:
                return True
    return False
