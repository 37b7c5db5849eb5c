"""Where a request lands that the model could not serve."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_control.outcomes import Attempt, FailureMode

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

__all__ = ["FallbackReply", "FallbackRequest", "FallbackStrategy"]

FallbackReply: TypeAlias = "str | AIMessage | None"
"""An answer. `None` and blank text pass the request on to the next strategy."""


@dataclass(frozen=True, slots=True)
class FallbackRequest:
    """What a fallback strategy has to answer, and why it was asked."""

    messages: tuple[BaseMessage, ...]
    """What the caller sent, without the prompt and the corrections that were built from it."""
    failure_mode: FailureMode = FailureMode.NONE
    """The last failure of the model."""
    attempts: tuple[Attempt, ...] = ()
    request_id: str = ""

    @property
    def question(self) -> str:
        """The text of the last human message."""
        asked = (m for m in reversed(self.messages) if isinstance(m, HumanMessage))
        message = next(asked, None)
        return "" if message is None else str(message.text)


class FallbackStrategy(Protocol):
    """Answers where the model could not.

    May be `def` or `async def`. A plain function of the question alone is a strategy, too, and so
    is any Runnable that takes messages. What it answers meets the same contract as the model's
    answers or does not count. What it raises is noted by name, and the next strategy is asked.
    """

    def __call__(
        self, question: str, request: FallbackRequest, /
    ) -> FallbackReply | Awaitable[FallbackReply]:
        """Answer the question, or return `None` to pass."""
