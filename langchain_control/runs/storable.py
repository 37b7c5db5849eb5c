"""Answers that a checkpointer can store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_control._effects import Flow
from langchain_control.contracts.broken import broken
from langchain_control.encodings.surrogates import is_well_formed
from langchain_control.outcomes import FailureMode, ValidationResult, Violation
from langchain_control.runs.state import RunState, note_of
from langchain_control.strategies.asking import ContractAround

__all__ = ["StorableAnswers", "storable", "without_unstorable_reports"]

_BIG_INTEGER = Violation(
    rule="json.big_integer",
    expected="integers of 64 bits at most; send a longer one as a string",
)

_NOT_UNICODE = Violation(
    rule="json.unicode", expected="property names in Unicode", found="a lone surrogate"
)


class StorableAnswers(ContractAround):
    """A contract, and that answers and their values fit into the state of a graph.

    JSON has integers of any length. MessagePack, in which LangGraph's checkpoints are written, has
    none beyond 64 bits, and no key that UTF-8 cannot express; a run whose answer holds one would be
    lost.

    What a provider reports beside an answer, such as its usage, is no fault of the answer: of that,
    what does not fit is left out.
    """

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Judge an answer."""
        verdict = yield from self._contract.judge(value)
        held = [verdict.value, _plain(without_unstorable_reports(value))]
        why = _unstorable_in(held) if verdict.passed else None
        return replace(_rejected(why), notes=verdict.notes) if why else verdict

    def clean(self, message: AIMessage, verdict: ValidationResult) -> AIMessage:
        """Return the answer as it passed, without reports that do not fit."""
        return without_unstorable_reports(super().clean(message, verdict))


def storable(update: RunState) -> RunState:
    """Return what a step changes such that a checkpointer can store it.

    A model's answer is stored before it is judged. Of one that cannot be, the text stays, what it
    has cost, and that it is rejected.
    """
    draft = update.get("draft") or {}
    answer = draft.get("response")
    if answer is None:
        return update
    kept = without_unstorable_reports(answer)
    if (why := _unstorable_in(_plain(kept))) is None:
        return update if kept is answer else {**update, "draft": {**draft, "response": kept}}
    told = {name: getattr(kept, name) for name in _REPORTS}
    changed = {
        "draft": {**draft, "response": AIMessage(kept.text, **told)},
        "failure": note_of("validate", _rejected(why)),
    }
    return cast("RunState", {**update, **changed})


_REPORTS = ("usage_metadata", "response_metadata")


def without_unstorable_reports(answer: AIMessage) -> AIMessage:
    """Return an answer with those reports only that a checkpointer can store."""
    usage, told = answer.usage_metadata, answer.response_metadata
    kept = {name: value for name, value in told.items() if not _unstorable_in({name: value})}
    if len(kept) == len(told) and not _unstorable_in(usage):
        return answer
    fits = None if _unstorable_in(usage) else usage
    return answer.model_copy(update={"usage_metadata": fits, "response_metadata": kept})


def _plain(message: AIMessage) -> dict[str, Any]:
    return message.model_dump(warnings=False)


def _rejected(why: Violation) -> ValidationResult:
    return broken(FailureMode.SCHEMA_VIOLATION, [why])


def _unstorable_in(value: Any) -> Violation | None:
    """Return why a checkpointer cannot store a value, if it cannot."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as found:
                if not all(is_well_formed(key) for key in found if isinstance(key, str)):
                    return _NOT_UNICODE
                pending += found.values()
            case list() | tuple() as found:
                pending += found
            case int() as found if not -(1 << 63) <= found < 1 << 64:
                return _BIG_INTEGER
    return None
