"""How many tokens a chat message costs, its framing included.

The rule is that of OpenAI's cookbook, "How to count tokens with tiktoken", which `ChatOpenAI` also
follows: 3 tokens frame a message, its role is 1 more, a name costs its text and 1 more, and 3
tokens prime the reply. Other providers frame differently, by a few tokens a message.

What OpenAI does not document is counted as `ChatOpenAI` does or higher: a tool call costs its name,
its arguments as JSON and 3 for its id, a tool result 3 for the id it answers. A block of media
costs `MEDIA_TOKENS`, a tool that is offered its definition as JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, ChatMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.messages import BaseMessage

__all__ = ["MEDIA_TOKENS", "REPLY_TOKENS", "json_pieces_of", "message_tokens", "tool_tokens"]

REPLY_TOKENS = 3
"""Tokens that prime the reply, once for each list of messages."""

MEDIA_TOKENS = 85
"""For an image, file, audio or video block: what OpenAI charges for an image at low detail, and
`count_tokens_approximately` of langchain-core assumes. Real charges depend on size and provider."""

_FRAME_TOKENS = 3
_NAME_TOKENS = 1
_ROLE_TOKENS = 1
_ID_TOKENS = 3

_MEDIA_TYPES = frozenset(
    {
        "audio",
        "computer_screenshot",
        "document",
        "file",
        "image",
        "image_generation_call",
        "image_url",
        "input_audio",
        "input_file",
        "input_image",
        "media",
        "video",
    }
)
_TOOL_CALL_TYPES = ("function_call", "tool_call", "tool_use")
"""Providers repeat in the content what `tool_calls` says; it is counted there."""
_OF_RESULTS = ("content", "output")
"""Where the results of tools hold blocks of their own."""


def message_tokens(message: BaseMessage, count: Callable[[str], int]) -> int:
    """Return what one message costs, without the reply's priming.

    Args:
        message: Any LangChain message.
        count: Returns the number of tokens of a text.
    """
    tokens = _FRAME_TOKENS
    tokens += count(message.role) if isinstance(message, ChatMessage) else _ROLE_TOKENS
    if message.name:
        tokens += _NAME_TOKENS + count(message.name)
    if isinstance(message.content, str):
        tokens += count(message.content)
    else:
        tokens += sum(_block_tokens(block, message, count) for block in message.content)
    if isinstance(message, ToolMessage):
        tokens += _ID_TOKENS
    if isinstance(message, AIMessage):
        for call in (*message.tool_calls, *message.invalid_tool_calls):
            tokens += _ID_TOKENS + count(call["name"] or "") + _json_tokens(call["args"], count)
    return tokens


def tool_tokens(tool: Any, count: Callable[[str], int]) -> int:
    """Return what it costs to offer a tool, in whatever form LangChain's models take it."""
    # Imported here: who offers no tools should not pay for it.
    from langchain_core.utils.function_calling import convert_to_openai_tool  # noqa: PLC0415

    try:
        return _json_tokens(convert_to_openai_tool(tool), count)
    except ValueError:  # a tool of the provider's own, which langchain-core does not know
        return _json_tokens(tool, count)


def _block_tokens(
    block: str | dict[Any, Any], message: BaseMessage, count: Callable[[str], int]
) -> int:
    if isinstance(block, str):
        return count(block)
    kind = block.get("type")
    if kind == "text":
        return count(str(block.get("text", "")))
    if _is_media(block):
        return MEDIA_TOKENS
    if kind in _TOOL_CALL_TYPES and isinstance(message, AIMessage) and message.tool_calls:
        return 0
    nested = {key: _apart_from_media(block[key]) for key in _OF_RESULTS if key in block}
    media = sum(number for _, number in nested.values())
    rest = {**block, **{key: others for key, (others, _) in nested.items()}}
    return media * MEDIA_TOKENS + _json_tokens(rest, count)


def _is_media(block: Any) -> bool:
    """Whether a block is media by its type, or by its only key, as Bedrock has it."""
    if not isinstance(block, dict):
        return False
    kind = block.get("type", next(iter(block)) if len(block) == 1 else None)
    return isinstance(kind, str) and kind in _MEDIA_TYPES


def _apart_from_media(blocks: Any) -> tuple[Any, int]:
    """Return blocks without those of media, and how many these were."""
    if _is_media(blocks):
        return None, 1
    if not isinstance(blocks, list):
        return blocks, 0
    others = [block for block in blocks if not _is_media(block)]
    return others, len(blocks) - len(others)


def _json_tokens(value: Any, count: Callable[[str], int]) -> int:
    if isinstance(value, str):
        return count(value)
    try:
        return count(json.dumps(value, ensure_ascii=False, default=str))
    except RecursionError:
        return sum(count(part) for part in json_pieces_of(value))


def json_pieces_of(value: Any) -> Iterator[str]:
    """Walk a value nested too deep for `json`, roughly as JSON would spell it."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending += [*item, *item.values()]
        elif isinstance(item, list | tuple):
            pending += item
        else:
            yield json.dumps(item, ensure_ascii=False, default=str) + ","
            continue
        yield "[]"
