"""What reaches a model can be sent."""

from __future__ import annotations

import json

import pytest
from langchain.agents import create_agent
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    messages_to_dict,
)
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_control import ControlMiddleware, ControlPolicy, create_control_graph, with_control
from langchain_control.middleware import agent_result
from langchain_control.testing import ScriptedChatModel
from tests.openai_provider import Provider

HALF = "hi \ud83d"

POLICIES = {"guard": ControlPolicy(), "no guard": ControlPolicy(guard=None)}


def calling(**changes):
    call = {"name": "f", "args": {}, "id": "1", **changes}
    return [
        HumanMessage("a"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("b", tool_call_id=call["id"]),
    ]


CONVERSATIONS = {
    "question": [HumanMessage(HALF)],
    "earlier question": [HumanMessage(HALF), AIMessage("a"), HumanMessage("b")],
    "earlier answer": [HumanMessage("a"), AIMessage(HALF), HumanMessage("b")],
    "system": [SystemMessage(HALF), HumanMessage("a")],
    "name": [HumanMessage("a", name=HALF)],
    "image": [HumanMessage([{"type": "image_url", "image_url": {"url": HALF}}])],
    "arguments": calling(args={"x": HALF}),
    "id of a call": calling(id=HALF),
}


def through_chain(model, policy):
    return with_control(model, policy).invoke


def through_graph(model, policy):
    graph = create_control_graph(model, policy)
    return lambda said: graph.invoke({"messages": said})["messages"][-1]


def through_agent(model, policy):
    agent = create_agent(model, [], middleware=[ControlMiddleware(policy)])
    return lambda said: agent.invoke({"messages": said})["messages"][-1]


@pytest.mark.parametrize("door", [through_chain, through_graph, through_agent])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("said", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_half_a_surrogate_pair_is_sent_as_a_replacement(door, policy, said):
    """A client may send it anywhere; a `UnicodeEncodeError` got out past the fallback."""
    provider = Provider("Sunny.")

    assert door(provider.model(), policy)(said).text == "Sunny."
    assert "hi \ufffd" in str(provider.requests[0]["messages"])


@tool
def note(text: str) -> str:
    """Take a note."""
    return "Noted."


def written(messages) -> bytes:
    """Write messages as a client does."""
    return json.dumps(messages_to_dict(messages), ensure_ascii=False).encode()


@pytest.mark.parametrize("place", ["content", "id"])
def test_an_agent_goes_on_behind_a_call_with_half_a_pair(place):
    """The call was in the history for good, and no request with it could be sent."""
    half = {"content": "", "id": "1", place: HALF}
    calls = [{"name": "note", "args": {"text": "x"}, "id": half["id"]}]
    model = ScriptedChatModel(
        script=lambda said: (
            "Done." if said[-1].type == "tool" else AIMessage(half["content"], tool_calls=calls)
        )
    )
    agent = create_agent(
        model, [note], middleware=[ControlMiddleware()], checkpointer=InMemorySaver()
    )
    thread = {"configurable": {"thread_id": "1"}}

    for question in ("Take a note.", "And now?"):
        ended = agent.invoke({"messages": [("user", question)]}, thread)
        assert agent_result(ended).status == "accepted"
    assert all(map(written, [*model.calls, ended["messages"]]))
