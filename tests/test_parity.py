"""Every scenario ends the same through every door, sync and async."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from langchain.agents import create_agent

from langchain_control import AuditLogger, _effects, create_control_graph, with_control
from langchain_control.middleware import ControlMiddleware, agent_result
from langchain_control.runs.results import result_of
from langchain_control.runs.state import state_of
from langchain_control.sinks import MemorySink
from tests.scenarios import CLOCK, SCENARIOS, Scenario

VOLATILE = ("id", "time", "request_id", "latency_ms")


def through_chain(scenario: Scenario, model, policy):
    return with_control(model, policy, include_result=True).invoke(scenario.given)


def through_chain_async(scenario: Scenario, model, policy):
    runnable = with_control(model, policy, include_result=True)
    return asyncio.run(runnable.ainvoke(scenario.given))


def through_graph(scenario: Scenario, model, policy):
    return result_of(create_control_graph(model, policy).invoke(state_of(scenario.given)))


def through_graph_async(scenario: Scenario, model, policy):
    graph = create_control_graph(model, policy)
    return result_of(asyncio.run(graph.ainvoke(state_of(scenario.given))))


@pytest.fixture(autouse=True)
def waits_take_no_time(monkeypatch):
    """Whoever waits moves the scenarios' clock instead."""

    async def moved(seconds):
        CLOCK.advance(seconds)

    monkeypatch.setattr(_effects, "time", SimpleNamespace(sleep=CLOCK.advance))
    loop = SimpleNamespace(sleep=moved, ensure_future=asyncio.ensure_future)
    monkeypatch.setattr(_effects, "asyncio", loop)


DOORS = [through_chain, through_chain_async, through_graph, through_graph_async]


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_a_scenario_ends_as_expected(scenario, door):
    """Status, failure mode and number of model calls are what the scenario says."""
    model = scenario.model()

    result = door(scenario, model, scenario.control())

    assert (scenario.status, scenario.mode) == (result.status, result.failure_mode.value)
    assert len(model.calls) == scenario.calls


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_doors_tell_the_same_story(scenario):
    """All doors give the same result and the same audit events of one request."""
    stories = []
    for door in DOORS:
        sink = MemorySink()
        policy = scenario.control(audit=AuditLogger(None, sinks=[sink]))
        result = door(scenario, scenario.model(), policy)
        assert {r["request_id"] for r in sink.records} == {result.request_id}
        events = [{k: v for k, v in r.items() if k not in VOLATILE} for r in sink.records]
        attempts = [{k: v for k, v in a.items() if k not in VOLATILE} for a in result.attempts]
        fallbacks = [{k: v for k, v in f.items() if k not in VOLATILE} for f in result.fallbacks]
        content = result.message.content if result.message else None
        end = (result.status, result.strategy, result.model, content, result.value, result.usage)
        stories.append((end, attempts, fallbacks, events))

    assert all(story == stories[0] for story in stories[1:])
    assert stories[0][-1], "a run that leaves no trace proves nothing"


ASKED_OF_AGENTS = [s for s in SCENARIOS if isinstance(s.given, str)]
"""An agent takes messages, and no documents beside them."""


@pytest.mark.parametrize("scenario", ASKED_OF_AGENTS, ids=lambda s: s.name)
def test_an_agent_ends_a_scenario_as_expected(scenario, call):
    """Status, failure mode and number of model calls are those of the other doors."""
    model = scenario.model()
    agent = create_agent(model, middleware=[ControlMiddleware(scenario.control())])

    result = agent_result(call(agent, {"messages": [("user", scenario.given)]}))

    assert (scenario.status, scenario.mode) == (result.status, result.failure_mode.value)
    assert len(model.calls) == scenario.calls
