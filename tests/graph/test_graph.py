"""The compiled graph: alone, with a checkpointer, in a parent, in a chain, and drawn."""

from __future__ import annotations

import asyncio
import json
import operator
import re
from pathlib import Path
from typing import Annotated, get_type_hints

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_control import (
    ControlPolicy,
    PromptBuilder,
    ResponseValidator,
    RetryEngine,
    create_control_graph,
)
from langchain_control.graph import ControlState, result_of
from langchain_control.testing import Reply, ScriptedChatModel
from tests.graph.asking import ask, parent_of
from tests.scenarios import AT_ONCE, ATTACK, CITY, GOOD

DRAWING = Path(__file__).parent / "drawing.mmd"


def strict_policy(**changes) -> ControlPolicy:
    fields = {
        "validator": ResponseValidator(response_schema=CITY),
        "retry": RetryEngine(**AT_ONCE),
        "prompt": PromptBuilder(system_prompt="You name cities."),
    }
    return ControlPolicy(**(fields | changes))


def test_the_graph_has_exactly_the_six_nodes():
    """The nodes are the steps of the state machine and nothing else."""
    nodes = set(create_control_graph(ScriptedChatModel(script=[])).get_graph().nodes)

    assert nodes - {"__start__", "__end__"} == {
        "guard",
        "build",
        "call",
        "validate",
        "retry_with_mutation",
        "fallback",
    }


def test_the_drawing_is_the_one_in_the_readme():
    """The drawing changes only when somebody changes the snapshot, and the README shows it."""
    drawing = create_control_graph(ScriptedChatModel(script=[])).get_graph().draw_mermaid()

    assert DRAWING.read_text() == drawing


@pytest.mark.parametrize("xray", [False, True])
def test_mermaid_can_draw_it(xray):
    """`call ` begins a callback in Mermaid: it drew an error in place of the README's picture."""
    drawing = create_control_graph(ScriptedChatModel(script=[])).get_graph(xray=xray).draw_mermaid()

    assert "call_(call)" in drawing
    assert re.search(r"(?<!\S)call\s", drawing) is None


async def test_its_picture_is_the_same_in_async_code():
    """There LangGraph asks another method for it."""
    graph = create_control_graph(ScriptedChatModel(script=[]))

    assert (await graph.aget_graph()).draw_mermaid() == graph.get_graph().draw_mermaid()


def test_it_draws_itself_in_a_notebook_without_a_network():
    """As the last line of a cell the graph shows its drawing as text that notebooks render."""
    bundle = create_control_graph(ScriptedChatModel(script=[]))._repr_mimebundle_()

    assert DRAWING.read_text() in bundle["text/markdown"]
    assert bundle["text/plain"].startswith("ControlGraph(guard → build")


