"""Where the text of a prompt is, whatever shape the prompt has."""

from __future__ import annotations

import re
from collections import UserList, UserString, deque
from collections.abc import (
    Callable,
    Collection,
    ItemsView,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    Sequence,
    ValuesView,
)
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta, tzinfo
from itertools import islice
from numbers import Number
from typing import Any
from uuid import UUID

from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    convert_to_messages,
)
from langchain_core.prompt_values import ChatPromptValue, PromptValue, StringPromptValue

from langchain_control.conversation import source_of
from langchain_control.detectors.rendering import held_by, rendered
from langchain_control.outcomes import Source

__all__ = ["Part", "Parts", "take_apart"]

CONTEXT_KEYS = frozenset({"context", "contexts", "docs", "documents", "source_documents"})
"""Keys of a mapping below which everything was retrieved and not written by the person asking."""
MESSAGES_KEY = "messages"
"""Key of a mapping that is handed to an agent or a graph: records below it are messages."""

MAX_DEPTH = 16
"""How many values may stand within one another."""
MAX_VALUES = 5_000
"""How many texts, objects and collections of values one value may hold."""

_ATTRIBUTES = frozenset(
    {"type", "id", "index", "mime_type", "media_type", "file_id", "tool_use_id", "signature"}
)
"""Keys of a content block that say what it is and hold no text."""
_MEDIA = frozenset({"data", "base64", "url", "image_url", "input_audio", "file_data"})
"""Keys of a content block below which there is an image, a sound or a file, unless it is text."""

_WITHOUT_TEXT = (type(None), int, float, Number, range, date, time, timedelta, tzinfo, UUID)
"""What says nothing, however it is rendered."""
_NO_MORE_THAN_ITEMS = (set, frozenset, deque, UserList, KeysView, ValuesView, ItemsView)
"""Collections that are rendered as what they hold, and nothing else."""
_LIKE_STRINGS = (bytes, bytearray, memoryview, UserString)
"""Collections of characters."""
_NAME = re.compile(r"[\w.$-]{0,30}", re.ASCII)
"""A key that is one word or identifier says nothing to a model, unless it is long."""


@dataclass(frozen=True, slots=True)
class Part:
    """One text to be judged, and who wrote it."""

    text: str
    source: Source
    is_fixed: bool = False
    """Whether it is the text of something that is handed on as it is, such as an object."""
    message: int | None = None
    """Which message it is a block of, if it is one: a model reads the blocks of each as one."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The texts of a value that are to be judged, and the way back to the value."""

    parts: tuple[Part, ...]
    rebuild: Callable[[Sequence[str]], Any]
    """Returns a value of the same kind with these texts in place of the parts."""
    has_other_content: bool = False
    """Whether there is something besides text, such as an image."""
    has_unjudged_messages: bool = False
    """Whether there are messages that say something and are not to be judged."""
    complete: bool = True
    """Whether every text is among the parts; not so if there are too many or too deep ones."""


