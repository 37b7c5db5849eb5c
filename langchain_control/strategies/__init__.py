"""Where a request lands that the model could not serve."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from pydantic import BaseModel

from langchain_control.outcomes import Attempt, FailureMode, FallbackTry
from langchain_control.strategies.canned import CannedAnswer
from langchain_control.strategies.human import HumanAnswer
from langchain_control.strategies.last_good import LastGoodAnswer
from langchain_control.strategies.other_model import other_model
from langchain_control.strategies.template import TemplateAnswer

__all__ = [
    "CannedAnswer",
    "FallbackReply",
    "FallbackRequest",
    "FallbackStrategy",
    "HumanAnswer",
    "LastGoodAnswer",
    "RemembersAnswers",
    "TemplateAnswer",
    "other_model",
]

FallbackReply: TypeAlias = str | AIMessage | Mapping[str, Any] | list[Any] | BaseModel | None
"""An answer: text, a message, or what becomes JSON, as a dataclass does, too. `None` and blank text
pass the request on to the next strategy."""


@dataclass(frozen=True, slots=True)
class FallbackRequest:
    """What a fallback strategy has to answer, and why it was asked."""

    messages: tuple[BaseMessage, ...]
    """What the caller sent, without what was built around it."""
    context: Any = ()
    """What the answer may depend on beside the messages: a run's documents as screened, an agent's
    system message, or whatever else a wrapped Runnable takes."""
    prompt: Any = None
    """What the model was given last: the built prompt with its system prompt and constraints, or
    the input of a wrapped Runnable. `None` if it was never asked."""
    failure_mode: FailureMode = FailureMode.NONE
    """The last failure of the model."""
    attempts: tuple[Attempt, ...] = ()
    tries: tuple[FallbackTry, ...] = ()
    """What became of the strategies that were asked before."""
    request_id: str = ""

    @property
    def question(self) -> str:
        """The text of the last human message."""
        asked = (m for m in reversed(self.messages) if isinstance(m, HumanMessage))
        return next((str(message.text) for message in asked), "")


@runtime_checkable
class FallbackStrategy(Protocol):
    """Answers where the model could not.

    May be `def` or `async def`. A function of the question alone is a strategy, too, and so is any
    Runnable: it gets what the model got, or the caller's messages if there was no prompt yet.

    What a strategy answers must meet the contract of the model's answers, or it does not count.
    What it raises is noted by name, and the next strategy is asked.
    """

    def __call__(
        self, question: str, request: FallbackRequest, /
    ) -> FallbackReply | Awaitable[FallbackReply]:
        """Answer the question, or return `None` to pass."""


@runtime_checkable
class RemembersAnswers(Protocol):
    """A strategy that learns from accepted answers."""

    def remember(self, request: FallbackRequest, answer: AIMessage) -> None:
        """Take note of an answer to a request. Called once per accepted answer, within its run."""
