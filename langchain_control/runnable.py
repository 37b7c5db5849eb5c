"""The LCEL door: a model under control, as a Runnable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Generic, Literal, Self, TypeVar, overload

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import model_validator

from langchain_control._effects import Flow
from langchain_control.components.shapes import Output
from langchain_control.door import Controlled, runnable_of
from langchain_control.models.configurable import stands_for_others
from langchain_control.models.pacing import warn_of_own_pacing
from langchain_control.models.variants import name_of, tools_of
from langchain_control.outcomes import ControlResult
from langchain_control.parts import asks_a_model
from langchain_control.policy import ControlPolicy, policy_of
from langchain_control.retries.nested import warn_of_nested_retries
from langchain_control.retries.places import refuse_messages_as_text
from langchain_control.runs.results import result_of
from langchain_control.runs.tool_calls import for_tools
from langchain_control.structured import Method, StructuredModel, tell_schema

__all__ = ["ControlledModel", "with_control"]

T = TypeVar("T")


@overload
def with_control(
    model: Any,
    policy: ControlPolicy | Mapping[str, Any] | None = None,
    *,
    include_result: Literal[False] = False,
) -> ControlledModel[AIMessage]: ...


@overload
def with_control(
    model: Any,
    policy: ControlPolicy | Mapping[str, Any] | None = None,
    *,
    include_result: Literal[True],
) -> ControlledModel[ControlResult]: ...


@overload
def with_control(
    model: Any,
    policy: ControlPolicy | Mapping[str, Any] | None = None,
    *,
    include_result: bool,
) -> ControlledModel[Any]: ...


def with_control(
    model: Any,
    policy: ControlPolicy | Mapping[str, Any] | None = None,
    *,
    include_result: bool = False,
) -> ControlledModel[Any]:
    """Put a model under control.

    The result is not a LangGraph node: a node returns a state update, and LangGraph silently drops
    a bare message. Call it inside a node, or add `create_control_graph` as one.

    !!! example "JSON with two keys, from any model"

        ```python
        contract = ResponseValidator(required_keys=["number", "total"])
        controlled = with_control(model, ControlPolicy(validator=contract))
        invoice = controlled.invoke("Read this invoice: …").additional_kwargs["parsed"]
        ```

    Args:
        model: A chat model, any Runnable that gives a message or a string, or a plain callable.
        policy: The rules, or the plain data of them. The default policy guards the input, bounds
            the prompt, retries transient failures, and refuses answers that are empty, cut off, or
            reported as a refusal by the provider.
        include_result: Return a `ControlResult` and never raise for what a user, a model or a
            provider does.

    Returns:
        A Runnable from what a chat model takes, or a mapping with `input` or `messages` and with
        `context`, to an `AIMessage`. Without `include_result` it raises a `ControlError` where
        there is no answer.

    Raises:
        TypeError: `model` is no Runnable and no callable, or a prompt template reads the messages
            first, and would print them into its text.

    Warns:
        UserWarning: The model retries by itself, which multiplies with the policy's attempts;
            or it waits for a `rate_limiter` of its own, which may look like an outage.
    """
    runnable: Runnable[Any, Any] = runnable_of(model)
    refuse_messages_as_text(runnable)
    policy = policy_of(policy)
    warn_of_nested_retries(runnable, policy.retry.other_model)
    warn_of_own_pacing(runnable, policy.retry.other_model)
    return ControlledModel(model=runnable, policy=policy, include_result=include_result)


class ControlledModel(Controlled[Output], Generic[Output]):
    """A model under control. Made by `with_control`.

    `stream` yields once: nothing leaves before it is accepted.
    """

    include_result: bool = False
    """Whether to return a `ControlResult` instead of raising."""

    @model_validator(mode="after")
    def _corrects_calls_of_tools(self) -> Self:
        if tools_of(self.model):
            object.__setattr__(self, "policy", for_tools(self.policy))  # frozen, not handed out yet
        return self

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """An `AIMessage`, or a `ControlResult` where asked for."""
        return ControlResult if self.include_result else AIMessage

    @property
    def _llm_type(self) -> str:
        """Say why there is none to whoever takes this for a chat model."""
        msg = (
            "a model under control is a Runnable and no `BaseChatModel`: give the model itself to "
            "what works with chat models, such as `SummarizationMiddleware`"
        )
        raise AttributeError(msg)

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Self:
        """Return the model with tools, under the same control.

        An answer that calls them goes on if their schemas take the arguments: it is not held to the
        contract, as it is not the answer yet.

        Raises:
            TypeError: What is under control is no model that takes tools.
        """
        if not hasattr(self.model, "bind_tools"):
            msg = (
                "what is under control takes no tools: bind them to the chat model in it, as in "
                "`with_control(model.bind_tools(tools) | step)`"
                if asks_a_model(self.model)
                else f"`{name_of(self.model)}` takes no tools: put a chat model under control"
            )
            raise TypeError(msg)
        return self.override(model=self.model.bind_tools(tools, **kwargs))

    @overload
    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: Literal[True],
        method: Method | None = None,
        **kwargs: Any,
    ) -> StructuredModel[dict[str, Any]]: ...

    @overload
    def with_structured_output(
        self,
        schema: type[T],
        *,
        include_raw: Literal[False] = False,
        method: Method | None = None,
        **kwargs: Any,
    ) -> StructuredModel[T]: ...

    @overload
    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: bool = False,
        method: Method | None = None,
        **kwargs: Any,
    ) -> StructuredModel[Any]: ...

    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: bool = False,
        method: Method | None = None,
        **kwargs: Any,
    ) -> StructuredModel[Any]:
        """Return parsed objects instead of messages: the drop-in for the model's own.

        Attempts, time, tokens and cost stay bounded by the policy; `None` is never returned for an
        answer that could not be parsed.

        Args:
            schema: A pydantic model, a dataclass, a TypedDict, a JSON Schema as a dict, or a
                function or tool as OpenAI and Anthropic describe it.
            include_raw: Return a dict with the message as `raw`, and `parsed` and `parsing_error`;
                never raise for an answer.
            method: How the model learns the schema; see `Method`. By default the best it has; where
                its server refuses that, the next best.
            **kwargs: For the model's own `with_structured_output`, such as `strict` and `tools`.

        Raises:
            ValueError: The model does not have the method or does not take the arguments, the
                schema is not one, or a `ControlResult` was asked for by `include_result`. Of a
                model that only a config chooses, the call raises the first of these.
        """
        if self.include_result:
            msg = "an object has no place for `include_result`: leave it out, or use `include_raw`"
            raise ValueError(msg)
        tell = partial(tell_schema, method=method, arguments=kwargs)
        model, policy = tell(self.model, self.policy, schema)
        is_told_later = stands_for_others(self.model)
        return StructuredModel(
            model=self.model if is_told_later else model,
            policy=policy,
            tell=tell if is_told_later else None,
            include_raw=include_raw,
            accepts_tool_calls=bool(kwargs.get("tools")),
        )

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:
        ended, cause, _ = yield from self._ended(value, config)
        result = result_of(ended)
        return result if self.include_result else result.unwrap(cause)
