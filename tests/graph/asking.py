"""Questions for a graph, and a parent that it is a node of."""

from __future__ import annotations

from typing import Any

from langgraph.graph import START, MessagesState, StateGraph

__all__ = ["ask", "parent_of"]


def ask(text: str = "Which city?") -> dict[str, Any]:
    """Return the input of a graph that asks something."""
    return {"messages": [("user", text)]}


def parent_of(control: Any, checkpointer: Any = None) -> Any:
    """Return a graph of messages in which another is the only node."""
    builder = StateGraph(MessagesState)
    builder.add_node("answer", control)
    builder.add_edge(START, "answer")
    return builder.compile(checkpointer=checkpointer)