def test_a_second_run_on_a_thread_never_sees_the_first():
    """A checkpointer keeps the conversation, not the last run's answer, attempts or failure."""
    model = ScriptedChatModel(script=["bad", GOOD, "bad", "bad", "bad"])
    graph = create_control_graph(model, strict_policy(), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    first = graph.invoke(ask(), thread)
    second = graph.invoke(ask("And now?"), thread)

    assert (first["status"], len(first["attempts"])) == ("accepted", 2)
    assert (second["status"], len(second["attempts"])) == ("exhausted", 3)
    assert second["request_id"] != first["request_id"]
    assert second["value"] is None
    assert [m.type for m in second["messages"]] == ["human", "ai", "human", "ai"]


def test_documents_of_one_run_do_not_reach_the_next():
    """Retrieved context belongs to the run it was given to."""
    model = ScriptedChatModel(script=[GOOD, GOOD])
    graph = create_control_graph(model, strict_policy(), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    graph.invoke({**ask(), "context": ["Paris is lovely."]}, thread)
    graph.invoke(ask("And now?"), thread)

    assert any("Paris is lovely." in m.text for m in model.calls[0])
    assert not any("Paris is lovely." in m.text for m in model.calls[1])


@pytest.mark.parametrize("checkpointer", [None, InMemorySaver()], ids=["none", "memory"])
def test_as_a_node_only_the_accepted_answer_reaches_the_parent(checkpointer):
    """In a `MessagesState` parent the graph adds one message: the accepted answer."""
    model = ScriptedChatModel(script=["bad", GOOD])
    parent = parent_of(create_control_graph(model, strict_policy()), checkpointer)
    config = {"configurable": {"thread_id": "1"}}

    messages = parent.invoke(ask(), config)["messages"]

    assert [m.content for m in messages] == ["Which city?", '{"city":"Paris"}']


def test_a_parent_keeps_its_own_documents():
    """A parent's `context` is read as documents and left as it is."""

    class Retrieval(MessagesState):
        context: list[str]

    model = ScriptedChatModel(script=[GOOD])
    builder = StateGraph(Retrieval)
    builder.add_node("answer", create_control_graph(model, strict_policy()))
    builder.add_edge(START, "answer")

    state = builder.compile().invoke({**ask(), "context": ["Paris is lovely."]})

    assert state["context"] == ["Paris is lovely."]
    assert any("Paris is lovely." in m.text for m in model.calls[0])


class Desk(MessagesState):
    """A parent that has words of its own for what a control graph gives and takes."""

    status: str
    attempts: Annotated[int, operator.add]
    context: dict[str, int]


DESK = {"status": "open", "attempts": 2, "context": {"customer": 7}}


def test_a_parent_may_use_the_graphs_words_for_something_else(call):
    """Its `status` was overwritten, its counted `attempts` and its own `context` were crashes."""
    control = create_control_graph(ScriptedChatModel(script=[GOOD]), outputs=["messages"])
    builder = StateGraph(Desk)
    builder.add_node("answer", control, input_schema=MessagesState)
    builder.add_edge(START, "answer")

    state = call(builder.compile(), ask() | DESK)

    assert {key: state[key] for key in DESK} == DESK
    assert [m.type for m in state["messages"]] == ["human", "ai"]


def test_a_context_that_is_no_documents_is_a_mistake_with_a_way_out(call):
    """The message named what was wrong, and nothing that could be done."""
    builder = StateGraph(Desk)
    builder.add_node("answer", create_control_graph(ScriptedChatModel(script=[GOOD])))
    builder.add_edge(START, "answer")

    with pytest.raises(TypeError, match=r"got `dict`.*`input_schema=MessagesState`"):
        call(builder.compile(), ask() | DESK)


@pytest.mark.parametrize("outputs", [["draft"], [], "messages"])
def test_what_a_graph_has_not_cannot_be_asked_of_it(outputs):
    """A misspelt key fails at construction, and names those that are there."""
    with pytest.raises(ValueError, match="`request_id`"):
        create_control_graph(ScriptedChatModel(script=[]), outputs=outputs)


def test_as_a_subgraph_on_a_reused_thread_each_run_starts_afresh():
    """A parent's thread carries the conversation; each run inside starts with no attempts."""
    model = ScriptedChatModel(script=["bad", GOOD, "bad", "bad", "bad", GOOD])
    parent = parent_of(create_control_graph(model, strict_policy()), InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    lengths = [len(parent.invoke(ask(f"{n}?"), thread)["messages"]) for n in range(3)]

    assert lengths == [2, 4, 6]


def chunks(graph, given, *, asynchronous, **settings):
    if not asynchronous:
        return list(graph.stream(given, **settings))

    async def collect():
        return [chunk async for chunk in graph.astream(given, **settings)]

    return asyncio.run(collect())


def streamed(graph, given, *, asynchronous):
    shown = chunks(graph, given, asynchronous=asynchronous, stream_mode="messages")
    return [message for message, _ in shown]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_a_message_stream_shows_nothing_but_the_accepted_answer(asynchronous, nested):
    """Neither the system prompt, nor tokens of rejected answers, nor corrections are streamed."""
    model = ScriptedChatModel(script=["bad words here", GOOD])
    graph = create_control_graph(model, strict_policy())
    graph = parent_of(graph) if nested else graph

    messages = streamed(graph, ask(), asynchronous=asynchronous)

    assert [m.content for m in messages if m.type != "human"] == ['{"city":"Paris"}']


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("mode", ["updates", "values", None])
def test_a_stream_shows_what_the_graph_gives(mode, nested, asynchronous):
    """Streams of the state held the system prompt and every rejected answer, for whoever reads."""
    model = ScriptedChatModel(script=["bad words here", GOOD])
    graph = create_control_graph(model, strict_policy())
    graph = parent_of(graph) if nested else graph
    shown = str(chunks(graph, ask(), asynchronous=asynchronous, stream_mode=mode, subgraphs=nested))

    assert "Paris" in shown
    assert not any(hidden in shown for hidden in ("bad words", "You name cities.", "correction"))


def test_a_stream_shows_what_it_is_asked_for():
    """A developer who wants to see the prompt says so."""
    graph = create_control_graph(ScriptedChatModel(script=[GOOD]), strict_policy())

    [built] = [
        update["build"]
        for update in graph.stream(ask(), stream_mode="updates", output_keys=["draft"])
        if "build" in update
    ]

    assert built["draft"]["prompt"][0].text == "You name cities."


def test_a_message_stream_of_a_fallback_shows_only_the_valid_one():
    """Rejected answers of fallback models are not streamed either."""
    spoiled = ScriptedChatModel(script=["spoiled words"])
    good = ScriptedChatModel(script=[GOOD])
    policy = strict_policy(
        retry=RetryEngine(max_attempts=1),
        fallback={"strategies": [("spoiled", spoiled), ("good", good)]},
    )
    graph = create_control_graph(ScriptedChatModel(script=["bad"]), policy)

    messages = streamed(graph, ask(), asynchronous=False)

    assert [m.content for m in messages if m.type != "human"] == ['{"city":"Paris"}']


@pytest.mark.parametrize("asynchronous", [False, True])
def test_ten_attempts_fit_inside_a_chain(asynchronous):
    """LangChain's default recursion limit of 25 does not cut the loop."""
    model = ScriptedChatModel(script=["bad"] * 9 + [GOOD])
    patient = {"schema_violation": {"max_repeats": None}}
    policy = strict_policy(retry=RetryEngine(max_attempts=10, policies=patient, **AT_ONCE))
    chain = RunnableLambda(ask) | create_control_graph(model, policy) | result_of

    result = asyncio.run(chain.ainvoke("Q?")) if asynchronous else chain.invoke("Q?")

    assert (result.status, len(result.attempts)) == ("accepted", 10)


def test_a_chain_with_the_graph_streams():
    """`.stream()` of a chain that ends in the graph yields its updates."""
    graph = create_control_graph(ScriptedChatModel(script=[GOOD]), strict_policy())

    updates = list((RunnableLambda(ask) | graph).stream("Q?"))

    assert [next(iter(u)) for u in updates] == ["guard", "build", "call", "validate"]


def test_plain_data_makes_a_policy():
    """Both doors take a policy as the plain data it is made of."""
    graph = create_control_graph(ScriptedChatModel(script=["x"]), {"validator": {"min_length": 1}})

    assert graph.invoke(ask())["status"] == "accepted"


def test_batch_keeps_runs_apart():
    """A batch gives each input its own outcome."""
    model = ScriptedChatModel(script=lambda messages: GOOD)
    graph = create_control_graph(model, strict_policy())

    states = graph.batch([ask(), ask(ATTACK), ask()])

    assert [s["status"] for s in states] == ["accepted", "rejected", "accepted"]


def test_a_blocked_attack_does_not_come_back_as_history():
    """An attack that was turned away stays out of the next prompt of the thread."""
    model = ScriptedChatModel(script=[GOOD])
    graph = create_control_graph(model, strict_policy(), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    rejected = graph.invoke(ask(ATTACK), thread)
    accepted = graph.invoke(ask(), thread)

    assert (rejected["status"], accepted["status"]) == ("rejected", "accepted")
    assert not any("previous instructions" in m.text for m in model.calls[0])


def test_state_survives_a_strict_checkpointer(monkeypatch):
    """State is JSON and messages: nothing in it needs to be registered with the serializer."""
    monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    model = ScriptedChatModel(script=["bad", GOOD])
    graph = create_control_graph(model, strict_policy(), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    graph.invoke(ask(), thread)
    values = graph.get_state(thread).values

    assert isinstance(values["draft"]["response"], AIMessage)
    assert result_of(values).value == {"city": "Paris"}


def test_a_state_that_was_stored_as_json_is_read():
    """A server gives messages as mappings: an accepted run had no message."""
    state = create_control_graph(ScriptedChatModel(script=[GOOD])).invoke(ask())

    stored = {**state, "messages": [message.model_dump() for message in state["messages"]]}

    assert result_of(stored).unwrap().text == GOOD


@pytest.mark.parametrize("step", ["build", "call", "validate"])
def test_a_draft_that_was_written_as_json_is_read(call, step):
    """Studio and the SDK edit states as JSON: the run could not go on."""
    reply = Reply("good", input_tokens=30, output_tokens=2)
    graph = create_control_graph(ScriptedChatModel(script=[reply]), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    graph.invoke(ask(), thread, interrupt_before=[step])
    draft = graph.get_state(thread).values["draft"]

    edited = json.loads(json.dumps(draft, default=lambda message: message.model_dump()))
    graph.update_state(thread, {"draft": edited})
    result = result_of(call(graph, None, thread))

    assert (result.status, result.message.text) == ("accepted", "good")
    assert result.usage["total_tokens"] == 32


def test_what_another_node_says_is_not_the_answer(call):
    """The last message of a parent was handed out as accepted, whoever wrote it."""
    builder = StateGraph(ControlState)
    builder.add_node("answer", create_control_graph(ScriptedChatModel(script=[GOOD])))
    builder.add_node("log", lambda _: {"messages": [AIMessage("Logged.")]})
    builder.add_edge(START, "answer")
    builder.add_edge("answer", "log")

    assert result_of(call(builder.compile(), ask())).unwrap().text == GOOD


def test_an_answer_without_an_id_is_found(call):
    """A function gives text."""
    assert (
        result_of(call(create_control_graph(lambda _: "Paris."), ask())).unwrap().text == "Paris."
    )


def test_a_question_that_waits_has_no_result_of_the_one_before():
    """A second question that paused before the first step read as accepted."""
    graph = create_control_graph(lambda _: GOOD, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    graph.invoke(ask(), thread)

    waiting = graph.invoke(ask("And now?"), thread, interrupt_before=["guard"])

    with pytest.raises(ValueError, match="not finished"):
        result_of(waiting)


class WithStatus(MessagesState):
    status: str


@pytest.mark.parametrize(
    ("parent", "missing"), [(MessagesState, "status"), (WithStatus, "attempts")]
)
def test_a_parent_that_declares_too_little_is_told_which_keys(call, parent, missing):
    """Its run has finished, and the error said that it had not; or it was a `KeyError`."""
    builder = StateGraph(parent)
    builder.add_node("answer", create_control_graph(ScriptedChatModel(script=[GOOD])))
    builder.add_edge(START, "answer")

    with pytest.raises(ValueError, match=f"no .*`{missing}`.*`ControlOutput`"):
        result_of(call(builder.compile(), ask()))


def test_result_of_an_unfinished_run_is_an_error():
    """Asking for the outcome of a run that has none says so."""
    with pytest.raises(ValueError, match="not finished"):
        result_of({"status": None})


class Retrieved(TypedDict):
    question: str
    context: list[str]
    answer: str


class RetrievedModel(BaseModel):
    question: str
    context: list[str] = []


def asking_without_messages(parent: type, exit_behavior: str, checkpointer=None):
    model = ScriptedChatModel(script=["An answer."])
    builder = StateGraph(parent)
    builder.add_node("generate", create_control_graph(model, exit_behavior=exit_behavior))
    builder.add_edge(START, "generate")
    return builder.compile(checkpointer=checkpointer)


@pytest.mark.parametrize("exit_behavior", ["end", "error"])
@pytest.mark.parametrize("parent", [Retrieved, RetrievedModel])
@pytest.mark.parametrize("checkpointer", [None, InMemorySaver()], ids=["none", "memory"])
def test_a_parent_without_messages_is_told_so(call, parent, exit_behavior, checkpointer):
    """Nothing was asked and nothing said: the run ended as one with an empty input."""
    graph = asking_without_messages(parent, exit_behavior, checkpointer)
    thread = {"configurable": {"thread_id": f"{parent.__name__} {exit_behavior}"}}

    with pytest.raises(TypeError, match="`messages`"):
        call(graph, {"question": "What?", "context": ["Doc."]}, thread)


@pytest.mark.parametrize("given", [{}, {"context": "Doc."}, {"question": "What?"}])
@pytest.mark.parametrize("checkpointer", [None, InMemorySaver()], ids=["none", "memory"])
def test_a_run_started_without_messages_is_a_mistake_of_the_program(call, given, checkpointer):
    """It is no empty input of a user's: the key is named, also where a thread has none yet."""
    graph = create_control_graph(ScriptedChatModel(script=[]), checkpointer=checkpointer)
    thread = {"configurable": {"thread_id": str(given)}}

    with pytest.raises(TypeError, match="`messages`"):
        call(graph, given, thread)


def test_a_thread_remembers_that_its_run_was_started_without_messages(call):
    """Gone on with, the run wrote that there is no answer, and the next one asked the model so."""
    model = ScriptedChatModel(script=["An answer."])
    graph = create_control_graph(model, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    for given in ({}, None, {}, {"context": "Doc."}):
        with pytest.raises(TypeError, match="`messages`"):
            call(graph, given, thread)
    state = call(graph, ask(), thread)

    assert [message.type for message in state["messages"]] == ["human", "ai"]
    assert len(model.calls) == 1


def test_that_there_was_no_answer_is_nothing_to_ask(call):
    """A thread that holds nothing else has no question: the model got the notice for one."""
    model = ScriptedChatModel(script=[])
    graph = create_control_graph(model, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    for _ in range(2):
        assert result_of(call(graph, {"messages": []}, thread)).reason == "the input is empty"
    with pytest.raises(TypeError, match="`messages`"):
        call(graph, {}, thread)


def test_a_graph_within_a_run_without_new_messages_has_an_input_of_its_own(call):
    """What the outer one was started with says nothing of it."""
    inner = create_control_graph(ScriptedChatModel(script=[]))
    reasons = []

    def answer(messages, config):
        reasons.append(result_of(inner.invoke({"messages": []}, config)).reason)
        return "An answer."

    graph = create_control_graph(RunnableLambda(answer), checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    call(graph, ask(), thread)
    call(graph, {"context": "Doc."}, thread)

    assert reasons == ["the input is empty"] * 2


def test_a_graph_asks_for_messages_and_documents_alone():
    """What it notes of its input is no part of it."""
    graph = create_control_graph(ScriptedChatModel(script=[]))

    schema = graph.get_input_jsonschema()
    assert (schema["title"], list(schema["properties"])) == (
        "ControlInput",
        ["messages", "context"],
    )
    assert list(get_type_hints(graph.InputType)) == ["messages", "context"]


def test_settings_of_the_caller_may_be_none(call):
    """A config is the caller's: LangChain takes `None` for any of its parts."""
    graph = create_control_graph(ScriptedChatModel(script=["An answer."]))

    assert result_of(call(graph, ask(), {"configurable": None})).unwrap().text == "An answer."


def test_an_empty_list_of_messages_is_an_empty_input(call):
    """It came from a user, and is a failure like any other."""
    graph = create_control_graph(ScriptedChatModel(script=[]))

    assert result_of(call(graph, {"messages": []})).reason == "the input is empty"


def test_a_thread_that_has_messages_needs_no_new_ones(call):
    """Documents alone ask the thread's question again."""
    model = ScriptedChatModel(script=["First.", "Second."])
    graph = create_control_graph(model, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}
    call(graph, ask(), thread)

    assert result_of(call(graph, {"context": "Doc."}, thread)).unwrap().text == "Second."
