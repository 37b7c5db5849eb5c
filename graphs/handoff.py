"""Three agents, and a check on what each passes to the next.

Serves scripted models, offline; set `CONTROL_MODEL` for a real one.
"""

from __future__ import annotations

from langchain.agents import create_agent
from langgraph.graph import END, START, MessagesState, StateGraph

from graphs.models import choose_model, publisher, researcher, writer
from langchain_control import ControlPolicy, ResponseValidator
from langchain_control.handoff import control_handoff

FINDINGS = {
    "title": "Findings",
    "type": "object",
    "properties": {"facts": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
    "required": ["facts"],
}

policy = ControlPolicy()
findings = control_handoff(FINDINGS, sender="researcher", receiver="writer", policy=policy)
report = control_handoff(
    ResponseValidator(forbidden_phrases=["TODO"]),
    sender="writer",
    receiver="publisher",
    policy=policy,
)

builder = StateGraph(MessagesState)
builder.add_node("researcher", create_agent(choose_model(researcher)))
builder.add_node("check_findings", findings, destinations=findings.destinations)
builder.add_node("writer", create_agent(choose_model(writer)))
builder.add_node("check_report", report, destinations=report.destinations)
builder.add_node("publisher", create_agent(choose_model(publisher)))
builder.add_edge(START, "researcher")
builder.add_edge("researcher", "check_findings")
builder.add_edge("writer", "check_report")
builder.add_edge("publisher", END)

graph = builder.compile()
