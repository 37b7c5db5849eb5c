"""A controlled model as a graph, for `langgraph dev` and Studio.

Without further ado it serves a scripted model, offline. Set `CONTROL_MODEL` to anything that
`init_chat_model` understands, such as `openai:gpt-4.1-mini`, for a real one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from langchain_control import ControlPolicy, ResponseValidator, create_control_graph
from langchain_control.testing import ScriptedChatModel

if TYPE_CHECKING:
    from langchain_control.graph import ControlGraph

CONTRACT = {
    "title": "Reply",
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}


def choose_model() -> Any:
    """Return the model that the environment names, or the scripted one."""
    if name := os.environ.get("CONTROL_MODEL"):
        from langchain.chat_models import init_chat_model  # noqa: PLC0415  (an extra)

        return init_chat_model(name, max_retries=0)
    return ScriptedChatModel(script=lambda _: '{"answer": "This is a scripted reply."}')


def make_graph() -> ControlGraph:
    """Compile the graph. No checkpointer: the server brings its own."""
    policy = ControlPolicy(validator=ResponseValidator(response_schema=CONTRACT))
    return create_control_graph(choose_model(), policy)


graph = make_graph()
