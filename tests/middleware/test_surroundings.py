"""Agents where they live: in streams, on threads, as subgraphs, behind servers."""

from __future__ import annotations

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_control import FallbackRouter, ResponseValidator
from langchain_control.middleware import ControlMiddleware, agent_result
from langchain_control.testing import ScriptedChatModel
from tests.middleware.agents import (
    THREAD,
    agent_of,
    ask,
    calling,
    policy,
    stream,
    tool_call,
    types,
)

RIGHT_CALL = calling(tool_call("weather", city="Oslo"))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_message_stream_shows_accepted_answers_only(asynchronous):
    """Tokens of rejected answers, of fallback models and corrections are not streamed."""
    second = ScriptedChatModel(script=["spoilt by second", "x"])
    rules = policy(
        validator=ResponseValidator(forbidden_phrases=["BAD", "spoilt"]),
        fallback=FallbackRouter(strategies=[("second", second), ("canned", "good at last")]),
    )
    agent, _ = agent_of(["BAD one", "BAD two", "BAD three"], rules)

    shown = stream(agent, ask(), "messages", asynchronous=asynchronous)

    assert [message.content for message, _ in shown] == ["good at last"]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("mode", ["updates", "custom", "values"])
def test_other_streams_show_accepted_answers_only(mode, asynchronous):
    """Updates, values and custom data hold nothing of rejected answers either."""
    rules = policy(validator=ResponseValidator(forbidden_phrases=["BAD"]))
    agent, _ = agent_of(["BAD one", "good"], rules)

    shown = stream(agent, ask(), mode, asynchronous=asynchronous)

    assert "BAD" not in str(shown)


@pytest.mark.filterwarnings("ignore:.*experimental.*", "ignore:.*beta.*")
def test_the_newer_event_stream_shows_accepted_answers_only():
    """LangGraph's `stream_events` heeds the tag, in its messages and in its raw events."""
    rules = policy(validator=ResponseValidator(forbidden_phrases=["BAD"]))
    agent, _ = agent_of(["BAD one", "good", "BAD one", "good"], rules)

    shown = ["".join(m.text) for m in agent.stream_events(ask(), version="v3").messages]
    events = list(agent.stream_events(ask(), version="v3"))

    assert shown == ["good"]
    assert "BAD" not in str(events)


def test_events_show_what_the_model_said():
    """`astream_events` of version 2 is a tracing door: it shows raw tokens, with the tag."""
    rules = policy(validator=ResponseValidator(forbidden_phrases=["BAD"]))
    agent, _ = agent_of(["BAD one", "good"], rules)

    async def collect():
        return [e async for e in agent.astream_events(ask(), version="v2")]

    tokens = [e for e in asyncio.run(collect()) if e["event"] == "on_chat_model_stream"]
    untagged = [e for e in tokens if "nostream" not in e["tags"]]

    assert any("BAD" in e["data"]["chunk"].text for e in tokens)
    assert untagged == []


def test_a_thread_goes_on_and_each_run_is_a_request_of_its_own(call):
    """With a checkpointer the second run has its own id and its own attempts."""
    agent, _ = agent_of(["", "One.", "Two."], checkpointer=InMemorySaver())

    first, second = (agent_result(call(agent, ask(), THREAD)) for _ in range(2))

    assert [len(first.attempts), len(second.attempts)] == [2, 1]
    assert first.request_id != second.request_id


def test_the_state_survives_a_strict_checkpointer(call, monkeypatch):
    """The run's record is JSON: nothing in it needs to be registered with the serializer."""
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    agent, _ = agent_of([RIGHT_CALL, "", "Sunny."], checkpointer=InMemorySaver())

    call(agent, ask(), THREAD)

    assert agent_result(agent.get_state(THREAD).values).status == "accepted"


def test_as_a_subgraph_the_agent_gives_its_messages_to_the_parent(call):
    """In a `MessagesState` parent the agent adds what an agent adds, and nothing else."""
    agent, _ = agent_of(["", RIGHT_CALL, "Sunny."])
    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_edge(START, "agent")
    parent = builder.compile(checkpointer=InMemorySaver())

    state = call(parent, ask(), THREAD)

    assert types(state) == ["human", "ai", "tool", "ai"]
    assert set(state) == {"messages"}


def test_the_agents_schemas_can_be_drawn_up():
    """The state's schemas have a JSON form, as servers and Studio want."""
    agent, _ = agent_of([])

    assert "control" in agent.get_output_jsonschema()["properties"]
    assert "control" not in agent.get_input_jsonschema().get("properties", {})


def test_plain_data_makes_the_policies():
    """What two doors took for a policy was an `AttributeError` at this one."""
    control = ControlMiddleware(
        {"retry": {"max_attempts": 5}},
        tool_policy={"timeout_seconds": 1},
        tool_policies={"crawl": {"timeout_seconds": 120}},
    )

    assert control.policy.retry.max_attempts == 5
    assert control.tool_policy.timeout_seconds == 1
    assert control.tool_policies["crawl"].timeout_seconds == 120