def take_apart(value: Any, source: Source) -> Parts:
    """Find the texts of a value.

    Args:
        value: A string, prompt value, message, sequence of messages (in any form LangChain takes),
            documents, or a mapping. Of mappings and collections all strings are judged, however
            they are nested: those of documents and under `CONTEXT_KEYS` as retrieved, all others
            as coming from `source`. Messages within them count as such; a record with a role is
            one under `MESSAGES_KEY` of the mapping itself, and data anywhere else. Of an object
            within them, what a template would render is judged. Iterators are not read, which would
            use them up.
        source: Who wrote the text. The results of tools always count as `tool`. Only of what the
            user hands in, messages may be the application's own or the model's.

    Raises:
        TypeError: The value has none of these forms, or is a list of something else than messages.
    """
    finder = _TextFinder(source)
    template = finder.visit(value)
    return Parts(
        tuple(finder.parts),
        lambda texts: _fill(template, iter(texts)),
        has_other_content=finder.other,
        has_unjudged_messages=finder.unjudged,
        complete=finder.values <= MAX_VALUES and not finder.unread,
    )


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
class _TextFinder:
    """Makes a template of a value, and notes the texts that are to be judged on the way."""

    source: Source
    parts: list[Part] = field(default_factory=list)
    keys: set[tuple[str, Source]] = field(default_factory=set)
    other: bool = False
    unjudged: bool = False
    values: int = 0
    unread: bool = False

    def visit(self, value: Any) -> Any:
        """Take the whole value apart; what has no text at all is a mistake of the caller."""
        match value:
            case str():
                return self._nested(value, self.source, 0)
            case BaseMessage():
                return self._message(value, value, self.source)
            case list() | tuple() if self._is_for_a_model(value):
                messages = _as_messages(value)
                if messages is None:
                    msg = f"the guard got a `{type(value).__name__}` that holds no messages"
                    raise TypeError(msg)
                return self._conversation(messages, messages, self.source)
            case PromptValue() | Document() | Mapping() | list() | tuple():
                return self._nested(value, self.source, 0)
            case _:
                msg = (
                    "the guard reads strings, prompt values, messages, documents and mappings of "
                    f"them, got `{type(value).__name__}`"
                )
                raise TypeError(msg)

    def _is_for_a_model(self, value: list[Any] | tuple[Any, ...]) -> bool:
        """Whether a list is messages in any form that LangChain takes, and no data."""
        return self.source == "user" and not any(isinstance(item, Document) for item in value)

    def _nested(  # noqa: PLR0911  (one line for each kind of value)
        self, value: Any, source: Source, depth: int, *, has_messages: bool = False
    ) -> Any:
        if self._is_passed_over(value, depth):
            return value
        match value:
            case str():
                return self._text(value, source)
            case BaseMessage():
                return self._turn(value, value, source, depth)
            case StringPromptValue():
                return self._copy(value, {"text": value.text}, source, depth)
            case ChatPromptValue():
                turns = self._conversation(value.messages, value.messages, source, depth)
                return _Shape([turns], lambda new: value.model_copy(update={"messages": new[0]}))
            case PromptValue():
                messages = value.to_messages()
                return self._conversation(messages, messages, source, depth)
            case Document():
                texts = {"page_content": value.page_content, "metadata": value.metadata}
                return self._copy(value, texts, _retrieved(source), depth)
            case Mapping():
                return self._mapping(value, source, depth)
            case list() | tuple():
                return self._collection(value, source, depth, has_messages=has_messages)
            case _:
                return self._object(value, source, depth)

    def _is_passed_over(self, value: Any, depth: int) -> bool:
        """Whether a value is handed on unread: it says nothing, or there is too much to read."""
        if not isinstance(value, str) and isinstance(value, _WITHOUT_TEXT):
            self.other = self.other or value is not None
            return True
        self.values += 1
        self.unread = self.unread or depth > MAX_DEPTH
        return depth > MAX_DEPTH or self.values > MAX_VALUES

    def _text(self, text: str, source: Source, *, is_fixed: bool = False) -> _Slot:
        self.parts.append(Part(text, source, is_fixed))
        return _Slot()

    def _object(self, value: Any, source: Source, depth: int) -> _Shape:
        """Judge what a value holds and how it is rendered, and hand it on as it is."""
        self.other = True
        start = len(self.parts)
        pieces: list[Any] = [self._collection(self._items(value), source, depth)]
        if not isinstance(value, _NO_MORE_THAN_ITEMS):
            held = held_by(value)
            pieces.append(self._mapping(held, source, depth))
            if text := rendered(value, held):
                pieces.append(self._text(text, source))
        self.parts[start:] = [replace(part, is_fixed=True) for part in self.parts[start:]]
        return _Shape(pieces, lambda _: value)

    def _items(self, value: Any) -> list[Any]:
        """Return what a collection holds; nothing of what is none, or fails to tell."""
        if not isinstance(value, Collection) or isinstance(value, _LIKE_STRINGS):
            return []
        try:
            items = list(islice(value, MAX_VALUES + 1))
        except Exception:  # noqa: BLE001  (a foreign object may refuse in any way)
            return []
        self.unread = self.unread or len(items) > MAX_VALUES
        return items

    def _copy(self, value: Any, fields: dict[str, Any], source: Source, depth: int) -> _Shape:
        pieces = [self._nested(entry, source, depth + 1) for entry in fields.values()]
        return _Shape(
            pieces,
            lambda new: value.model_copy(update=dict(zip(fields, new, strict=True))),
        )

    def _mapping(self, value: Mapping[Any, Any], source: Source, depth: int) -> _Shape:
        pieces = [
            self._nested(
                entry,
                _retrieved(source) if key in CONTEXT_KEYS else source,
                depth + 1,
                has_messages=depth == 0 and key == MESSAGES_KEY,
            )
            for key, entry in value.items()
        ]
        names_variables = depth == 0 and source == "user"
        keys = [] if names_variables else self._keys(value, source)
        return _Shape([*pieces, *keys], lambda new: dict(zip(value, new, strict=False)))

    def _keys(self, keys: Iterable[Any], source: Source) -> list[_Slot]:
        """Judge keys that may be more than names, each of them once, as records repeat them."""
        texts = dict.fromkeys(key if isinstance(key, str) else rendered(key, {}) for key in keys)
        told = {(text, source): text for text in texts if not _NAME.fullmatch(text)}
        new = [text for key, text in told.items() if key not in self.keys]
        self.keys.update(told)
        return [self._text("\n".join(new), source, is_fixed=True)] if new else []

    def _collection(
        self,
        value: list[Any] | tuple[Any, ...],
        source: Source,
        depth: int,
        *,
        has_messages: bool = False,
    ) -> _Shape:
        if kinds := self._messages_in(value, source, has_records=has_messages):
            turns = self._conversation(value, kinds, source, depth)
            return _Shape([turns], lambda new: _like(value, new[0]))
        pieces = [self._nested(item, source, depth + 1) for item in value]
        return _Shape(pieces, lambda new: _like(value, new))

    def _messages_in(
        self, value: list[Any] | tuple[Any, ...], source: Source, *, has_records: bool
    ) -> list[BaseMessage] | None:
        """Return the messages of which a collection is made, if it is of nothing else."""
        if source != "user":
            return None
        if all(
            isinstance(item, BaseMessage) or (has_records and _is_message(item)) for item in value
        ):
            return _as_messages(value)
        return None

    def _conversation(
        self,
        messages: Sequence[Any],
        kinds: Sequence[BaseMessage],
        source: Source,
        depth: int = 0,
    ) -> _Shape:
        """Judge what came in after the last answer of the model; the rest was judged before.

        A prompt may end with the beginning of the answer it asks for, which is no answer yet.
        """
        newest = len(kinds)
        while depth == 0 and newest and _is_beginning(kinds[newest - 1]):
            newest -= 1
        while newest and not isinstance(kinds[newest - 1], AIMessage):
            newest -= 1
        pieces = [
            self._turn(message, kind, source, depth, is_new=at >= newest)
            for at, (message, kind) in enumerate(zip(messages, kinds, strict=True))
        ]
        return _Shape(pieces, list)

    def _turn(
        self, message: Any, kind: BaseMessage, source: Source, depth: int, *, is_new: bool = True
    ) -> Any:
        """Judge a message if it is new and came from outside, as all did that were retrieved."""
        if source != "user" or (is_new and source_of(kind) is not None):
            return self._message(message, kind, source, depth)
        self.unjudged = self.unjudged or _says_something(kind)
        return message

    def _message(self, message: Any, kind: BaseMessage, source: Source, depth: int = 0) -> _Shape:
        """Judge the content of a message, or whatever a mapping holds that stands for one."""
        source = "tool" if source_of(kind) == "tool" else source
        if isinstance(message, BaseMessage):
            piece = self._content(message.content, source, depth)
            return _Shape([piece], lambda new: _with_content(message, new[0]))
        other = {key: entry for key, entry in message.items() if key not in _MESSAGE_KEYS}
        pieces = [
            self._content(message["content"], source, depth),
            self._mapping(other, source, depth),
        ]
        return _Shape(pieces, lambda new: {**message, "content": new[0], **new[1]})

    def _content(self, content: Any, source: Source, depth: int) -> Any:
        if not isinstance(content, list):
            return self._nested(content, source, depth + 1)
        start = len(self.parts)
        pieces = [self._block(block, source, depth + 1) for block in content]
        self.parts[start:] = [replace(part, message=start) for part in self.parts[start:]]
        return _Shape(pieces, list)

    def _block(self, block: Any, source: Source, depth: int) -> Any:
        """Judge what a content block says, whatever its type, but not its media."""
        if not isinstance(block, Mapping):
            return self._nested(block, source, depth)
        if self._is_passed_over(block, depth):
            return block
        pieces = []
        for key, entry in block.items():
            if key in _ATTRIBUTES or (key in _MEDIA and not _is_plain_text(block)):
                self.other = self.other or key in _MEDIA
                pieces.append(entry)
            elif isinstance(entry, list):
                pieces.append(_Shape([self._block(e, source, depth + 1) for e in entry], list))
            else:
                pieces.append(self._block(entry, source, depth + 1))
        keys = self._keys(block, source)
        return _Shape([*pieces, *keys], lambda new: dict(zip(block, new, strict=False)))


