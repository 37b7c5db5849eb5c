"""Fakes for testing code that calls models: no network, no waiting, the same every time."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.exceptions import ModelAPIError, ModelRateLimitError, ModelTimeoutError
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import ConfigDict, Field

from langchain_control._at_fork import renew_in_children
from langchain_control.models.settings import unwrapped

__all__ = ["Chaos", "ChaosChatModel", "ManualClock", "Reply", "Script", "ScriptedChatModel"]


class ManualClock:
    """A clock that a test moves.

    Call it for the time in seconds; hand `sleep` to whoever would wait.
    """

    def __init__(self, start: float = 0.0) -> None:
        """Start at `start` seconds."""
        self._now = start
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the current time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move time forward."""
        with self._lock:
            self._now += seconds

    sleep = advance
    """Wait without waiting."""


class Reply(NamedTuple):
    """What a scripted model does on one call."""

    content: str | AIMessage = ""
    """The answer: a text, or a whole message, with tool calls for instance."""
    error: BaseException | None = None
    """Raised instead of answering; in a stream, after `cut_after` words."""
    delay_seconds: float = 0.0
    """How long the call takes, in seconds of real time."""
    finish_reason: str = "stop"
    """How the model says that its answer ended; `length` is a truncated one."""
    input_tokens: int | None = None
    """Reported usage; counted in whitespace-separated words where not given."""
    output_tokens: int | None = None
    """Likewise, for the answer."""
    cut_after: int | None = None
    """Words after which a stream breaks off: with `error`, or silently without one."""


