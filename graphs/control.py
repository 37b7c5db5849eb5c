"""A controlled model as a graph: an answer in JSON, or a person is asked.

Serves a scripted model, offline; set `CONTROL_MODEL` for a real one.
"""

from __future__ import annotations

from graphs.models import choose_model, clerk
from langchain_control import ControlPolicy, FallbackRouter, ResponseValidator, create_control_graph
from langchain_control.strategies import HumanAnswer

CONTRACT = {
    "title": "Reply",
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}

policy = ControlPolicy(
    validator=ResponseValidator(response_schema=CONTRACT),
    fallback=FallbackRouter(strategies=[("person", HumanAnswer())]),
)

graph = create_control_graph(choose_model(clerk), policy)  # the server brings its own checkpointer