def _retrieved(source: Source) -> Source:
    """Return whose text it is when it was retrieved: a tool's stays a tool's."""
    return "context" if source == "user" else source


def _as_messages(value: Sequence[Any]) -> list[BaseMessage] | None:
    """Return what a client wrote for messages as messages; `None` if LangChain refuses it."""
    try:
        return convert_to_messages(list(value))
    except Exception:  # noqa: BLE001  (it raises whatever goes wrong in reading them)
        return None


def _is_beginning(message: BaseMessage) -> bool:
    """Whether a message at the end of a prompt is the beginning of the answer it asks for."""
    return isinstance(message, AIMessage) and not message.tool_calls


def _says_something(message: BaseMessage) -> bool:
    content = message.content
    said = content.strip() if isinstance(content, str) else content
    return bool(said or getattr(message, "tool_calls", None))


_ROLES = frozenset({"user", "human", "assistant", "ai", "system", "developer", "tool"})
_MESSAGE_KEYS = frozenset({"role", "content", "name", "id", "tool_call_id"})
"""Keys of a message as chat APIs write it, beside which there may be text."""


def _is_message(value: Any) -> bool:
    """Whether a mapping is a message as chat APIs write it."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("content"), str | list)
        and isinstance(role := value.get("role"), str)
        and role in _ROLES
        and (role != "tool" or isinstance(value.get("tool_call_id"), str))
    )


def _is_plain_text(block: Mapping[Any, Any]) -> bool:
    """Whether what looks like a file in a content block is text."""
    kind = block.get("media_type") or block.get("mime_type") or ""
    return block.get("type") == "text" or str(kind).startswith("text/")


def _like(value: list[Any] | tuple[Any, ...], items: list[Any]) -> Any:
    """Return the items in a collection of the same type."""
    if isinstance(value, list):
        return items
    return type(value)._make(items) if hasattr(value, "_make") else tuple(items)


def _with_content(message: BaseMessage, content: Any) -> BaseMessage:
    return (
        message if content == message.content else message.model_copy(update={"content": content})
    )
