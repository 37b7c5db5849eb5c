"""The shapes of the components: a gate stops or lets through, a wrapper surrounds a Runnable."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeAlias, TypeVar, cast

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableSerializable, coerce_to_runnable
from langchain_core.runnables.graph import Graph
from langchain_core.runnables.utils import ConfigurableFieldSpec
from pydantic import BaseModel, ConfigDict

from langchain_control._effects import Flow, arun, run
from langchain_control._overriding import OverridableModel
from langchain_control.errors import ControlError, InputRejected, rejection
from langchain_control.events import blocked, flagged
from langchain_control.outcomes import ValidationResult

__all__ = ["Component", "Gate", "Input", "Output", "Place", "Several", "Wrapped", "Wrapper"]

Input = TypeVar("Input")
Output = TypeVar("Output")
Value = TypeVar("Value")
Item = TypeVar("Item")

if TYPE_CHECKING:
    Several: TypeAlias = Sequence[Item]
else:
    Several = tuple[Item, ...]
"""Takes any collection and keeps a tuple. A single string is refused."""


Place = Literal["none", "further_on", "last_message", "feedback"]
"""What a component does with a correction: nothing, hand it on with its input, take it as the last
message of a conversation, or take it as that and as the `feedback` of a mapping."""

_CALL_SIGNATURE = signature(lambda value, run_manager, config: None)  # noqa: ARG005
"""LangChain would inspect the signature of what it calls, twice per call; this spares it that."""


class Component(OverridableModel, RunnableSerializable[Input, Output], Generic[Input, Output]):
    """A frozen Runnable that is its own configuration.

    A component implements `_flow` once; sync and async calls both perform it. What changes at run
    time (counters, files, clocks) lives in injected collaborators, in fields with a
    `default_factory`: private attributes are lost by `configurable_fields`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    corrections: ClassVar[Place] = "none"
    """What becomes of a correction that is in the input."""

    @abstractmethod
    def _flow(self, value: Input, config: RunnableConfig) -> Flow[Output]:
        """Do the component's work. `config` is that of the component's own run."""

    def invoke(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Output:  # noqa: A002
        """Run synchronously."""
        if kwargs:
            return self._with_arguments(kwargs).invoke(input, config)

        def call(value: Input, run_manager: Any, config: RunnableConfig) -> Output:  # noqa: ARG001
            return run(self._flow(value, config))

        call.__signature__ = _CALL_SIGNATURE  # type: ignore[attr-defined]  # functions take any

        return self._call_with_config(call, input, config)

    async def ainvoke(
        self,
        input: Input,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Output:
        """Run asynchronously, without a thread hop."""
        if kwargs:
            return await self._with_arguments(kwargs).ainvoke(input, config)

        async def call(value: Input, run_manager: Any, config: RunnableConfig) -> Output:  # noqa: ARG001
            return await arun(self._flow(value, config))

        call.__signature__ = _CALL_SIGNATURE  # type: ignore[attr-defined]  # functions take any

        return await self._acall_with_config(call, input, config)

    @property
    def needs_no_await(self) -> bool:
        """Whether a sync call does all that an async one does. Plug-ins may have to be awaited."""
        return False

    def _with_arguments(self, arguments: dict[str, Any]) -> Self:
        """Return the component for a call with these arguments."""
        given = ", ".join(f"`{name}`" for name in arguments)
        msg = f"`{type(self).__name__}` takes no call arguments, got {given}"
        raise TypeError(msg)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Name runs after the class, also where `name` is a setting with a meaning of its own."""
        if name is None and type(self).model_fields["name"].default is not None:
            name = type(self).__name__
        return super().get_name(suffix, name=name)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Let LangChain's `dumpd` describe the component."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Name the module, as `langchain_core.load` expects it."""
        return cls.__module__.split(".")


class Gate(Component[Value, Value], Generic[Value]):
    """Hand a value on, or stop the chain with a `ControlError`."""

    _error: ClassVar[type[ControlError]] = InputRejected
    corrections: ClassVar[Place] = "further_on"

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What may be judged."""
        return Any

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """The same as comes in."""
        return self.InputType

    @abstractmethod
    def judge(self, value: Value) -> Flow[ValidationResult]:
        """Judge a value, as a flow. Never raises for anything a user or a model wrote."""

    def inspect(self, value: Value) -> ValidationResult:
        """Judge a value without stopping anything."""
        return run(self.judge(value))

    async def ainspect(self, value: Value) -> ValidationResult:
        """Judge a value without stopping anything; plug-ins may be async."""
        return await arun(self.judge(value))

    def clean(self, value: Value, verdict: ValidationResult) -> Value:  # noqa: ARG002
        """Return a value that passed as it goes on down the chain."""
        return value

    def _flow(self, value: Value, config: RunnableConfig) -> Flow[Value]:
        verdict = yield from self.judge(value)
        if not verdict.passed:
            yield blocked(type(self).__name__, verdict, config)
            raise rejection(verdict, self._error)
        yield flagged(type(self).__name__, verdict, config)
        return self.clean(value, verdict)


class Wrapper(Component[Input, Output], Generic[Input, Output]):
    """Surround a Runnable, keeping its input and output."""

    @abstractmethod
    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        """Call `bound` under the wrapper's care."""

    def wrap(self, runnable: Any) -> Wrapped:
        """Return `runnable` under this component's care.

        Args:
            runnable: Any Runnable, chat model, or plain callable.
        """
        return Wrapped(wrapper=self, bound=coerce_to_runnable(runnable))


class Wrapped(Component[Any, Any]):
    """A Runnable in a wrapper's care."""

    wrapper: Any
    bound: Any

    @property
    def InputType(self) -> Any:  # noqa: N802
        """That of the wrapped Runnable."""
        return self.bound.InputType

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """That of the wrapped Runnable."""
        return self.bound.OutputType

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What a config may choose in the wrapped Runnable."""
        return self.bound.config_specs  # type: ignore[no-any-return]

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return that of the wrapped Runnable."""
        return self.bound.get_input_schema(config)  # type: ignore[no-any-return]

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return that of the wrapped Runnable."""
        return self.bound.get_output_schema(config)  # type: ignore[no-any-return]

    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        """Return that of the wrapped Runnable, as LangChain's own bindings do."""
        return self.bound.get_graph(config)  # type: ignore[no-any-return]

    @property
    def parts(self) -> tuple[Any, ...]:
        """What it is made of, for `parts_of`."""
        return self.wrapper, self.bound

    def around(self, other: Runnable[Any, Any]) -> Wrapped:
        """Return another Runnable in the same wrapper's care."""
        return self.override(bound=other)

    def __repr_args__(self) -> Any:
        """Show what is wrapped by name: a model's own repr may hold keys and addresses."""
        yield "wrapper", self.wrapper
        yield "bound", self.bound.get_name()

    def _with_arguments(self, arguments: dict[str, Any]) -> Self:
        return self.override(bound=self.bound.bind(**arguments))

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:
        wrapper = cast("Wrapper[Any, Any]", self.wrapper)
        return wrapper._around(self.bound, value, config)  # noqa: SLF001
