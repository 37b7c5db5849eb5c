"""Parsed objects instead of messages: the drop-in for a model's own `with_structured_output`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isroutine
from typing import Any, Generic, Literal, NamedTuple, Self, get_args

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableWithFallbacks
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field, model_validator

from langchain_control._effects import Flow
from langchain_control.components.shapes import Output
from langchain_control.components.validator import ResponseValidator
from langchain_control.contracts.tool_calls import NO_ANSWER
from langchain_control.contracts.typed_dicts import pydantic_ready
from langchain_control.door import Controlled
from langchain_control.errors import error_for
from langchain_control.models.configurable import each_of, made_plain, stands_for_others
from langchain_control.models.object_schemas import as_object
from langchain_control.models.schema_modes import (
    SchemaMode,
    in_best_mode,
    in_schema_mode,
    schema_in_words,
)
from langchain_control.models.settings import unwrapped, without_tools
from langchain_control.models.told_in_words import ToldInWords
from langchain_control.models.variants import name_of
from langchain_control.outcomes import FailureMode, ValidationResult, failure
from langchain_control.policy import ControlPolicy
from langchain_control.runs.results import result_of
from langchain_control.strategies.asking import ContractAround

__all__ = ["Method", "StructuredModel", "ToldModel", "tell_schema"]

Method = SchemaMode | Literal["prompt"]
"""How a model learns the schema: from its provider's schema mode, as a tool, or in the prompt; with
`json_mode` in the prompt, too, while the provider sees to it that JSON comes."""

_METHODS = (*get_args(SchemaMode), "prompt")


class ToldModel(NamedTuple):
    """A model that knows its contract, and the policy that holds it to it."""

    model: Runnable[Any, Any]
    policy: ControlPolicy


TellSchema = Callable[[Runnable[Any, Any], ControlPolicy, Any], ToldModel]
"""Tells a model, which a policy controls, a schema."""


class StructuredModel(Controlled[Output], Generic[Output]):
    """A model under control that returns parsed objects. Made by `with_structured_output`."""

    include_raw: bool = False
    """Whether to return `raw`, `parsed` and `parsing_error` instead of raising."""
    accepts_tool_calls: bool = False
    """Whether a message that calls tools is an answer. Its `parsed` is `None`."""
    tell: TellSchema | None = Field(default=None, repr=False, exclude=True)
    """Tells the schema at each call, where a config chooses the model; `None` if it is told."""

    @model_validator(mode="after")
    def _has_a_schema(self) -> Self:
        if self.policy.validator.response_schema is None:
            msg = (
                "`policy` has no `response_schema`, which this model answers to: give the changes "
                "alone, as in `override(policy={...})`, or ask for structured output anew, by "
                "`with_control(model, policy).with_structured_output(schema)`"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _has_a_place_for_tool_calls(self) -> Self:
        if self.accepts_tool_calls and not self.include_raw:
            msg = "`tools` needs `include_raw=True`: where the model calls one, there is no object"
            raise ValueError(msg)
        return self

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """The type that the schema is, or a dict where it is a JSON Schema."""
        schema = self.policy.validator.response_schema
        is_dict = self.include_raw or isinstance(schema, Mapping)
        return dict if is_dict else pydantic_ready(schema)

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:
        if self.tell is not None:
            return (yield from self._for_config(self.tell, config)._flow(value, config))  # noqa: SLF001
        validator = self.policy.validator
        contract = None if self.accepts_tool_calls else _ObjectsOnly(validator)
        ended, cause, said = yield from self._ended(value, config, contract)
        result = result_of(ended)
        has_object = result.passed and not (result.message and result.message.tool_calls)
        parsed = validator.typed(result.value) if has_object else None
        if not self.include_raw:
            result.unwrap(cause)
            return parsed
        raw = result.message if result.status == "fallback" else _with_object(said, parsed)
        error = None if result.passed else error_for(result, cause)
        return {"raw": raw, "parsed": parsed, "parsing_error": error}

    def _for_config(self, tell: TellSchema, config: RunnableConfig) -> Self:
        schema = self.policy.validator.response_schema
        model, policy = tell(made_plain(self.model, config), self.policy, schema)
        return self.override(model=model, policy=policy, tell=None)


def _with_object(said: AIMessage | None, parsed: Any) -> AIMessage | None:
    """Fill the place that OpenAI's client keeps for the object of a class: it was told its JSON."""
    if said is None or not isinstance(parsed, BaseModel):
        return said
    if said.additional_kwargs.get(_PARSED, parsed) is not None:
        return said
    kept = {**said.additional_kwargs, _PARSED: parsed}
    return said.model_copy(update={"additional_kwargs": kept})


_PARSED = "parsed"


class _ObjectsOnly(ContractAround):
    """The contract of a caller who wants an object and has no use for tool calls."""

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        if not value.tool_calls:
            return (yield from self._contract.judge(value))
        yield from ()
        why = "the model called a tool, where only an object is an answer"
        return failure(FailureMode.SCHEMA_VIOLATION, why, violations=(NO_ANSWER,))


