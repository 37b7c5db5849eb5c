"""What the LCEL doors have in common: a model under control, as a Runnable."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, NamedTuple, Self

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import coerce_to_runnable
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.utils import ConfigurableFieldSpec

from langchain_control._effects import Flow
from langchain_control.components.shapes import Component, Output, Place
from langchain_control.events import UNHEARD, with_listener
from langchain_control.models.variants import name_of
from langchain_control.policy import ControlPolicy
from langchain_control.runs.context import Context, LastCalls
from langchain_control.runs.state import RunState, state_of
from langchain_control.steps import drive
from langchain_control.strategies.asking import AnswerContract

__all__ = ["Controlled", "Ended", "runnable_of"]


class Ended(NamedTuple):
    """The state in the end, what the last call raised, and what the model said last."""

    state: RunState
    cause: Exception | None
    said: AIMessage | None


def runnable_of(model: Any) -> Runnable[Any, Any]:
    """Return what a door was given as a Runnable.

    Raises:
        TypeError: It is none, and no callable either, such as the name of a model.
    """
    if isinstance(model, str):
        msg = (
            "expected a chat model, a Runnable or a callable, got a text: for the name of a model "
            "give `init_chat_model(name, max_retries=0)`, of `langchain.chat_models`"
        )
        raise TypeError(msg)
    runnable: Runnable[Any, Any] = coerce_to_runnable(model)
    return runnable


class Controlled(Component[LanguageModelInput, Output], Generic[Output]):
    """A model under control. `stream` yields once: nothing leaves before it is accepted."""

    corrections: ClassVar[Place] = "last_message"

    model: Any
    policy: ControlPolicy

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What a chat model takes."""
        return LanguageModelInput

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What a config may choose in the model."""
        return self.model.config_specs  # type: ignore[no-any-return]

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Output:  # noqa: A002
        """Run synchronously. Further arguments go to the model."""
        return super().invoke(input, self._config(config), **kwargs)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Output:
        """Run asynchronously. Further arguments go to the model."""
        return await super().ainvoke(input, self._config(config), **kwargs)

    def _ended(
        self, value: Any, config: RunnableConfig, contract: AnswerContract | None = None
    ) -> Flow[Ended]:
        """Walk the table of steps to its end."""
        calls = LastCalls()
        name = name_of(self.model, config)
        context = Context(
            self.policy, self.model, name, contract=contract, last_calls=calls, can_pause=False
        )
        state = yield from drive(state_of(value), context, config)
        return Ended(state, calls.error, calls.said)

    def _with_arguments(self, arguments: dict[str, Any]) -> Self:
        return self.override(model=self.model.bind(**arguments))

    def _config(self, config: RunnableConfig | None) -> RunnableConfig:
        """Return a config that the trail hears and `stream_mode="messages"` does not.

        A model that a rule or detector asks stays out of the stream as well.
        """
        return merge_configs(with_listener(config, self.policy.audit), {"tags": [UNHEARD]})

    def __repr_args__(self) -> Any:
        """Show the model by name; its own repr may hold keys and addresses."""
        for field, value in super().__repr_args__():
            yield field, name_of(value) if field == "model" else value
