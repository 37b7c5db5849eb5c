"""Telling a schema to a model by its provider's own means."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from functools import partial, reduce
from inspect import signature
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.language_models import BaseChatModel, LanguageModelInput
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

from langchain_control.conversation import answer_of, with_correction
from langchain_control.models.as_said import beside
from langchain_control.models.larger_answers import with_room
from langchain_control.models.object_schemas import as_object
from langchain_control.models.settings import drawn_anew, unwrapped, without_tools
from langchain_control.models.strict_schemas import strict
from langchain_control.models.unless_refused import UnlessRefused
from langchain_control.outcomes import PlannedRetry

__all__ = [
    "BEST_FIRST",
    "SchemaMode",
    "SchemaModel",
    "in_best_mode",
    "in_schema_mode",
    "schema_in_words",
]

SchemaMode = Literal["json_schema", "function_calling", "json_mode"]
"""How a provider takes a schema: as one for its answer, as that of a tool's arguments, or not at
all, in which case it only promises JSON."""

BEST_FIRST: tuple[SchemaMode, ...] = ("json_schema", "function_calling")
"""The modes that take a schema."""

MAX_NAME_CHARS = 64
"""Longest name of a tool or schema that OpenAI and others take."""

_INCLUDE_RAW = "include_raw"

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
    is_enforced: bool
    """Whether the provider has been asked to give nothing but what meets the schema."""
    asked: Any
    """The model in its schema mode."""
    budget: Any = None
    """Judges a prompt that tells the schema in words, where the provider refuses its modes."""
    otherwise: Any = None
    """How to ask where the provider refuses this mode; `None` if it is the caller's choice."""

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Ask the model."""
        return self._as_answer(self._call.invoke(input, config, **kwargs))

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Ask the model."""
        return self._as_answer(await self._call.ainvoke(input, config, **kwargs))

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessage]:
        """Ask the model, and hand on what arrives. An answer through a tool comes whole."""
        if self._answers_in_text:
            yield from self._call.stream(input, config, **kwargs)
        else:
            yield self.invoke(input, config, **kwargs)

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessage]:
        """Ask the model, and hand on what arrives. An answer through a tool comes whole."""
        if not self._answers_in_text:
            yield await self.ainvoke(input, config, **kwargs)
            return
        stream = cast("AsyncGenerator[Any, None]", self._call.astream(input, config, **kwargs))
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    def bind(self, **kwargs: Any) -> Runnable[Any, Any]:
        """Hand further arguments to the model."""
        return self._around(self.model.bind(**kwargs))

    @property
    def parts(self) -> tuple[Any, ...]:
        """What it is made of, for `parts_of`."""
        return (self.asked,)

    def for_retry(self, retry: PlannedRetry) -> Runnable[Any, Any]:
        """Return the model as a retry should call it; see `MakesVariants`."""
        return with_room(self.model, retry, lambda it: self._around(drawn_anew(self.model, it)))

    def in_place_of(self, other: Runnable[Any, Any]) -> Runnable[Any, Any]:
        """Return another chat model that is told the same schema, where it has a way to."""
        other = without_tools(other)
        return in_best_mode(other, self.response_schema, budget=self.budget) or other

    def __repr_args__(self) -> Any:
        """Show the model by name: its own repr may hold keys and addresses."""
        yield "model", self.model.get_name()
        yield "mode", self.mode

    def _as_answer(self, reply: AIMessage) -> AIMessage:
        """Turn calls of the tool that stands for an answer into the answer, one below the other.

        Which of them counts is the validator's to say, as of any text that holds several values.
        `as_said` gives the reply as it came.
        """
        message = answer_of(reply, is_reply=True)
        calls = [*message.tool_calls, *message.invalid_tool_calls]
        if not calls or any(call["name"] not in (None, self._tool_name) for call in calls):
            return message
        whole = "\n".join(json.dumps(call["args"]) for call in message.tool_calls)
        content = whole or message.invalid_tool_calls[-1]["args"]
        changes = {"content": content or "", "tool_calls": [], "invalid_tool_calls": []}
        return beside(message.model_copy(update=changes), message)

    def _around(self, model: Runnable[Any, Any]) -> SchemaModel:
        """Return another form of the model that is told the schema in the same way."""
        if self.otherwise is not None:
            told = in_best_mode(model, self.response_schema, self.arguments, budget=self.budget)
        else:
            told = in_schema_mode(model, self.response_schema, self.mode, self.arguments)
            told = told and told.model_copy(update={"budget": self.budget})
        return told or self

    @property
    def _call(self) -> Runnable[Any, Any]:
        if self.otherwise is None:
            return self.asked  # type: ignore[no-any-return]
        return UnlessRefused(self.asked, self.otherwise)

    @property
    def _answers_in_text(self) -> bool:
        chat_model, bound = unwrapped(self.asked)
        return chat_model is not None and not bound.get("tools")

    @property
    def _tool_name(self) -> str:
        return _titled(as_object(self.response_schema) or {})["title"]  # type: ignore[no-any-return]


