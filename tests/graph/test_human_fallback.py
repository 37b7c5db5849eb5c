"""A person as fallback: the graph pauses, and goes on where it stopped."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel

from langchain_control import (
    AuditLogger,
    ControlPolicy,
    FallbackRouter,
    ResponseValidator,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.sinks import MemorySink
from langchain_control.strategies import HumanAnswer
from langchain_control.testing import ManualClock, ScriptedChatModel
from tests.graph.asking import parent_of
from tests.scenarios import AT_ONCE, CITY, GOOD

THREAD = {"configurable": {"thread_id": "1"}}
QUESTION = {"messages": [("user", "Which city?")]}


def policy(*strategies, sink=None) -> ControlPolicy:
    return ControlPolicy(
        validator=ResponseValidator(response_schema=CITY),
        retry=RetryEngine(max_attempts=2, **AT_ONCE),
        fallback=FallbackRouter(strategies=strategies),
        audit=sink and AuditLogger(None, sinks=[sink]),
    )


@pytest.fixture(params=["sync", "async"])
def invoke(request):
    """Invoke a graph, once synchronously and once asynchronously."""
    if request.param == "sync":
        return lambda graph, given: graph.invoke(given, THREAD)
    return lambda graph, given: asyncio.run(graph.ainvoke(given, THREAD))


def test_the_graph_pauses_and_says_what_it_wants_to_know(invoke):
    """The interrupt carries the question and why it is asked, as JSON."""
    model = ScriptedChatModel(script=["no", "no"])
    graph = create_control_graph(
        model, policy(("person", HumanAnswer())), checkpointer=InMemorySaver()
    )

    [pause] = invoke(graph, QUESTION)["__interrupt__"]

    assert pause.value["question"] == "Which city?"
    assert pause.value["failure_mode"] == "schema_violation"
    assert pause.value["attempts"] == 2


def test_a_stream_shows_the_pause_and_the_answer():
    """Streams leave prompts and rejected answers out, but never what a person has to be asked."""
    model = ScriptedChatModel(script=["no", "no"])
    graph = create_control_graph(
        model, policy(("person", HumanAnswer())), checkpointer=InMemorySaver()
    )

    *_, paused = graph.stream(QUESTION, THREAD, stream_mode="updates")
    *_, resumed = graph.stream(Command(resume=GOOD), THREAD, stream_mode="values")

    assert paused["__interrupt__"][0].value["question"] == "Which city?"
    assert resumed["messages"][-1].content == '{"city":"Paris"}'
    assert graph.get_state(THREAD).values["draft"]["response"].text == "no"


class City(BaseModel):
    """What is asked for."""

    city: str


REPLIES = {
    "text": GOOD,
    "json": {"city": "Paris"},
    "message": AIMessage(GOOD),
    "object": City(city="Paris"),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_the_persons_answer_ends_the_run_without_another_model_call(invoke, reply):
    """On resume the answer is accepted, marked as a fallback's, and no model is called again."""
    model = ScriptedChatModel(script=["no", "no"])
    graph = create_control_graph(
        model, policy(("person", HumanAnswer())), checkpointer=InMemorySaver()
    )

    invoke(graph, QUESTION)
    state = invoke(graph, Command(resume=reply))

    assert (state["status"], state["strategy"]) == ("fallback", "fallback:person")
    assert state["messages"][-1].content == '{"city":"Paris"}'
    assert state["messages"][-1].response_metadata["control_fallback"] == "person"
    assert len(model.calls) == 2


def test_what_was_asked_before_the_person_is_not_asked_again(invoke):
    """A model that failed as fallback before the person is not called a second time on resume."""
    model, small = ScriptedChatModel(script=["no", "no"]), ScriptedChatModel(script=["neither"])
    graph = create_control_graph(
        model,
        policy(("small", small), ("person", HumanAnswer())),
        checkpointer=InMemorySaver(),
    )

    invoke(graph, QUESTION)
    state = invoke(graph, Command(resume=GOOD))

    assert state["strategy"] == "fallback:person"
    assert (len(model.calls), len(small.calls)) == (2, 1)


def test_the_trail_tells_everything_once(invoke):
    """Neither pausing nor resuming repeats a record."""
    sink = MemorySink()
    small = ScriptedChatModel(script=["neither"])
    graph = create_control_graph(
        ScriptedChatModel(script=["no", "no"]),
        policy(("small", small), ("person", HumanAnswer()), sink=sink),
        checkpointer=InMemorySaver(),
    )

    invoke(graph, QUESTION)
    invoke(graph, Command(resume=GOOD))

    assert [r["event"].removeprefix("control.") for r in sink.records] == [
        "attempt",
        "retry_scheduled",
        "attempt",
        "fallback",
        "fallback",
        "finished",
    ]
    assert len({r["request_id"] for r in sink.records}) == 1


def test_an_answer_that_breaks_the_contract_does_not_count(invoke):
    """A person's answer is judged like any other; the next strategy is asked, once."""
    graph = create_control_graph(
        ScriptedChatModel(script=["no", "no"]),
        policy(("person", HumanAnswer()), ("canned", GOOD)),
        checkpointer=InMemorySaver(),
    )

    invoke(graph, QUESTION)
    state = invoke(graph, Command(resume="no idea"))

    assert state["strategy"] == "fallback:canned"