class Script:
    """The replies of a scripted model and the calls it has seen. Safe to share by threads."""

    def __init__(self, replies: Sequence[Any] | Callable[[list[BaseMessage]], Any]) -> None:
        """Take replies in order, or a function from the messages of a call to its reply.

        Raises:
            ValueError: There is one text instead of several replies.
        """
        if isinstance(replies, str):
            msg = "`script` must be a list of replies or a function, got one text"
            raise ValueError(msg)  # noqa: TRY004  (pydantic tells it as any other)
        self._replies = replies if callable(replies) else list(replies)
        self.calls: list[list[BaseMessage]] = []
        """The messages of every call, in order."""
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()

    def next(self, messages: list[BaseMessage]) -> Reply:
        """Note the call and return its reply.

        Raises:
            IndexError: The script has no more replies. A mistake of the test, so not classified.
        """
        with self._lock:
            self.calls.append(messages)
            number = len(self.calls)
        if callable(self._replies):
            return _as_reply(self._replies(messages))
        if number > len(self._replies):
            msg = f"the script has {len(self._replies)} replies, this is call {number}"
            raise IndexError(msg)
        return _as_reply(self._replies[number - 1])

    def __repr__(self) -> str:
        """Show progress."""
        total = "…" if callable(self._replies) else len(self._replies)
        return f"Script({len(self.calls)} of {total} used)"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a fresh script."""
        return Script, (self._replies,)


def _as_reply(item: Any) -> Reply:
    match item:
        case Reply():
            return item
        case BaseException():
            return Reply(error=item)
        case str() | AIMessage():
            return Reply(content=item)
    msg = f"a script holds str, AIMessage, Reply or exceptions, got `{type(item).__name__}`"
    raise TypeError(msg)


class ScriptedChatModel(BaseChatModel):
    """A chat model that follows a script: replies, exceptions, delays, usage, cut streams.

    `calls` holds the messages of every call. A call beyond the end of the script is an
    `IndexError`: a mistake of the test, so it is neither retried nor does a fallback answer it.

    !!! example "Fail twice, then answer"

        ```python
        model = ScriptedChatModel(script=[TimeoutError(), "not JSON", '{"n": 1}'])
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    script: Any
    """A sequence of `str`, `AIMessage`, `Reply` or exceptions, or a function from the messages of
    a call to one of these."""
    model_name: str = "scripted"
    max_tokens: int | None = None
    """The answer limit a caller may raise; the fake reports it and does not act on it."""
    usage: bool = True
    """Whether answers report token usage."""

    def model_post_init(self, context: Any, /) -> None:
        """Give the script its memory."""
        super().model_post_init(context)
        if not isinstance(self.script, Script):
            self.script = Script(self.script)

    @property
    def calls(self) -> list[list[BaseMessage]]:
        """The messages of every call so far."""
        calls: list[list[BaseMessage]] = self.script.calls
        return calls

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.model_name}

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Accept tools, as agents do; the script decides whether they are called."""
        return self.bind(tools=list(tools), tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply: Reply = self.script.next(messages)
        if reply.delay_seconds:
            time.sleep(reply.delay_seconds)
        return self._finish(reply, messages)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply: Reply = self.script.next(messages)
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        return self._finish(reply, messages)

    def _finish(self, reply: Reply, messages: list[BaseMessage]) -> ChatResult:
        if reply.error is not None:
            raise reply.error
        return ChatResult(generations=[ChatGeneration(message=self._message(reply, messages))])

    def _message(self, reply: Reply, messages: list[BaseMessage]) -> AIMessage:
        if isinstance(reply.content, AIMessage):
            message = reply.content.model_copy()
        else:
            message = AIMessage(content=reply.content)
        defaults = {"finish_reason": reply.finish_reason, "model_name": self.model_name}
        message.response_metadata = defaults | message.response_metadata
        if self.usage and message.usage_metadata is None:
            message.usage_metadata = _usage(reply, messages, message.text)
        return message

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reply: Reply = self.script.next(messages)
        if reply.delay_seconds:
            time.sleep(reply.delay_seconds)
        for chunk in self._chunks(reply, messages):
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        reply: Reply = self.script.next(messages)
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        for chunk in self._chunks(reply, messages):
            if run_manager is not None:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _chunks(self, reply: Reply, messages: list[BaseMessage]) -> Iterator[ChatGenerationChunk]:
        if reply.error is not None and reply.cut_after is None:
            raise reply.error
        message = self._message(reply, messages)
        words = message.text.split(" ")
        kept = words if reply.cut_after is None else words[: reply.cut_after]
        for position, word in enumerate(kept):
            piece = word if position == 0 else f" {word}"
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        if reply.error is not None:
            raise reply.error
        if reply.cut_after is None:
            last = AIMessageChunk(
                content="",
                tool_call_chunks=[
                    {"name": c["name"], "args": json.dumps(c["args"]), "id": c["id"], "index": i}
                    for i, c in enumerate(message.tool_calls)
                ],
                response_metadata=message.response_metadata,
                usage_metadata=message.usage_metadata,
            )
            yield ChatGenerationChunk(message=last)


def _usage(reply: Reply, messages: list[BaseMessage], answer: str) -> UsageMetadata:
    given = sum(len(m.text.split()) for m in messages)
    tokens_in = given if reply.input_tokens is None else reply.input_tokens
    tokens_out = len(answer.split()) if reply.output_tokens is None else reply.output_tokens
    return UsageMetadata(
        input_tokens=tokens_in, output_tokens=tokens_out, total_tokens=tokens_in + tokens_out
    )


ChaosKind = Literal[
    "timeout", "rate_limited", "server_error", "connection_error",
    "malformed", "truncated", "empty", "refusal", "fenced",
]  # fmt: skip


class Chaos:
    """A seeded source of trouble. Safe to share by threads."""

    def __init__(self, seed: int = 0) -> None:
        """Draw the same trouble in the same order for the same seed."""
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  (trouble must be repeatable)
        self.drawn: list[str] = []
        """What happened on each call, `answered` included."""
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()

    def draw(self, rates: dict[ChaosKind, float]) -> str:
        """Pick what happens next: a kind of trouble by its rate, else `answered`."""
        with self._lock:
            roll = self._random.random()
            kind = "answered"
            for candidate, rate in rates.items():
                if roll < rate:
                    kind = candidate
                    break
                roll -= rate
            self.drawn.append(kind)
            return kind

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a fresh source with the same seed."""
        return Chaos, (self._seed,)


class ChaosChatModel(BaseChatModel):
    """Another model, with trouble mixed in at given rates.

    Trouble with an answer befalls the tools it calls, too: where it is `malformed` or `truncated`,
    so are their arguments, and where it is `empty` or a `refusal`, none is called.

    !!! example "One call in five fails"

        ```python
        model = ChaosChatModel(inner=model, rates={"timeout": 0.1, "malformed": 0.1}, seed=7)
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    inner: BaseChatModel
    """The model whose answers are spoiled."""
    rates: dict[ChaosKind, float]
    """Share of calls that fail, by kind; together at most 1."""
    seed: int = 0
    """Equal seeds make the same trouble in the same order."""
    chaos: Any = Field(default=None, repr=False, exclude=True)

    def model_post_init(self, context: Any, /) -> None:
        """Check the rates and give the chaos its memory."""
        super().model_post_init(context)
        if min(self.rates.values(), default=0) < 0 or sum(self.rates.values()) > 1:
            msg = f"`rates` must be at least 0 and sum to at most 1, got {self.rates}"
            raise ValueError(msg)
        if self.chaos is None:
            self.chaos = Chaos(self.seed)

    @property
    def _llm_type(self) -> str:
        return "chaos"

    @property
    def model_name(self) -> str:
        """That of the inner model."""
        return str(getattr(self.inner, "model_name", self.inner.get_name()))

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools in the form that the inner model takes."""
        _, bound = unwrapped(self.inner.bind_tools(tools, tool_choice=tool_choice, **kwargs))
        return self.bind(**bound)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        kind = self._trouble()
        return _spoil(self.inner._generate(messages, stop, run_manager, **kwargs), kind)  # noqa: SLF001

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        kind = self._trouble()
        result = await self.inner._agenerate(messages, stop, run_manager, **kwargs)  # noqa: SLF001
        return _spoil(result, kind)

    def _trouble(self) -> str:
        kind: str = self.chaos.draw(self.rates)
        if kind in _TRANSPORT_TROUBLE:
            msg = f"chaos: {kind}"
            raise _TRANSPORT_TROUBLE[kind](msg)
        return kind


_TRANSPORT_TROUBLE: dict[str, type[Exception]] = {
    "timeout": ModelTimeoutError,
    "rate_limited": ModelRateLimitError,
    "server_error": ModelAPIError,
    "connection_error": ConnectionError,
}

_SPOILED_TEXT: dict[str, Callable[[str], str]] = {
    "malformed": lambda text: "Sure! Here you go: " + text.replace('"', "'", 1),
    "truncated": lambda text: text[: len(text) * 2 // 3],
    "empty": lambda _: "",
    "refusal": lambda _: "I'm sorry, but I can't help with that.",
    "fenced": lambda text: f"```json\n{text}\n```",
}


def _spoil(result: ChatResult, kind: str) -> ChatResult:
    if kind not in _SPOILED_TEXT:
        return result
    message, spoil = result.generations[0].message.model_copy(), _SPOILED_TEXT[kind]
    if isinstance(message, AIMessage) and message.tool_calls:
        message = _with_spoiled_calls(message, kind)
    if message.text or kind in _WITHOUT_CALLS:
        message.content = spoil(message.text)
    if kind == "truncated":
        message.response_metadata = message.response_metadata | {"finish_reason": "length"}
    return ChatResult(generations=[ChatGeneration(message=message)])


_WITHOUT_CALLS = ("empty", "refusal")


def _with_spoiled_calls(message: AIMessage, kind: str) -> AIMessage:
    if kind == "fenced":  # a fence is put around text
        return message
    invalid = [
        invalid_tool_call(
            name=call["name"],
            args=_SPOILED_TEXT[kind](json.dumps(call["args"])),
            id=call["id"],
            error=f"chaos: {kind}",
        )
        for call in ([] if kind in _WITHOUT_CALLS else message.tool_calls)
    ]
    plain = {k: v for k, v in message.additional_kwargs.items() if k != "tool_calls"}
    changes = {"tool_calls": [], "invalid_tool_calls": invalid, "additional_kwargs": plain}
    return message.model_copy(update=changes)
