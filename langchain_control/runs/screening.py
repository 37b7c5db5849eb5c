"""What may reach the model beside the question: earlier turns, documents, tool results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from langchain_control._effects import Flow
from langchain_control.events import blocked
from langchain_control.outcomes import FailureMode, Source, ValidationResult
from langchain_control.runs.notices import failure_behind

__all__ = ["WITHHELD", "documents_in", "index_of_question", "screened", "withheld"]

WITHHELD = "[withheld by a safety check]"
"""Stands in for a tool result that may not reach the model: the call it answers needs a result."""


class Judges(Protocol):
    """Says whether a text may go on, as an `InputGuard` does."""

    def judge(self, value: Any, *, source: Source) -> Flow[ValidationResult]:
        """Judge a text by where it came from."""


def withheld(message: BaseMessage) -> BaseMessage:
    """Return what stands in for a message that may not reach the model."""
    return message.model_copy(update={"content": WITHHELD})


def index_of_question(messages: Sequence[BaseMessage]) -> int | None:
    """Return the position of the newest human message."""
    humans = (i for i in reversed(range(len(messages))) if isinstance(messages[i], HumanMessage))
    return next(humans, None)


def documents_in(context: Any) -> list[str]:
    """Return retrieved context, one or several texts or `Document`s, as a list of texts.

    Raises:
        TypeError: It is neither.
    """
    if context is None:
        return []
    documents = [context] if isinstance(context, str | Document) else context
    is_list = isinstance(documents, Sequence) and not isinstance(documents, bytes)
    odd = [d for d in documents if not isinstance(d, str | Document)] if is_list else [documents]
    if odd:
        msg = (
            f"`context` is text, Documents, or a sequence of these, got `{type(odd[0]).__name__}`; "
            "a graph with a `context` of another kind adds this one with "
            "`input_schema=MessagesState`, or calls its own something else"
        )
        raise TypeError(msg)
    return [d.page_content if isinstance(d, Document) else d for d in documents]


def screened(
    items: Sequence[Any],
    guard: Judges,
    request_id: str,
    config: RunnableConfig,
    asked: int | None = None,
) -> Flow[list[Any]]:
    """Return what may reach the model, leaving attacks out and telling the trail.

    An attack in an earlier turn, a document or a tool result does not block the request: one
    poisoned message would end a conversation for good. Nor may it stay: an attack that was blocked
    would come back as history with the next question. The message that closed its run goes with it:
    an answer without a question is none.

    Args:
        items: Messages, or documents as text.
        guard: Judges each of them by its source.
        request_id: For the trail.
        config: The run to tell it on.
        asked: Position of the question, which has been judged.
    """
    kept: list[Any] = []
    was_left_out = False
    for position, item in enumerate(items):
        if was_left_out and isinstance(item, AIMessage) and failure_behind(item) is not None:
            continue
        was_left_out = False
        source = _source_of(item)
        if position == asked or source is None:
            kept.append(item)
            continue
        verdict = yield from guard.judge(item, source=source)
        if verdict.failure_mode is FailureMode.PROMPT_INJECTION:
            yield blocked("InputGuard", verdict, config, request_id=request_id, key=source)
            if isinstance(item, ToolMessage):
                kept.append(withheld(item))
            was_left_out = not isinstance(item, ToolMessage)
        else:  # an empty or long one is the budget's business
            kept.append(verdict.value if verdict.passed else item)
    return kept


def _source_of(item: Any) -> Source | None:
    match item:
        case HumanMessage():
            return "user"
        case ToolMessage():
            return "tool"
        case str():
            return "context"
    return None
