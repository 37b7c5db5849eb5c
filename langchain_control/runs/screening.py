"""What may reach the model beside the question: earlier turns, documents, tool results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from langchain_control._effects import Flow
from langchain_control.conversation import documents_in, source_of
from langchain_control.events import blocked, flagged
from langchain_control.outcomes import FailureMode, Source, ValidationResult, passed
from langchain_control.runs.judged_before import Judges
from langchain_control.runs.notices import is_notice
from langchain_control.runs.state import RunState

__all__ = [
    "WITHHELD",
    "documents_of",
    "index_of_question",
    "screened",
    "withheld",
]

WITHHELD = "[withheld by a safety check]"
"""Stands in for a tool result that may not reach the model: the call it answers needs a result."""

_LEFT_OUT = (FailureMode.PROMPT_INJECTION, FailureMode.TOKEN_OVERFLOW)


def withheld(message: BaseMessage) -> BaseMessage:
    """Return what stands in for a message that may not reach the model."""
    return message.model_copy(update={"content": WITHHELD})


def index_of_question(messages: Sequence[BaseMessage]) -> int | None:
    """Return the position of the newest message that a person wrote."""
    newest_first = reversed(range(len(messages)))
    return next((i for i in newest_first if source_of(messages[i]) == "user"), None)


def documents_of(state: RunState) -> list[str]:
    """Return the documents of a run, as a list of texts.

    Raises:
        TypeError: What a graph has for `context` is no documents.
    """
    try:
        return documents_in(state.get("context"))
    except TypeError as exc:
        msg = (
            f"{exc}; a graph with a `context` of another kind adds this one with "
            "`input_schema=MessagesState`, or calls its own something else"
        )
        raise TypeError(msg) from None


def screened(
    items: Sequence[Any],
    guard: Judges,
    request_id: str,
    config: RunnableConfig,
    asked: int | None = None,
) -> Flow[ValidationResult]:
    """Say what may reach the model, leaving attacks out and telling the trail.

    An attack in an earlier turn, a document or a tool result does not block the request: one
    poisoned message would end a conversation for good. Nor may it stay: an attack that was blocked
    would come back as history with the next question. The message that closed its run goes with it:
    without the question it means nothing. What is too large to be searched may hide an attack, and
    is treated as one.

    Args:
        items: Messages, or documents as text.
        guard: Judges each of them by its source.
        request_id: For the trail.
        config: The run to tell it on.
        asked: Position of the question, which has been judged.

    Returns:
        A verdict whose `value` is what may, and whose `notes` say whose texts were left out; or the
        failure of one that nobody could judge: it may be an attack, or a turn that a conversation
        needs.
    """
    kept: list[Any] = []
    notes: dict[str, None] = {}
    was_left_out = False
    for position, item in enumerate(items):
        if was_left_out and not isinstance(item, str) and is_notice(item):
            continue
        was_left_out = False
        source: Source | None = "context" if isinstance(item, str) else source_of(item)
        if position == asked or source is None:
            kept.append(item)
            continue
        verdict = yield from guard.judge(item, source=source, is_question=False)
        if verdict.failure_mode in _LEFT_OUT:
            yield blocked("InputGuard", verdict, config, request_id=request_id, key=source)
            notes[f"{source}_withheld"] = None
            if source == "tool":
                kept.append(withheld(item))
            was_left_out = source != "tool"
        elif verdict.passed:
            yield flagged("InputGuard", verdict, config, request_id=request_id)
            kept.append(verdict.value)
        else:
            return verdict
    return passed(kept, notes=tuple(notes))
