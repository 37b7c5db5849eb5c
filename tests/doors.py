"""The three doors, asked the same question."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage

from langchain_control import (
    ControlMiddleware,
    ControlPolicy,
    ControlResult,
    create_control_graph,
    with_control,
)
from langchain_control.middleware import agent_result
from langchain_control.runs.results import result_of
from langchain_control.runs.state import state_of

__all__ = ["DOORS", "through_agent", "through_chain", "through_graph"]

QUESTION = "Which city?"


def through_chain(model: Any, policy: ControlPolicy) -> ControlResult:
    return with_control(model, policy, include_result=True).invoke(QUESTION)


def through_graph(model: Any, policy: ControlPolicy) -> ControlResult:
    return result_of(create_control_graph(model, policy).invoke(state_of(QUESTION)))


def through_agent(model: Any, policy: ControlPolicy) -> ControlResult:
    agent = create_agent(model, [], middleware=[ControlMiddleware(policy)])
    return agent_result(agent.invoke({"messages": [HumanMessage(QUESTION)]}))


DOORS = [through_chain, through_graph, through_agent]
