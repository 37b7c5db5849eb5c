"""Answering by other means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import Field

from langchain_control._effects import Call, Flow
from langchain_control.components._base import Gate, Wrapper
from langchain_control.outcomes import FailureMode
from langchain_control.strategies import FallbackRequest

__all__ = ["FallbackAnswer", "FallbackRouter", "FallbackTry"]


@dataclass(frozen=True, slots=True)
class FallbackTry:
    """What became of one strategy."""

    name: str
    outcome: Literal["answered", "passed", "rejected", "crashed"]
    """It gave a valid answer, none, one that broke the contract, or it raised."""
    failure_mode: FailureMode | None = None
    """What was wrong. `None` for a crash that says nothing about a model."""
    message: str = ""
    """The verdict on its answer, or the class name of what it raised."""


@dataclass(frozen=True, slots=True)
class FallbackAnswer:
    """An answer that is not the model's, and what was tried before it."""

    name: str
    """Which strategy gave it."""
    message: AIMessage
    """The answer in the form that passed the contract."""
    value: Any = None
    """The parsed answer, where the contract asks for one."""
    tries: tuple[FallbackTry, ...] = ()
    """Every strategy asked, in order; the last one answered."""


class FallbackRouter(Wrapper[LanguageModelInput, AIMessage]):
    """Ask named strategies in order; the first valid answer wins."""

    strategies: tuple[tuple[str, Any], ...] = ()
    """Names and strategies, best first."""
    answer_blocked_input: bool = False
    """Whether a strategy may answer an input that the guard turned away."""
    clock: Callable[[], float] = Field(default_factory=lambda: __import__("time").perf_counter)

    def route(
        self,
        request: FallbackRequest,
        validator: Gate[AIMessage] | None,
        config: RunnableConfig,
        *,
        call: Callable[[Runnable[Any, Any], Any, RunnableConfig], Call] = Call,
    ) -> Flow[FallbackAnswer | None]:
        """Ask the strategies in order, as a flow."""
        raise NotImplementedError

    def _flow(self, value: LanguageModelInput, config: RunnableConfig) -> Flow[AIMessage]:
        raise NotImplementedError

    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        raise NotImplementedError
