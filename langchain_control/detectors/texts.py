"""Where the text of a prompt is, whatever shape the prompt has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    ToolMessage,
    convert_to_messages,
)
from langchain_core.prompt_values import ChatPromptValue, PromptValue, StringPromptValue

from langchain_control.outcomes import Source

__all__ = ["Part", "Parts", "take_apart"]

CONTEXT_KEYS = frozenset({"context", "documents"})
"""Keys of a mapping whose strings were retrieved and not written by the person asking."""


@dataclass(frozen=True, slots=True)
class Part:
    """One text to be judged, and who wrote it."""

    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class Parts:
    """The texts of a value that are to be judged, and the way back to the value."""

    parts: tuple[Part, ...]
    rebuild: Callable[[Sequence[str]], Any]
    """Returns a value of the same kind with these texts in place of the parts."""
    has_other_content: bool = False
    """Whether there is something besides text, such as an image."""


def take_apart(value: Any, source: Source) -> Parts:
    """Find the texts of a value.

    Args:
        value: A string, prompt value, message, sequence of messages (in any form LangChain takes),
            or a mapping, of which the strings are judged: those under `context` and `documents` as
            retrieved, all others as coming from `source`.
        source: Who wrote the text. Tool messages always count as `tool`.

    Raises:
        TypeError: The value has none of these forms.
    """
    found = _Found(source)
    template = found.visit(value)
    return Parts(tuple(found.parts), lambda texts: _fill(template, iter(texts)), found.other)


@dataclass(slots=True)
class _Slot:
    """Stands where a text was."""


@dataclass(slots=True)
class _Shape:
    """Puts a value together again from what was made of its pieces."""

    pieces: list[Any]
    assemble: Callable[[list[Any]], Any]


def _fill(template: Any, texts: Iterator[str]) -> Any:
    if isinstance(template, _Slot):
        return next(texts)
    if isinstance(template, _Shape):
        return template.assemble([_fill(piece, texts) for piece in template.pieces])
    return template


@dataclass(slots=True)
class _Found:
    source: Source
    parts: list[Part] = field(default_factory=list)
    other: bool = False

    def visit(self, value: Any) -> Any:  # noqa: PLR0911  (one line for each kind of prompt)
        match value:
            case str():
                return self._text(value, self.source)
            case BaseMessage():
                return self._message(value)
            case StringPromptValue():
                return _Shape(
                    [self._text(value.text, self.source)],
                    lambda texts: value.model_copy(update={"text": texts[0]}),
                )
            case ChatPromptValue():
                return _Shape(
                    [self._conversation(value.messages)],
                    lambda given: value.model_copy(update={"messages": given[0]}),
                )
            case PromptValue():
                return self._conversation(value.to_messages())
            case Mapping():
                return self._mapping(value)
            case list() | tuple():
                return self._conversation(convert_to_messages(list(value)))
            case _:
                msg = (
                    "the guard reads strings, prompt values, messages and mappings of strings, "
                    f"got `{type(value).__name__}`"
                )
                raise TypeError(msg)

    def _text(self, text: str, source: Source) -> _Slot:
        self.parts.append(Part(text, source))
        return _Slot()

    def _conversation(self, messages: Sequence[BaseMessage]) -> _Shape:
        """Judge what came in after the last answer of the model; the rest was judged before."""
        newest = len(messages)
        while newest and not isinstance(messages[newest - 1], AIMessage):
            newest -= 1
        pieces = [
            self._message(message) if place >= newest and _is_input(message) else message
            for place, message in enumerate(messages)
        ]
        return _Shape(pieces, list)

    def _message(self, message: BaseMessage) -> Any:
        source: Source = "tool" if isinstance(message, ToolMessage) else self.source
        content = message.content
        if isinstance(content, str):
            pieces: list[Any] = [self._text(content, source)]
            return _Shape(pieces, lambda new: _with_content(message, new[0]))
        blocks = [self._block(block, source) for block in content]
        return _Shape(blocks, lambda new: _with_content(message, new))

    def _block(self, block: Any, source: Source) -> Any:
        if isinstance(block, str):
            return self._text(block, source)
        if isinstance(block, dict) and isinstance(block.get("text"), str):
            slot = self._text(block["text"], source)
            return _Shape([slot], lambda new: {**block, "text": new[0]})
        self.other = True
        return block

    def _mapping(self, value: Mapping[Any, Any]) -> _Shape:
        keys = list(value)
        pieces = [self._entry(key, value[key]) for key in keys]
        return _Shape(pieces, lambda new: {**value, **dict(zip(keys, new, strict=True))})

    def _entry(self, key: Any, entry: Any) -> Any:
        source: Source = "context" if key in CONTEXT_KEYS else self.source
        if isinstance(entry, str):
            return self._text(entry, source)
        if isinstance(entry, list) and entry and all(isinstance(text, str) for text in entry):
            return _Shape([self._text(text, source) for text in entry], list)
        if entry is not None:
            self.other = True
        return entry


def _is_input(message: BaseMessage) -> bool:
    is_user = isinstance(message, ChatMessage) and message.role in ("user", "human")
    return is_user or isinstance(message, HumanMessage | ToolMessage)


def _with_content(message: BaseMessage, content: Any) -> BaseMessage:
    return (
        message if content == message.content else message.model_copy(update={"content": content})
    )