_NAME_CHARS = 80


def tell_schema(
    model: Runnable[Any, Any],
    policy: ControlPolicy,
    schema: Any,
    method: Method | None,
    arguments: Mapping[str, Any],
) -> ToldModel:
    """Tell a schema to a model, by the method that was asked for or by the best it has.

    Tools that are bound to the model are left out, as LangChain leaves them out: no call of one is
    an answer. Fallbacks are told each in its own way, and a model that a config has yet to choose
    is left as it is.

    Raises:
        ValueError: `schema` is not a schema, or not one that this method takes; or there is no such
            method, or the model does not support it or the arguments.
    """
    if method not in (None, *_METHODS):
        msg = f"`method` must be one of {', '.join(_METHODS)}, got {method!r}"
        raise ValueError(msg)
    if isinstance(model, RunnableWithFallbacks):
        return _tell_each(model, lambda one: tell_schema(one, policy, schema, method, arguments))
    model, schema = without_tools(model), _json_schema_in(schema)
    policy = policy.override(validator=_held_to(schema, policy.validator))
    if stands_for_others(model):
        return ToldModel(model, policy)
    contract = policy.validator.json_schema() or {}
    asked = None
    if method is None:
        asked = in_best_mode(model, contract, arguments, budget=policy.prompt.budget)
    elif method != "prompt":
        asked = in_schema_mode(model, contract, method, arguments)
    if asked is not None:
        return ToldModel(asked, _with_schema_in_prompt(policy) if method == "json_mode" else policy)
    if arguments or method not in (None, "prompt"):
        wanted = [f"by `{method}`"] if method else []
        wanted += [f"with `{name}`" for name in arguments]
        name = contract.get("title") or repr(schema)[:_NAME_CHARS]
        msg = f"`{name_of(model)}` takes no `{name}` {' '.join(wanted)}: {_why_not(contract)}"
        raise ValueError(msg)
    named = method == "prompt" and unwrapped(model)[0] is not None
    in_words = ToldInWords(bound=model) if named else model
    return ToldModel(in_words, _with_schema_in_prompt(policy))


def _tell_each(
    model: RunnableWithFallbacks[Any, Any], tell: Callable[[Runnable[Any, Any]], ToldModel]
) -> ToldModel:
    """Tell a model and its fallbacks, each in its own way; all have the prompt that one needs."""
    policies: list[ControlPolicy] = []

    def tell_one(one: Runnable[Any, Any]) -> Runnable[Any, Any]:
        told_one, policy = tell(one)
        policies.append(policy)
        return told_one

    each = each_of(model, tell_one)
    return ToldModel(each, max(policies, key=lambda policy: len(policy.prompt.constraints)))


def _held_to(schema: Any, validator: ResponseValidator) -> dict[str, Any]:
    """Change the shape that a validator asks for; the keys it required were of another one.

    A JSON Schema converts nothing, whatever the policy allows.
    """
    coerce = validator.coerce and not isinstance(schema, Mapping)
    return {"response_schema": schema, "required_keys": (), "coerce": coerce}


def _why_not(contract: Mapping[str, Any]) -> str:
    if as_object(contract) is None:
        return "that is for objects; leave it out, or make the schema a property of an object"
    return "the model has no such structured output"


def _with_schema_in_prompt(policy: ControlPolicy) -> ControlPolicy:
    words = schema_in_words(policy.validator.json_schema() or {})
    if words in policy.prompt.constraints:
        return policy
    return policy.override(prompt={"constraints": (*policy.prompt.constraints, words)})


def _json_schema_in(schema: Any) -> Any:
    """Take the JSON Schema out of a tool or function, as LangChain does; others stay as they are.

    Raises:
        ValueError: There is none. Read as a JSON Schema it would accept whatever comes.
    """
    if schema is None:
        msg = "`schema` says what the answer has to be; `None` says nothing"
        raise ValueError(msg)
    is_bedrocks = isinstance(schema, Mapping) and "toolSpec" in schema
    if is_bedrocks or isroutine(schema) or isinstance(schema, BaseTool):
        schema = convert_to_openai_tool(schema)
    match schema:
        case {"type": "function", "function": {"name": str(name), **rest}}:
            pass
        case {"type": "json_schema", "json_schema": {"name": str(name), **rest}}:
            pass
        case {"name": str(name), **rest}:
            pass
        case _:
            return schema
    found = next((rest[key] for key in _SCHEMA_KEYS if rest.get(key)), None)
    if not isinstance(found, Mapping):
        msg = f"`{name}` has a `name` but no `parameters` that say what its JSON is"
        raise ValueError(msg)  # noqa: TRY004  (as for any other schema that is none)
    described = {"title": name, "description": rest.get("description")}
    return {key: value for key, value in described.items() if value} | dict(found)


_SCHEMA_KEYS = ("parameters", "input_schema", "schema")
"""Where OpenAI's functions, Anthropic's tools and OpenAI's response formats keep it. Bedrock's
tools have a place of their own."""
