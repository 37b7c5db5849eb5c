"""Messages and documents by their part in a prompt, and corrections and answers as messages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from langchain_core.documents import Document
from langchain_core.exceptions import ModelAPIError
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
    message_chunk_to_message,
)
from langchain_core.prompt_values import ChatPromptValue, PromptValue

from langchain_control.outcomes import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Conversation",
    "answer_of",
    "documents_in",
    "is_blank",
    "is_system",
    "messages_of",
    "source_of",
    "with_correction",
]


class Conversation(NamedTuple):
    """A list of messages, sorted by their part in a prompt. Their order is the list's."""

    system: Sequence[BaseMessage]
    """System messages at the start."""
    turns: Sequence[Sequence[BaseMessage]]
    """What was said before the question, oldest first, cut where it may be cut."""
    question: BaseMessage | None
    """The last human message, if there is one."""
    rest: Sequence[BaseMessage]
    """What came after the question: tool calls and their results."""

    @classmethod
    def of(cls, messages: Sequence[BaseMessage]) -> Conversation:
        """Sort out a list of messages."""
        start = len(list(takewhile(is_system, messages)))
        human = [n for n, message in enumerate(messages) if source_of(message) == "user"]
        if not human:
            return cls(messages[:start], (), None, messages[start:])
        asked = human[-1]
        turns = tuple(_turns(messages[start:asked]))
        return cls(messages[:start], turns, messages[asked], messages[asked + 1 :])


def _turns(history: Sequence[BaseMessage]) -> Iterator[Sequence[BaseMessage]]:
    """Begin a turn at each human message, but never between a tool call and its result."""
    start, awaited = 0, set[str | None]()
    for number, message in enumerate(history):
        if source_of(message) == "user" and not awaited and number > start:
            yield history[start:number]
            start = number
        elif isinstance(message, AIMessage):
            awaited.update(call["id"] for call in message.tool_calls)
        elif isinstance(message, ToolMessage):
            awaited.discard(message.tool_call_id)
    if start < len(history):
        yield history[start:]


_SYSTEM_ROLES = ("system", "developer")
_SOURCES: dict[str, Source | None] = {
    **dict.fromkeys(_SYSTEM_ROLES),
    "assistant": None,
    "ai": None,
    "tool": "tool",
    "function": "tool",
}
"""Who wrote a `ChatMessage`, by its role; in any other role somebody outside did."""


def source_of(message: BaseMessage) -> Source | None:
    """Return who wrote a message, or `None` if the application or the model did."""
    match message:
        case AIMessage() | SystemMessage() | RemoveMessage():
            return None
        case ToolMessage() | FunctionMessage():
            return "tool"
        case ChatMessage():
            return _SOURCES.get(message.role, "user")
    return "user"


def is_system(message: BaseMessage) -> bool:
    """Say whether a message instructs the model for the application."""
    if isinstance(message, ChatMessage):
        return message.role in _SYSTEM_ROLES
    return isinstance(message, SystemMessage)


def messages_of(given: Any) -> list[BaseMessage]:
    """Return what a chat model takes, a text, messages or a prompt value, as messages.

    Raises:
        TypeError: It is nothing a chat model takes.
    """
    match given:
        case str():
            return [HumanMessage(given)]
        case BaseMessage():
            return [given]
        case PromptValue():
            return given.to_messages()
        case Sequence() if not isinstance(given, bytes):
            return convert_to_messages(given)
    msg = f"expected a str, messages or a prompt value, got `{type(given).__name__}`"
    raise TypeError(msg)


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
        msg = f"`context` is text, Documents, or a sequence of these, got `{type(odd[0]).__name__}`"
        raise TypeError(msg)
    return [d.page_content if isinstance(d, Document) else d for d in documents]


def answer_of(given: Any, *, is_reply: bool = False) -> AIMessage:
    """Return what may be given for an answer, a text, a message or a chunk, as a message.

    Args:
        given: The answer.
        is_reply: Whether it is what a chat model replied, as it came.

    Raises:
        ModelAPIError: It is a reply, and a message in the role of somebody else.
        TypeError: It is neither.
    """
    match given:
        case str():
            return AIMessage(given)
        case AIMessageChunk():
            return cast("AIMessage", message_chunk_to_message(given))
        case AIMessage():
            return given
        case BaseMessage() if is_reply:
            msg = f"the provider replied with `{type(given).__name__}` in place of `AIMessage`"
            raise ModelAPIError(msg)
    msg = (
        f"an answer is an `AIMessage` or a `str`, got `{type(given).__name__}`; a parser belongs "
        "after what judges the answer"
    )
    raise TypeError(msg)


_MEDIA = ("image", "image_url", "image_generation_call", "audio", "video", "file", "media")
"""Types of blocks that answer without a text, as LangChain and providers call them."""


def is_blank(answer: AIMessage) -> bool:
    """Say whether an answer holds neither text nor media; what a model thought is no answer."""
    if answer.text.strip() or answer.additional_kwargs.get("audio"):
        return False
    blocks = (block for block in answer.content if isinstance(block, dict))
    return not any(block.get("type") in _MEDIA for block in blocks)


def with_correction(value: Any, text: str) -> Any:
    """Return what a chat model takes with a correction as its last message.

    Anything else has no place for one and is returned as it is.
    """
    said = HumanMessage(text)
    if isinstance(value, PromptValue):
        return ChatPromptValue(messages=[*value.to_messages(), said])
    if isinstance(value, str):
        return [HumanMessage(value), said]
    if isinstance(value, BaseMessage):
        return [value, said]
    return [*value, said] if isinstance(value, list | tuple) else value
