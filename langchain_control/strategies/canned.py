"""An answer prepared beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage

from langchain_control.strategies.replies import answer_as_json

if TYPE_CHECKING:
    from langchain_control.strategies import FallbackRequest

__all__ = ["CannedAnswer"]


class CannedAnswer:
    """Give the same answer every time: the last strategy of a router that must not fail."""

    answers_at_once = True
    """Called in the caller's own thread, so it answers even when no worker thread is free."""

    def __init__(self, answer: Any) -> None:
        """Take the answer: text, or a JSON value, dataclass or pydantic object, to be JSON.

        Raises:
            TypeError: The answer is neither text nor a JSON value.
            ValueError: It holds a number that JSON does not know.
        """
        if not isinstance(answer, str):
            answer = answer_as_json(answer)
        self.text: str = answer

    def __call__(self, question: str, request: FallbackRequest) -> AIMessage:  # noqa: ARG002
        """Answer without looking at the question."""
        return AIMessage(self.text)

    def __repr__(self) -> str:
        """Show the answer, which is the developer's own text."""
        return f"CannedAnswer({self.text!r})"
