"""Strings that UTF-8 can express."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.messages import BaseMessage

    MessageT = TypeVar("MessageT", bound=BaseMessage)

__all__ = ["is_well_formed", "well_formed", "well_formed_message"]

_SENT = (
    "content",
    "name",
    "id",
    "role",
    "tool_calls",
    "invalid_tool_calls",
    "tool_call_id",
    "additional_kwargs",
)
"""Fields of messages that clients send to a model."""


def is_well_formed(text: str) -> bool:
    """Say whether UTF-8 can express a text: half a surrogate pair it cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def well_formed(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates by U+FFFD, as `tiktoken` does to count."""
    if is_well_formed(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def well_formed_message(message: MessageT) -> MessageT:
    """Return a message with every string that is sent well-formed: itself, if all of them are."""
    fields = vars(message)
    sent = {name: fields[name] for name in _SENT if fields.get(name)}
    if all(map(is_well_formed, _strings_in(sent))):
        return message
    return message.model_copy(update=_mended(sent))


def _strings_in(value: Any) -> Iterator[str]:
    pending, seen = [value], set[int]()
    while pending:
        match pending.pop():
            case str() as text:
                yield text
            case dict() | list() | tuple() as found if id(found) not in seen:
                seen.add(id(found))
                pending += found
                pending += found.values() if isinstance(found, dict) else ()


def _mended(value: dict[str, Any]) -> dict[str, Any]:
    """Copy a value with every string in it well-formed, however deep it goes."""
    mended, copies = {**value}, dict[int, Any]()
    pending: list[Any] = [mended]
    while pending:
        copy = pending.pop()
        for place, item in list(copy.items() if isinstance(copy, dict) else enumerate(copy)):
            if isinstance(item, str):
                copy[place] = well_formed(item)
            elif isinstance(item, dict | list | tuple):
                if id(item) not in copies:
                    copies[id(item)] = _with_well_formed_keys(item)
                    pending.append(copies[id(item)])
                copy[place] = copies[id(item)]
    return mended


def _with_well_formed_keys(item: Any) -> dict[Any, Any] | list[Any]:
    if not isinstance(item, dict):
        return list(item)
    return {well_formed(k) if isinstance(k, str) else k: entry for k, entry in item.items()}
