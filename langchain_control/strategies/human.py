"""An answer from a person, who is asked by pausing the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_control.strategies.replies import answer_as_json

if TYPE_CHECKING:
    from langchain_control.strategies import FallbackRequest

__all__ = ["HumanAnswer", "as_answer"]


class HumanAnswer:
    """Pause the graph with LangGraph's `interrupt`, and answer with what it is resumed with.

    For `create_control_graph` with a checkpointer, as a subgraph of a parent that has one, and for
    `ControlMiddleware`. Whoever runs the graph finds what is asked in `__interrupt__`, and resumes
    it with `Command(resume=answer)`: what any strategy may answer, or another JSON value for a
    contract that asks for JSON.

    `with_control` cannot pause, and skips it.

    The answer must meet the same contract as the model's. One that does not goes on to the next
    strategy; a second `HumanAnswer` asks once more.

    !!! example "A person answers where the model cannot"

        ```python
        policy = ControlPolicy(fallback=FallbackRouter(strategies=[("person", HumanAnswer())]))
        graph = create_control_graph(model, policy, checkpointer=InMemorySaver())
        graph.invoke({"messages": [("user", "Why?")]}, thread)
        graph.invoke(Command(resume="Because."), thread)
        ```
    """

    pauses = True
    """Tells an agent to ask in a step of its own, so that on resume no model call is repeated."""

    answers_at_once = True
    """Neither the pause nor the reply takes time: the graph's caller waits, not this."""

    def __init__(self, ask: str = "The model has no acceptable answer. What is yours?") -> None:
        """Set what the person is told."""
        self.ask = ask

    def __call__(self, question: str, request: FallbackRequest) -> Any:
        """Answer what the person answered, or pause until there is an answer."""
        from langgraph.types import interrupt  # noqa: PLC0415  (components work without langgraph)

        return as_answer(interrupt(self.asked(question, request)))

    def asked(self, question: str, request: FallbackRequest) -> dict[str, Any]:
        """Return what is handed to the person, as JSON."""
        return {
            "ask": self.ask,
            "question": question,
            "failure_mode": request.failure_mode.value,
            "attempts": len(request.attempts),
            "request_id": request.request_id,
        }

    def __repr__(self) -> str:
        """Show what the person is told."""
        return f"HumanAnswer({self.ask!r})"


def as_answer(reply: Any) -> Any:
    """Return what a person answered as a strategy may: a number, too, is JSON."""
    return answer_as_json(reply) if isinstance(reply, int | float) else reply
