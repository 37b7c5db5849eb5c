"""A model whose answer is read while it arrives, and cut off once it cannot pass any more."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from functools import reduce
from operator import add
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_control._threads import was_given_up
from langchain_control.parsing.ending import Ending

__all__ = ["FIRST_LOOK_CHARS", "watched"]

FIRST_LOOK_CHARS = 64
GROWTH = 1.2
"""Each look reads all there is, so that looks at ever longer texts cost linear time together."""


def watched(model: Runnable[Any, Any], is_hopeless: Callable[[str], object]) -> Runnable[Any, Any]:
    """Return the model such that a call of it streams, and stops as soon as nothing can come of it.

    Stopping closes the stream, at which providers cease to generate. The message then has what had
    arrived, `given_up` as its `finish_reason`, and no token counts, as those come last in a stream.
    A sync call stops with the next chunk, too, once nobody waits for it any more.

    Args:
        model: A chat model, or any Runnable that streams messages or text.
        is_hopeless: Told the text so far, now and then.
    """
    return _Watched(model, is_hopeless)


class _Watched(Runnable[Any, Any]):
    def __init__(self, model: Runnable[Any, Any], is_hopeless: Callable[[str], object]) -> None:
        self._model = model
        self._is_hopeless = is_hopeless

    @property
    def parts(self) -> tuple[Any, ...]:
        """What it is made of, for `parts_of`."""
        return (self._model,)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        heard = _Heard(self._is_hopeless)
        stream = cast("Generator[Any, None, None]", self._model.stream(input, config, **kwargs))
        with closing(stream):
            for chunk in stream:
                if was_given_up() or heard.enough(chunk):
                    break
        return heard.answer()

    async def ainvoke(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        heard = _Heard(self._is_hopeless)
        stream = cast("AsyncGenerator[Any, None]", self._model.astream(input, config, **kwargs))
        async with aclosing(stream):
            async for chunk in stream:
                if heard.enough(chunk):
                    break
        return heard.answer()


class _Heard:
    """What has arrived of one answer."""

    def __init__(self, is_hopeless: Callable[[str], object]) -> None:
        self._is_hopeless = is_hopeless
        self._chunks: list[Any] = []
        self._texts: list[str] = []
        self._chars, self._next_look = 0, FIRST_LOOK_CHARS
        self._given_up = False

    def enough(self, chunk: Any) -> bool:
        """Take a chunk in, and say whether to stop listening."""
        self._chunks.append(chunk)
        text = chunk.text if isinstance(chunk, AIMessage) else chunk
        if isinstance(text, str):
            self._texts.append(text)
            self._chars += len(text)
        if self._chars >= self._next_look:
            self._next_look = int(self._chars * GROWTH)
            self._given_up = bool(self._is_hopeless("".join(self._texts)))
        return self._given_up

    def answer(self) -> Any:
        """Return the whole of it."""
        match self._chunks:
            case []:
                whole: Any = ""
            case [only]:
                whole = only
            case [AIMessageChunk() as first, *rest]:
                whole = first + rest
            case [first, *rest]:
                whole = reduce(add, rest, first)
        if isinstance(whole, AIMessageChunk):
            whole = message_chunk_to_message(whole)
        return _given_up(whole) if self._given_up else whole


def _given_up(answer: AIMessage | str) -> AIMessage:
    message = AIMessage(answer) if isinstance(answer, str) else answer
    metadata = {**message.response_metadata, "finish_reason": Ending.GIVEN_UP.value}
    return message.model_copy(update={"response_metadata": metadata})
