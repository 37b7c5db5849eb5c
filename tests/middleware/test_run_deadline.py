"""`run_deadline_seconds`: one deadline for an agent's whole run, tools included."""

from __future__ import annotations

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_control import CircuitBreaker, FailureMode, FallbackRouter, RetryEngine
from langchain_control.middleware import ControlMiddleware, ToolPolicy, agent_result
from langchain_control.strategies import HumanAnswer
from langchain_control.testing import ManualClock
from tests.middleware.agents import THREAD, agent_of, ask, calling, policy, tool_call

HOUR = 3_600


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def wait(clock):
    @tool
    def wait(seconds: int) -> str:
        """Wait for so long."""
        clock.advance(seconds)
        return "done"

    return wait


def limited(clock, script, *, tools, **changes):
    return agent_of(
        script, policy(clock=clock, **changes), tools=tools, control={"run_deadline_seconds": 60}
    )


def test_no_model_call_begins_after_it(call, clock, wait):
    """What a slow tool has used up is gone."""
    agent, model = limited(clock, [calling(tool_call("wait", seconds=61))], tools=[wait])

    result = agent_result(call(agent, ask()))

    assert (result.status, result.failure_mode) == ("exhausted", FailureMode.DEADLINE_EXCEEDED)
    assert len(model.calls) == 1


def test_a_run_within_it_is_left_alone(call, clock, wait):
    """Time that is left is there to be used."""
    script = [calling(tool_call("wait", seconds=59)), "It is sunny."]
    agent, _ = limited(clock, script, tools=[wait])

    assert agent_result(call(agent, ask())).passed


def test_no_tool_is_called_after_it(call, clock, wait):
    """The model may have taken all the time there was."""

    def slowly(_):
        clock.advance(61)
        return calling(tool_call("wait", seconds=HOUR))

    agent, _ = limited(clock, slowly, tools=[wait])
    state = call(agent, ask())

    assert "time is up" in state["messages"][2].content
    assert clock() < HOUR


def test_a_fallback_answers_after_it(call, clock, wait):
    """A canned answer needs no time."""
    fallback = FallbackRouter(strategies=[("canned", lambda _: "Look out of the window.")])
    script = [calling(tool_call("wait", seconds=61))]
    agent, _ = limited(clock, script, tools=[wait], fallback=fallback)

    state = call(agent, ask())

    assert state["messages"][-1].content == "Look out of the window."


def test_a_tool_cut_short_by_it_is_not_to_blame(call):
    """The tool's circuit counts what the tool took, not what others had left for it."""
    breaker = CircuitBreaker(name="tools", failure_threshold=1)

    @tool
    def slow(city: str) -> str:
        """Take a while."""
        raise TimeoutError(city)

    control = {"run_deadline_seconds": 20, "tool_policy": ToolPolicy(breaker=breaker)}
    script = [calling(tool_call("slow", city="Oslo")), "Never mind."]
    agent, _ = agent_of(script, tools=[slow], control=control)
    call(agent, ask())

    assert breaker.state("slow") == "closed"


def test_a_person_may_take_longer(clock):
    """A run that waited for a reply begins its time anew."""
    rules = policy(
        clock=clock,
        retry=RetryEngine(max_attempts=1),
        fallback=FallbackRouter(strategies=[("person", HumanAnswer())]),
    )
    agent, _ = agent_of(
        [""], rules, control={"run_deadline_seconds": 60}, checkpointer=InMemorySaver()
    )
    agent.invoke(ask(), THREAD)
    clock.advance(HOUR)

    state = agent.invoke(Command(resume="Sunny, I would say."), THREAD)

    assert state["messages"][-1].content == "Sunny, I would say."


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_it_must_be_positive(seconds):
    """A limit that leaves no time is a mistake."""
    with pytest.raises(ValueError, match="run_deadline_seconds"):
        ControlMiddleware(run_deadline_seconds=seconds)
