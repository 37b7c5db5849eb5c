"""Answers that a checkpointer can store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from langchain_core.messages import AIMessage

from langchain_control._effects import Flow
from langchain_control.contracts.broken import broken
from langchain_control.encodings.surrogates import is_well_formed
from langchain_control.outcomes import FailureMode, ValidationResult, Violation
from langchain_control.parsing.strict import TOO_DEEP
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

_TOO_DEEP = Violation(rule=f"json.{TOO_DEEP.kind}", expected=TOO_DEEP.expected)

_NO_JSON = Violation(rule="json.type", expected="values that JSON has")

MAX_LEVELS = 200
"""Levels of a message that can be stored. Pydantic writes down no more than some 250, and JSON
that is accepted has fewer, with what is around it in a message."""


class StorableAnswers(ContractAround):
    """A contract, and that answers and their values fit into the state of a graph.

    JSON has integers of any length. MessagePack, in which LangGraph's checkpoints are written, has
    none beyond 64 bits, no key that UTF-8 cannot express, and writers of it bound the depth; a run
    whose answer holds one would be lost.

    What a provider reports beside an answer, such as its usage, is no fault of the answer: of that,
    what does not fit is left out, as are objects that LangGraph cannot write.
    """

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Judge an answer."""
        verdict = yield from self._contract.judge(value)
        held = [verdict.value, dict(without_unstorable_reports(value))]
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
    if (why := _unstorable_in(dict(kept))) is None:
        return update if kept is answer else {**update, "draft": {**draft, "response": kept}}
    told = {name: getattr(kept, name) for name in _REPORTS}
    changed = {
        "draft": {**draft, "response": AIMessage(kept.text, **told)},
        "failure": note_of("validate", _rejected(why)),
    }
    return cast("RunState", {**update, **changed})


_REPORTS = ("usage_metadata", "response_metadata")

_PLAIN = frozenset((dict, list, tuple, str, int, float, bool, bytes, type(None)))
"""Subclasses of these may be unknown: numpy's floats are floats."""

_DETAILS = ("response_metadata", "additional_kwargs")
"""What clients fill with anything."""


def without_unstorable_reports(answer: AIMessage) -> AIMessage:
    """Return an answer with those reports only that a checkpointer can store."""
    changed: dict[str, Any] = {}
    for name in _DETAILS:
        told = getattr(answer, name)
        kept = {key: value for key, value in told.items() if not _unstorable_in({key: value})}
        if len(kept) < len(told):
            changed[name] = kept
    if _unstorable_in(answer.usage_metadata):
        changed["usage_metadata"] = None
    return answer.model_copy(update=changed) if changed else answer


def _rejected(why: Violation) -> ValidationResult:
    return broken(FailureMode.SCHEMA_VIOLATION, [why])


def _unstorable_in(value: Any) -> Violation | None:
    """Return why a checkpointer cannot store a value, if it cannot.

    Each object is looked at once in each level: one that refers to itself is too deep.
    """
    level = [value]
    for _ in range(MAX_LEVELS):
        if why := next(filter(None, map(_unstorable, level)), None):
            return why
        inner = [child for found in level for child in _children(found)]
        if not inner:
            return None
        level = [*{id(child): child for child in inner}.values()]
    return _TOO_DEEP


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _unstorable(value: Any) -> Violation | None:
    """Return why a value cannot be stored, whatever it holds."""
    match value:
        case dict():
            return next(filter(None, map(_unstorable_key, value)), None)
        case int() if not -(1 << 63) <= value < 1 << 64:
            return _BIG_INTEGER
    return None if type(value) in _PLAIN or _is_known(value) else _NO_JSON


def _unstorable_key(key: Any) -> Violation | None:
    if isinstance(key, str):
        return None if is_well_formed(key) else _NOT_UNICODE
    return None if _is_known({key: None}) else _NO_JSON


def _is_known(value: Any) -> bool:
    """Whether LangGraph can write a value that is no JSON, such as a date."""
    from langgraph.checkpoint.serde.jsonplus import (  # noqa: PLC0415  (only doors import it)
        JsonPlusSerializer,
    )

    try:
        JsonPlusSerializer().dumps_typed([value])
    except Exception:  # noqa: BLE001  (objects of clients may fail in any way)
        return False
    return True
