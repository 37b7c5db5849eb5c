"""The LCEL door: a model under control, as a Runnable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import coerce_to_runnable
from langchain_core.runnables.config import ensure_config, merge_configs

from langchain_control._effects import Flow
from langchain_control.components._base import Component
from langchain_control.models.variants import name_of
from langchain_control.outcomes import ControlResult
from langchain_control.policy import ControlPolicy
from langchain_control.retries.nested import warn_of_nested_retries
from langchain_control.state import Context, result_of, state_of
from langchain_control.steps import UNHEARD, drive
from langchain_control.structured import Method, StructuredModel, policy_for, prepared

__all__ = ["ControlledModel", "with_control"]


def with_control(
    model: Any,
    policy: ControlPolicy | Mapping[str, Any] | None = None,
    *,
    include_result: bool = False,
) -> ControlledModel:
    """Put a model under control.

    Args:
        model: A chat model, any Runnable that gives a message or a string, or a plain callable.
        policy: The rules, or the plain data of them. The default policy guards the input, bounds
            the prompt, retries transient failures and refuses empty, cut-off and refused answers.
        include_result: Return a `ControlResult` and never raise for what a user, a model or a
            provider does.

    Returns:
        A Runnable from what a chat model takes, or a mapping with `input` and `context`, to an
        `AIMessage`. Without `include_result` it raises a `ControlError` where there is no answer.

    Warns:
        UserWarning: The model retries by itself, which multiplies with the policy's attempts.
    """
    runnable: Runnable[Any, Any] = coerce_to_runnable(model)
    warn_of_nested_retries(runnable)
    return ControlledModel(
        model=runnable,
        policy=ControlPolicy.model_validate(policy or {}),
        include_result=include_result,
    )


class ControlledModel(Component[LanguageModelInput, Any]):
    """A model under control. Made by `with_control`.

    `stream` yields once: nothing leaves before it is accepted.
    """

    model: Any
    policy: ControlPolicy
    include_result: bool = False
    """Whether to return a `ControlResult` instead of raising."""

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What a chat model takes."""
        return LanguageModelInput

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """An `AIMessage`, or a `ControlResult` where asked for."""
        return ControlResult if self.include_result else AIMessage

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Run synchronously. See `with_control`."""
        return super().invoke(input, self._config(config), **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Run asynchronously. See `with_control`."""
        return await super().ainvoke(input, self._config(config), **kwargs)

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> ControlledModel:
        """Return the model with tools, under the same control.

        An answer that calls tools passes the contract: its content is not the answer yet.

        Raises:
            TypeError: What is under control is no model that takes tools.
        """
        if not hasattr(self.model, "bind_tools"):
            msg = f"`{name_of(self.model)}` takes no tools: put a chat model under control"
            raise TypeError(msg)
        return self.override(model=self.model.bind_tools(tools, **kwargs))

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, method: Method | None = None
    ) -> StructuredModel:
        """Return parsed objects instead of messages: the drop-in for the model's own.

        Attempts, time and tokens stay bounded by the policy; `None` is never returned for an
        answer that could not be parsed.

        Args:
            schema: A pydantic model, a TypedDict, or a JSON Schema as a dict.
            include_raw: Return a dict with `raw`, `parsed` and `parsing_error`; never raise for an
                answer.
            method: How the model learns the schema; see `Method`. By default the best it has.

        Raises:
            ValueError: The model does not have the method, or the schema is not one.
        """
        policy = self.policy.override(validator={"response_schema": schema})
        model, used = prepared(self.model, policy.validator.json_schema() or {}, method)
        controlled = ControlledModel(
            model=model, policy=policy_for(policy, used), include_result=True
        )
        return StructuredModel(
            controlled=controlled, response_schema=schema, include_raw=include_raw
        )

    def _with_arguments(self, arguments: dict[str, Any]) -> Self:
        return self.override(model=self.model.bind(**arguments))

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:
        context = Context(self.policy, self.model, name_of(self.model))
        result = result_of((yield from drive(state_of(value), context, config)))
        return result if self.include_result else result.unwrap()

    def _config(self, config: RunnableConfig | None) -> RunnableConfig:
        """Return a config on which the trail hears everything, and message streams nothing.

        A judge that asks a model, a rule or a detector, is no answer either.
        """
        return merge_configs(heard(config, self.policy.audit), {"tags": [UNHEARD]})

    def __repr_args__(self) -> Any:
        """Show the model by name; its own repr may hold keys and addresses."""
        yield "model", name_of(self.model)
        yield "policy", self.policy
        if self.include_result:
            yield "include_result", True


def heard(config: RunnableConfig | None, listener: BaseCallbackHandler | None) -> RunnableConfig:
    """Return a config on which the listener hears the run, once."""
    whole = ensure_config(config)
    if listener is None:
        return whole
    present = whole.get("callbacks")
    handlers = present if isinstance(present, list) else getattr(present, "handlers", [])
    if listener in (handlers or []):
        return whole
    return merge_configs(whole, {"callbacks": [listener]})
