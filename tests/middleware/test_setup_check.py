"""An agent that is not set up as its author means it says so, once."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import wrap_model_call

from langchain_control import with_control
from langchain_control.middleware import ControlMiddleware
from langchain_control.testing import ScriptedChatModel
from tests.middleware.agents import agent_of, ask, weather

RULES = {"timeout_seconds": 3}


def test_control_inside_control_is_told_once(call):
    """Nine calls came of it, and no word."""
    model = with_control(ScriptedChatModel(script=["Sunny."] * 2))
    agent = create_agent(model, [weather], middleware=[ControlMiddleware()])

    with pytest.warns(UserWarning, match="`ControlledModel` already retries.* 3 calls"):
        call(agent, ask())
    assert call(agent, ask())["messages"][-1].text == "Sunny."


def test_another_model_that_retries_is_told_at_once():
    """It is known before the agent runs."""
    other = with_control(ScriptedChatModel(script=[]))

    with pytest.warns(UserWarning, match="already retries"):
        ControlMiddleware({"retry": {"other_model": other}})


def test_rules_for_a_tool_that_is_not_there_are_told_once(call):
    """A name with a slip in it left the tool to the rules for all, without a word."""
    control = {"tool_policies": {"waether": RULES, "weather": RULES}}
    agent, _ = agent_of(["Sunny."] * 2, control=control)

    with pytest.warns(UserWarning, match="names `waether`, but .* `broken`, `poisoned`, `weather`"):
        call(agent, ask())
    assert call(agent, ask())["messages"][-1].text == "Sunny."


def test_rules_for_a_tool_that_comes_later_are_fine(call):
    """Middleware may add a tool. A warning would be an error here."""

    @wrap_model_call
    def adds_a_tool(request, handler):
        return handler(request.override(tools=[*request.tools, weather]))

    agent, _ = agent_of(
        ["Sunny."], tools=[], control={"tool_policies": {"weather": RULES}}, before=[adds_a_tool]
    )

    assert agent.invoke(ask())["messages"][-1].text == "Sunny."