def test_what_is_no_answer_does_not_count(invoke):
    """A person's answer is what any strategy's is: anything else is told by its type, and left."""
    graph = create_control_graph(
        ScriptedChatModel(script=["no", "no"]),
        policy(("person", HumanAnswer()), ("canned", GOOD)),
        checkpointer=InMemorySaver(),
    )

    invoke(graph, QUESTION)
    state = invoke(graph, Command(resume={"due": date(2026, 1, 1)}))

    [of_person, _] = state["fallbacks"]
    assert state["strategy"] == "fallback:canned"
    assert of_person["message"].endswith("got `dict`")


def test_a_number_is_json(invoke):
    """A contract may ask for no more than one."""
    rules = ControlPolicy(
        validator=ResponseValidator(response_schema={"type": "integer"}),
        retry={"max_attempts": 1},
        fallback=FallbackRouter(strategies=[("person", HumanAnswer())]),
    )
    graph = create_control_graph(
        ScriptedChatModel(script=["no"]), rules, checkpointer=InMemorySaver()
    )

    invoke(graph, QUESTION)

    assert invoke(graph, Command(resume=7))["value"] == 7


LATER = {
    "one before": [("canned", GOOD), ("person", HumanAnswer())],
    "another one": [("canned", GOOD)],
    "none": [],
    "one of that name": [("person", GOOD)],
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
def test_a_reply_is_that_of_whoever_asked_also_under_another_policy(invoke, later):
    """A deploy between question and reply gave the reply to another strategy, or to none."""
    saver, model = InMemorySaver(), ScriptedChatModel(script=["no", "no"])
    before = policy(("person", HumanAnswer()))
    invoke(create_control_graph(model, before, checkpointer=saver), QUESTION)

    graph = create_control_graph(model, policy(*later), checkpointer=saver)
    state = invoke(graph, Command(resume='{"city": "Oslo"}'))

    assert (state["strategy"], state["value"]) == ("fallback:person", {"city": "Oslo"})
    assert [tried["name"] for tried in state["fallbacks"]] == ["person"]


def test_a_person_can_be_asked_twice(invoke):
    """A second `HumanAnswer` pauses the graph again."""
    graph = create_control_graph(
        ScriptedChatModel(script=["no", "no"]),
        policy(("person", HumanAnswer()), ("person again", HumanAnswer("Please: JSON."))),
        checkpointer=InMemorySaver(),
    )

    invoke(graph, QUESTION)
    [second] = invoke(graph, Command(resume="no idea"))["__interrupt__"]
    state = invoke(graph, Command(resume=GOOD))

    assert second.value["ask"] == "Please: JSON."
    assert state["strategy"] == "fallback:person again"


def test_whoever_comes_after_a_person_has_time_again(invoke):
    """People take longer than a request may; the deadline begins anew with their answer."""
    clock = ManualClock()
    rules = policy(("person", HumanAnswer()), ("next", lambda _: "not JSON")).override(
        deadline_seconds=10, clock=clock
    )
    model = ScriptedChatModel(script=["no", "no"])
    graph = create_control_graph(model, rules, checkpointer=InMemorySaver())

    invoke(graph, QUESTION)
    clock.advance(3600)
    invoke(graph, Command(resume="no idea"))

    assert graph.get_state(THREAD).values["deadline"] == 3610


def test_inside_a_parent_no_other_node_runs_again(invoke):
    """As a subgraph the pause goes through the parent's checkpointer; nodes before it stay done."""
    runs = []
    model = ScriptedChatModel(script=["no", "no"])
    builder = StateGraph(MessagesState)
    builder.add_node("count", lambda _: runs.append(1))
    builder.add_node("answer", create_control_graph(model, policy(("person", HumanAnswer()))))
    builder.add_edge(START, "count")
    builder.add_edge("count", "answer")
    parent = builder.compile(checkpointer=InMemorySaver())

    invoke(parent, QUESTION)
    state = invoke(parent, Command(resume=GOOD))

    assert state["messages"][-1].content == '{"city":"Paris"}'
    assert (len(runs), len(model.calls)) == (1, 2)


def test_outside_of_a_graph_nobody_is_asked(call):
    """In a chain there is nothing to pause: the strategy is skipped, and the next one answers."""
    rules = policy(("person", HumanAnswer()), ("canned", GOOD))
    controlled = with_control(ScriptedChatModel(script=["no", "no"]), rules, include_result=True)

    result = call(controlled, "Which city?")

    assert result.strategy == "fallback:canned"
    assert [tried["outcome"] for tried in result.fallbacks] == ["passed", "answered"]


def test_a_chain_within_a_node_does_not_pause_its_graph(call):
    """On resume the node began again: the model was asked once more, and the reply dropped."""
    sink = MemorySink()
    rules = policy(("person", HumanAnswer()), ("canned", GOOD), sink=sink)
    model = ScriptedChatModel(script=["no", "no"])
    controlled = with_control(model, rules)
    node = RunnableLambda(lambda state: {"messages": [controlled.invoke(state["messages"])]})
    graph = parent_of(node, InMemorySaver())

    state = call(graph, QUESTION, THREAD)

    assert state["messages"][-1].response_metadata["control_fallback"] == "canned"
    assert [r["event"] for r in sink.records].count("control.finished") == 1