def in_schema_mode(
    model: Runnable[Any, Any],
    schema: dict[str, Any],
    mode: SchemaMode,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> SchemaModel | None:
    """Return a model that has been told a schema, or `None` if it has no such mode.

    No mode takes a schema whose root is no object, and none but the schema mode takes further
    tools: clients drop them in others. A provider is asked for strictness where its client has an
    argument for that and the schema says nothing that strictness excludes.

    Args:
        model: A chat model, bound or not. Anything else has no modes.
        schema: The contract as JSON Schema.
        mode: As in `BaseChatModel.with_structured_output`.
        arguments: What else is handed to that method, such as `strict`.
    """
    chat_model, _ = unwrapped(model)
    shape = as_object(schema)
    drops_tools = bool(arguments.get("tools")) and mode != BEST_FIRST[0]
    if chat_model is None or shape is None or drops_tools:
        return None
    given = _schema_arguments(chat_model, _titled(shape), mode, arguments)
    try:
        call = _raw_call(_in_mode(chat_model, given, mode, {_INCLUDE_RAW: True}))
        if _INCLUDE_RAW in unwrapped(call)[1]:  # taken for an argument of calls: no server knows it
            call = _raw_call(_in_mode(chat_model, given, mode, {}))
    except Exception:  # noqa: BLE001  (integrations refuse each in their own way)
        return None
    return SchemaModel(
        model=model,
        response_schema=schema,
        mode=mode,
        arguments=dict(arguments),
        is_enforced=given.is_enforced,
        asked=_rebound(model, call),
    )


def in_best_mode(
    model: Runnable[Any, Any],
    schema: dict[str, Any],
    arguments: Mapping[str, Any] = MappingProxyType({}),
    *,
    budget: Runnable[Any, Any] | None = None,
) -> SchemaModel | None:
    """Return a model that is told a schema in the best way that its provider takes.

    Where the provider refuses a mode that its client has, the next one is tried, and in the end the
    schema is told in words; further arguments have no words, and `tools` no other mode.

    Args:
        model: As for `in_schema_mode`.
        schema: The contract as JSON Schema.
        arguments: As for `in_schema_mode`.
        budget: Stops a prompt to which the words have been added and that is too long with them.

    Returns:
        `None` if the client has no mode that takes the schema.
    """
    ways = [w for mode in BEST_FIRST if (w := in_schema_mode(model, schema, mode, arguments))]
    if not ways or arguments.get("tools"):
        return next(iter(ways), None)
    best, *others = ways
    below: list[Runnable[Any, Any]] = [way for way in others if way.asked != best.asked]
    if not arguments:
        words = partial(with_correction, text=schema_in_words(schema))
        told: Runnable[Any, Any] = RunnableLambda(words, name="schema_in_words")
        below.append((told if budget is None else told | budget) | model)
    below.reverse()
    otherwise = reduce(lambda lower, way: UnlessRefused(way, lower), below) if below else None
    return best.model_copy(update={"otherwise": otherwise, "budget": budget})


def schema_in_words(schema: Mapping[str, Any]) -> str:
    """Tell a schema where there is no mode for it."""
    spelled = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    return f"Answer with one JSON value, and nothing else, that meets this JSON Schema: {spelled}"


class _SchemaArguments(NamedTuple):
    """What a model's `with_structured_output` is given."""

    schema: dict[str, Any]
    arguments: dict[str, Any]
    is_enforced: bool


def _schema_arguments(
    chat_model: BaseChatModel,
    schema: dict[str, Any],
    mode: SchemaMode,
    arguments: Mapping[str, Any],
) -> _SchemaArguments:
    given, is_schema_mode = dict(arguments), mode == BEST_FIRST[0]
    wanted, takes = given.get("strict"), signature(chat_model.with_structured_output).parameters
    if wanted is None and is_schema_mode and "strict" in takes:
        closed = strict(schema)
        if not closed.is_faithful:
            return _SchemaArguments(schema, given, is_enforced=False)
        return _SchemaArguments(closed.schema, {**given, "strict": True}, is_enforced=True)
    if wanted:
        schema = strict(schema).schema
    return _SchemaArguments(schema, given, is_enforced=is_schema_mode and wanted is not False)


def _in_mode(
    chat_model: BaseChatModel,
    given: _SchemaArguments,
    mode: SchemaMode,
    more: Mapping[str, Any],
) -> Runnable[Any, Any]:
    arguments = {**more, **given.arguments}
    made = partial(chat_model.with_structured_output, given.schema, **arguments)
    try:
        return made(method=mode)
    except TypeError:
        if mode != "function_calling":
            raise
        return made()  # a model that has but this one way


def _raw_call(chain: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """Take the call of the model out of LangChain's chain, and leave the parser behind.

    Call arguments would not get through the chain: a parallel step hands none on. An integration
    that does not know `include_raw` gives the model and a parser.
    """
    match chain:
        case RunnableSequence(first=RunnableParallel(steps__={"raw": Runnable() as call})):
            return call
        case RunnableSequence(first=call) if unwrapped(call)[0] is not None:
            return call
    return chain | RunnableLambda(_raw_message)


def _raw_message(given: Any) -> Any:
    if isinstance(given, Mapping) and "raw" in given:
        return given["raw"]
    msg = f"the model's `with_structured_output` gives no `raw` message for `{_INCLUDE_RAW}`"
    raise ModelInvalidRequestError(msg)


def _rebound(model: Any, call: Runnable[Any, Any]) -> Any:
    """Put a call in the place of the chat model under `bind` and `with_config`."""
    if isinstance(model, RunnableBinding):
        return model.model_copy(update={"bound": _rebound(model.bound, call)})
    return call


def _titled(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give a schema the name and description that providers ask for."""
    name = _NOT_IN_NAMES.sub("_", str(schema.get("title") or "Answer"))[:MAX_NAME_CHARS]
    return {"description": "The answer.", **schema, "title": name}
