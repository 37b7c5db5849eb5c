"""Parsed objects instead of messages: the drop-in for a model's own `with_structured_output`."""

from __future__ import annotations

import json
from typing import Any, Literal, Self

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from langchain_control._effects import Call, Flow
from langchain_control.components._base import Component
from langchain_control.errors import error_for
from langchain_control.models.variants import in_structured_mode
from langchain_control.outcomes import ControlResult
from langchain_control.policy import ControlPolicy

__all__ = ["Method", "StructuredModel", "policy_for", "prepared"]

Method = Literal["json_schema", "function_calling", "prompt"]
"""How a model learns the schema: from its provider's schema mode, as a tool, or in the prompt."""

_BY_PREFERENCE: tuple[Method, ...] = ("json_schema", "function_calling")


class StructuredModel(Component[LanguageModelInput, Any]):
    """A model under control that returns parsed objects. Made by `with_structured_output`."""

    controlled: Any
    """The model under control, returning results."""
    response_schema: Any
    include_raw: bool = False
    """Whether to return `raw`, `parsed` and `parsing_error` instead of raising."""

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What a chat model takes."""
        return LanguageModelInput

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """An instance of the schema, or a dict where it is a JSON Schema."""
        is_type = isinstance(self.response_schema, type)
        return dict if self.include_raw or not is_type else self.response_schema

    def _with_arguments(self, arguments: dict[str, Any]) -> Self:
        model = self.controlled.model.bind(**arguments)
        return self.override(controlled=self.controlled.override(model=model))

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:
        result: ControlResult = yield Call(self.controlled, value, config)
        validator = self.controlled.policy.validator
        parsed = validator.typed(result.value) if result.passed else None
        if self.include_raw:
            error = None if result.passed else error_for(result)
            return {"raw": result.message, "parsed": parsed, "parsing_error": error}
        result.unwrap()
        return parsed


def prepared(
    model: Runnable[Any, Any], schema: dict[str, Any], method: Method | None
) -> tuple[Runnable[Any, Any], Method]:
    """Return the model as it learns the schema, and by which method it does.

    Args:
        model: A chat model or any Runnable.
        schema: The contract as JSON Schema.
        method: The one to use; `None` takes the best the model has.

    Raises:
        ValueError: The model does not have the method that was asked for.
    """
    if method == "prompt":
        return model, method
    for candidate in _BY_PREFERENCE if method is None else (method,):
        bound = in_structured_mode(model, schema, candidate)
        if bound is not None:
            return bound | RunnableLambda(_with_arguments_as_content), candidate
    if method is not None:
        msg = f"the model has no structured output by `{method}`"
        raise ValueError(msg)
    return model, "prompt"


def policy_for(policy: ControlPolicy, method: Method) -> ControlPolicy:
    """Return the policy with its contract told in the prompt, if the model learns it there."""
    if method != "prompt":
        return policy
    schema = json.dumps(policy.validator.json_schema(), separators=(",", ":"))
    told = f"Answer with one JSON value, and nothing else, that meets this JSON Schema: {schema}"
    return policy.override(prompt={"constraints": (*policy.prompt.constraints, told)})


def _with_arguments_as_content(message: AIMessage) -> AIMessage:
    """Turn a tool call that stands for an answer into the answer."""
    calls = [c["args"] for c in message.tool_calls]
    broken = [c["args"] for c in message.invalid_tool_calls]
    if not calls and not broken:
        return message
    content = json.dumps(calls[-1]) if calls else (broken[-1] or "")
    return message.model_copy(
        update={"content": content, "tool_calls": [], "invalid_tool_calls": []}
    )
