"""Telling a schema to a model by its provider's own means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import (
    Runnable,
    RunnableBinding,
    RunnableConfig,
    RunnableLambda,
    RunnableParallel,
    RunnableSequence,
    RunnableSerializable,
)
from pydantic import ConfigDict

from langchain_control.models.fresh import without_cache
from langchain_control.models.settings import unwrapped, varied
from langchain_control.models.unless_refused import UnlessRefused

__all__ = ["BEST_FIRST", "SchemaMode", "SchemaModel", "in_schema_mode"]

SchemaMode = Literal["json_schema", "function_calling", "json_mode"]
"""How a provider takes a schema: as one for its answer, as that of a tool's arguments, or not at
all, in which case it only promises JSON."""

BEST_FIRST: tuple[SchemaMode, ...] = ("json_schema", "function_calling")
"""The modes that take a schema."""

MAX_NAME_CHARS = 64
"""Of a tool or a schema, as OpenAI and others take it."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")


class SchemaModel(RunnableSerializable[LanguageModelInput, AIMessage]):
    """A chat model that has been told a schema, giving its messages as they come.

    They go to the same validator as any other answer: LangChain's own parsing would take seconds
    over hostile text and let truncated JSON pass. A call of the tool that stands for the answer
    becomes the answer; calls of other tools stay what they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    model: Any
    """The model, as it was before."""
    response_schema: dict[str, Any]
    """The contract as JSON Schema."""
    mode: SchemaMode
    arguments: dict[str, Any]
    """What else is handed to the model's `with_structured_output`."""
    asked: Any
    """The model in its schema mode."""

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Ask the model."""
        return self._as_answer(self.asked.invoke(input, config, **kwargs))

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Ask the model."""
        return self._as_answer(await self.asked.ainvoke(input, config, **kwargs))

    def bind(self, **kwargs: Any) -> Runnable[Any, Any]:
        """Hand further arguments to the model."""
        changes = {"model": self.model.bind(**kwargs), "asked": self.asked.bind(**kwargs)}
        return self.model_copy(update=changes)

    def for_retry(self, retry: Mapping[str, Any]) -> Runnable[Any, Any]:
        """Return the model as a retry should call it; see `MakesVariants`."""
        model = varied(
            without_cache(self.model),
            answer_limit_factor=retry["answer_limit_factor"],
            resamples=retry["resamples"],
        )
        known = in_schema_mode(model, self.response_schema, self.mode, self.arguments) or self
        if not retry["native_schema"] or self.mode == BEST_FIRST[0]:
            return known
        best = in_schema_mode(model, self.response_schema, BEST_FIRST[0], self.arguments)
        return known if best is None else UnlessRefused(best, known)

    def in_place_of(self, other: Runnable[Any, Any]) -> Runnable[Any, Any]:
        """Return another chat model that is told the same schema, where it has a way to."""
        ways = (in_schema_mode(other, self.response_schema, mode) for mode in BEST_FIRST)
        return next(filter(None, ways), other)

    def __repr_args__(self) -> Any:
        """Show the model by name: its own repr may hold keys and addresses."""
        yield "model", self.model.get_name()
        yield "mode", self.mode

    def _as_answer(self, message: AIMessage) -> AIMessage:
        """Turn a tool call that stands for an answer into the answer."""
        calls = [*message.tool_calls, *message.invalid_tool_calls]
        if not calls or any(call["name"] not in (None, self._tool_name) for call in calls):
            return message
        whole = [call["args"] for call in message.tool_calls]
        content = json.dumps(whole[-1]) if whole else message.invalid_tool_calls[-1]["args"]
        changes = {"content": content or "", "tool_calls": [], "invalid_tool_calls": []}
        return message.model_copy(update=changes)

    @property
    def _tool_name(self) -> str:
        name: str = _titled(self.response_schema)["title"]
        return name


def in_schema_mode(
    model: Runnable[Any, Any],
    schema: dict[str, Any],
    mode: SchemaMode,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> SchemaModel | None:
    """Return a model that has been told a schema, or `None` if it has no such mode.

    Args:
        model: A chat model, bound or not. Anything else has no modes.
        schema: The contract as JSON Schema.
        mode: As in `BaseChatModel.with_structured_output`.
        arguments: What else is handed to that method, such as `strict`.
    """
    try:
        return _told(model, schema, mode, arguments)
    except (NotImplementedError, TypeError, ValueError):
        return None


def _told(
    model: Runnable[Any, Any],
    schema: dict[str, Any],
    mode: SchemaMode,
    arguments: Mapping[str, Any],
) -> SchemaModel:
    chat_model, _ = unwrapped(model)
    if chat_model is None:
        msg = f"`{model.get_name()}` is no chat model"
        raise TypeError(msg)
    made = partial(chat_model.with_structured_output, _titled(schema), include_raw=True)
    try:
        chain = made(method=mode, **arguments)
    except TypeError:
        if mode != "function_calling":
            raise
        chain = made(**arguments)  # a model that has but this one way
    return SchemaModel(
        model=model,
        response_schema=schema,
        mode=mode,
        arguments=dict(arguments),
        asked=_rebound(model, _raw_call(chain)),
    )


def _raw_call(chain: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """Take the call of the model out of LangChain's chain, and leave the parser behind.

    Call arguments would not get through the chain: a parallel step hands none on.
    """
    match chain:
        case RunnableSequence(first=RunnableParallel(steps__={"raw": Runnable() as call})):
            return call
    return chain | RunnableLambda(_raw_message)


def _raw_message(given: Any) -> Any:
    return given["raw"]


def _rebound(model: Any, call: Runnable[Any, Any]) -> Any:
    """Put a call in the place of the chat model under `bind` and `with_config`."""
    if isinstance(model, RunnableBinding):
        return model.model_copy(update={"bound": _rebound(model.bound, call)})
    return call


def _titled(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give a schema the name and description that providers ask for."""
    name = _NOT_IN_NAMES.sub("_", str(schema.get("title") or "Answer"))[:MAX_NAME_CHARS]
    return {"description": "The answer.", **schema, "title": name}
