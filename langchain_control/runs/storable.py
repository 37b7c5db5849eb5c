"""Answers that a checkpointer can store."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage

from langchain_control._effects import Flow
from langchain_control.contracts.broken import broken
from langchain_control.outcomes import FailureMode, ValidationResult, Violation
from langchain_control.strategies.asking import AnswerContract

__all__ = ["StorableAnswers"]

_BIG_INTEGER = Violation(
    rule="json.big_integer",
    expected="integers of 64 bits at most; send a longer one as a string",
)


class StorableAnswers:
    """A contract, and that its values fit into the state of a graph.

    JSON has integers of any length. MessagePack, in which LangGraph's checkpoints are written, has
    none beyond 64 bits, and a run whose answer holds one would be lost.
    """

    def __init__(self, contract: AnswerContract) -> None:
        """Hold answers to `contract` first."""
        self._contract = contract

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Judge an answer."""
        verdict = yield from self._contract.judge(value)
        if not verdict.passed or not _holds_a_big_integer(verdict.value):
            return verdict
        return broken(FailureMode.SCHEMA_VIOLATION, [_BIG_INTEGER], notes=verdict.notes)

    def clean(self, message: AIMessage, verdict: ValidationResult) -> AIMessage:
        """Return the answer as it passed."""
        return self._contract.clean(message, verdict)


def _holds_a_big_integer(value: Any) -> bool:
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as found:
                pending += found.values()
            case list() as found:
                pending += found
            case int() as found if not -(1 << 63) <= found < 1 << 64:
                return True
    return False
