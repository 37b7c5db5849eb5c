"""An agent under control: two tools, and a person where the model is at a loss.

Serves a scripted model, offline; set `CONTROL_MODEL` for a real one.
"""

from __future__ import annotations

from langchain.agents import create_agent

from graphs.models import choose_model, planner
from langchain_control import ControlMiddleware, ControlPolicy, FallbackRouter
from langchain_control.demo.office_tools import convert_length, days_between
from langchain_control.strategies import HumanAnswer

policy = ControlPolicy(fallback=FallbackRouter(strategies=[("person", HumanAnswer())]))

graph = create_agent(
    choose_model(planner),
    [days_between, convert_length],
    system_prompt="You plan. Use the tools to calculate.",
    middleware=[ControlMiddleware(policy)],
)
