"""What was said and found before the question is searched, whatever its size and kind."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain_core.messages import (
    AIMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    ToolMessage,
)
from langgraph.checkpoint.memory import InMemorySaver

from langchain_control import (
    AuditLogger,
    ControlMiddleware,
    ControlPolicy,
    InputGuard,
    PromptBuilder,
    RetryEngine,
    TokenBudget,
    create_control_graph,
    with_control,
)
from langchain_control.runs.screening import WITHHELD
from langchain_control.testing import ScriptedChatModel
from tests import doors
from tests.scenarios import AT_ONCE, ATTACK

POLICY = ControlPolicy(prompt=PromptBuilder(budget=TokenBudget(total_tokens=200_000)))
THREAD = {"configurable": {"thread_id": "1"}}
LONG = "Thanks a lot. " * 200


def through_chain(model):
    return with_control(model, POLICY, include_result=True).invoke


def through_graph(model):
    graph = create_control_graph(model, POLICY)
    return lambda messages: graph.invoke({"messages": messages})


def through_agent(model):
    agent = create_agent(model, [], middleware=[ControlMiddleware(POLICY)])
    return lambda messages: agent.invoke({"messages": messages})


DOORS = [through_chain, through_graph, through_agent]


def sent_through(door, messages):
    """Return what reaches the model of a conversation."""
    model = ScriptedChatModel(script=lambda _: "ok")
    door(model)(messages)
    return model.calls[0]


@pytest.mark.parametrize("door", DOORS)
def test_an_attack_in_a_long_turn_does_not_come_back_as_history(door):
    """What is too long for a question is no less an attack as history."""
    said = [HumanMessage(ATTACK + LONG), AIMessage("Hm."), HumanMessage("Please go on.")]

    sent = sent_through(door, said)

    assert not any(ATTACK in message.text for message in sent)
    assert sent[-1].text == "Please go on."


@pytest.mark.parametrize(
    "make",
    [
        lambda model, saver: create_control_graph(model, POLICY, checkpointer=saver),
        lambda model, saver: create_agent(
            model, [], middleware=[ControlMiddleware(POLICY)], checkpointer=saver
        ),
    ],
    ids=["graph", "agent"],
)
def test_an_attack_that_was_rejected_as_too_long_reaches_no_later_prompt(make):
    """On a thread the next, harmless question brought it to the model word for word."""
    model = ScriptedChatModel(script=lambda _: "ok")
    thread = make(model, InMemorySaver())

    thread.invoke({"messages": [("user", ATTACK + LONG)]}, THREAD)
    assert not model.calls
    thread.invoke({"messages": [("user", "Please go on.")]}, THREAD)

    assert not any(ATTACK in message.text for message in model.calls[0])


@pytest.mark.parametrize("door", DOORS)
def test_a_harmless_turn_of_any_length_stays(door):
    """How long a history may be is the budget's business."""
    said = [HumanMessage(LONG), HumanMessage(" "), AIMessage("Hm."), HumanMessage("Go on.")]

    sent = sent_through(door, said)

    assert [message.text for message in sent] == [message.text for message in said]


CALLED = AIMessage("", additional_kwargs={"function_call": {"name": "f", "arguments": "{}"}})


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "said",
    [
        [ChatMessage(role="user", content=ATTACK), HumanMessage("Go on.")],
        [ChatMessage(role="customer", content=ATTACK), HumanMessage("Go on.")],
        [HumanMessage("Fetch it."), CALLED, FunctionMessage(name="f", content=ATTACK)],
        [HumanMessage("Fetch it."), CALLED, ChatMessage(role="tool", content=ATTACK)],
    ],
    ids=["user", "customer", "function", "tool"],
)
def test_every_kind_of_message_from_outside_is_screened(door, said):
    """An attack in a kind of message that few use is left out, or withheld, like any other."""
    assert not any(ATTACK in message.text for message in sent_through(door, said))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("role", ["user", "customer"])
def test_a_question_in_a_role_of_its_own_is_judged(door, role):
    """It costs no model call, as one in a `HumanMessage` does not."""
    model = ScriptedChatModel(script=lambda _: "ok")

    door(model)([ChatMessage(role=role, content=ATTACK)])

    assert not model.calls


def nested(levels):
    block = {"type": "text", "text": ATTACK}
    for _ in range(levels):
        block = {"type": "x", "content": [block]}
    return [block]


TOO_LARGE = {
    "blocks": [{"type": "text", "text": ATTACK}, *[{"type": "text", "text": "."}] * 5000],
    "depth": nested(20),
}
CALLED_TOOL = AIMessage("", tool_calls=[{"name": "fetch", "args": {}, "id": "1"}])


@pytest.mark.parametrize("content", TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_is_too_large_to_be_searched_reaches_no_model(content):
    """A result keeps its place, as its call needs one; an earlier turn is left out."""
    result = ToolMessage(content, tool_call_id="1")
    fetched = sent_through(through_chain, [HumanMessage("Fetch it."), CALLED_TOOL, result])
    assert [message.content for message in fetched] == ["Fetch it.", "", WITHHELD]

    said = [HumanMessage(content), AIMessage("Hm."), HumanMessage("Go on.")]
    assert [message.text for message in sent_through(through_chain, said)] == ["Hm.", "Go on."]


@pytest.mark.parametrize(
    ("given", "notes"),
    [
        ({"messages": [HumanMessage("Go."), CALLED_TOOL, ToolMessage(ATTACK, tool_call_id="1")]},
         ("tool_withheld",)),
        ({"input": "Which city?", "context": [ATTACK, ATTACK]}, ("context_withheld",)),
        ({"messages": [HumanMessage(ATTACK), AIMessage("No."), HumanMessage("Which city?")]},
         ("user_withheld",)),
        ("Which city?", ()),
    ],
    ids=["tool", "documents", "turn", "nothing"],
)  # fmt: skip
def test_the_result_says_that_something_was_withheld(call, given, notes):
    """Nobody but the trail was told, and every attempt went without it."""
    model = ScriptedChatModel(script=["", "Paris."])
    policy = ControlPolicy(retry=RetryEngine(**AT_ONCE))

    result = call(with_control(model, policy, include_result=True), given)

    assert result.notes == notes
    assert [tuple(attempt["notes"] or ()) for attempt in result.attempts] == [notes, notes]


@pytest.mark.parametrize("mode", ["observe", "fence", "sanitize"])
@pytest.mark.parametrize("door", doors.DOORS)
def test_an_attack_that_goes_on_is_flagged(door, mode, monkeypatch):
    """A trial run is read from the trail, which had no trace of what was found."""
    monkeypatch.setattr(doors, "QUESTION", f"Which city? {ATTACK}")
    audit = AuditLogger(None)
    policy = ControlPolicy(guard=InputGuard(mode=mode), audit=audit)

    result = door(ScriptedChatModel(script=["Oslo."]), policy)

    [told] = [r for r in audit.to_records() if r["event"] == "control.flagged"]
    assert result.status == "accepted"
    assert (told["request_id"], told["key"], told["status"]) == (result.request_id, "user", mode)
    assert (audit.summary().flagged, audit.summary().blocked) == (1, 0)


def test_a_document_and_an_old_turn_that_go_on_are_flagged_by_source():
    """The trail says whose text it was."""
    audit = AuditLogger(None)
    policy = ControlPolicy(guard=InputGuard(mode="observe"), audit=audit)
    turns = [("user", ATTACK), ("ai", "No."), ("user", "What is 2+2?")]

    with_control(ScriptedChatModel(script=["4"]), policy).invoke(
        {"messages": turns, "context": [ATTACK, "Fine."]}
    )

    flagged = [r["key"] for r in audit.to_records() if r["event"] == "control.flagged"]
    assert flagged == ["user", "context"]
