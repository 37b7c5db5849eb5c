"""A run of the graph without an answer: its closing message, or an exception."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command

from langchain_control import (
    AuditLogger,
    ControlPolicy,
    ControlResult,
    FallbackRouter,
    RateLimiter,
    ResponseValidator,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.errors import AnswersRejected, AttemptsExhausted, InputRejected
from langchain_control.graph import result_of
from langchain_control.handoff import control_handoff
from langchain_control.sinks import MemorySink
from langchain_control.strategies import HumanAnswer
from langchain_control.testing import ScriptedChatModel
from tests.graph.asking import ask, parent_of
from tests.middleware.test_cut_off import Counting
from tests.scenarios import AT_ONCE, ATTACK, CITY, GOOD, Scenario

THREAD = {"configurable": {"thread_id": "1"}}
OUTAGE = [TimeoutError()] * 3
UNANSWERED = [
    Scenario("an outage", OUTAGE, "exhausted", "timeout", calls=3),
    Scenario("never right", ["no"] * 3, "exhausted", "schema_violation", calls=3),
    Scenario("an attack", [], "rejected", "prompt_injection", calls=0, given=ATTACK),
    Scenario("nothing", [], "rejected", "constraint_violation", calls=0, given="  "),
]
RAISED = {
    "timeout": AttemptsExhausted,
    "schema_violation": AnswersRejected,
    "prompt_injection": InputRejected,
    "constraint_violation": InputRejected,
}


def rules(**changes) -> ControlPolicy:
    fields = {
        "validator": ResponseValidator(response_schema=CITY),
        "retry": RetryEngine(**AT_ONCE),
    }
    return ControlPolicy(**(fields | changes))


@pytest.mark.parametrize("saver", [None, InMemorySaver], ids=["none", "memory"])
@pytest.mark.parametrize("scenario", UNANSWERED, ids=lambda scenario: scenario.mode)
def test_a_parent_is_told_that_there_is_no_answer(call, scenario, saver):
    """The user's own question was the last message, which a parent takes for the answer."""
    control = create_control_graph(scenario.model(), rules())
    parent = parent_of(control, saver and saver())

    messages = call(parent, ask(scenario.given), THREAD)["messages"]

    assert [m.type for m in messages] == ["human", "ai"]
    assert messages[-1].text == f"There is no answer: {scenario.mode}."
    assert messages[-1].response_metadata == {
        "control_status": scenario.status,
        "control_failure_mode": scenario.mode,
    }


def test_the_state_has_the_failure_and_no_answer(call):
    """The closing message is for readers of `messages`; it is nobody's answer."""
    state = call(create_control_graph(ScriptedChatModel(script=["no"] * 3), rules()), ask())

    result = result_of(state)
    assert state["messages"][-1].response_metadata["control_status"] == "exhausted"
    assert (state["status"], state["failure"]["mode"]) == ("exhausted", "schema_violation")
    assert (result.message, result.value, result.passed) == (None, None, False)


def test_in_a_chain_a_failure_has_no_message(call):
    """The closing message of a run belongs to a conversation; `with_control` has none."""
    control = with_control(ScriptedChatModel(script=["no"] * 3), rules(), include_result=True)

    result: ControlResult = call(control, "Which city?")

    assert (result.status, result.message) == ("exhausted", None)
    with pytest.raises(AnswersRejected):
        result.unwrap()


def test_a_rejected_answer_of_a_person_ends_with_a_message(call):
    """What a person said in vain ended as the question did."""
    policy = rules(fallback=FallbackRouter(strategies=[("person", HumanAnswer())]))
    control = create_control_graph(ScriptedChatModel(script=["no"] * 3), policy)
    parent = parent_of(control, InMemorySaver())

    call(parent, ask(), THREAD)
    messages = call(parent, Command(resume="not json"), THREAD)["messages"]

    assert [m.text for m in messages] == ["Which city?", "There is no answer: schema_violation."]


def test_a_message_stream_shows_the_closing_message():
    """Whoever shows a conversation as it comes shows that there is no answer."""
    graph = create_control_graph(ScriptedChatModel(script=["no"] * 3), rules())

    shown = [m.text for m, _ in graph.stream(ask(), stream_mode="messages") if m.type == "ai"]

    assert shown == ["There is no answer: schema_violation."]


def test_a_question_without_an_answer_stays_in_the_conversation(call):
    """On the next turn the model sees that there was none; the turn has an end of its own."""
    model = ScriptedChatModel(script=["no", "no", "no", GOOD])
    graph = create_control_graph(model, rules(), checkpointer=InMemorySaver())

    call(graph, ask(), THREAD)
    state = call(graph, ask("And now?"), THREAD)

    assert (state["status"], result_of(state).message.text) == ("accepted", '{"city":"Paris"}')
    assert [m.type for m in state["messages"]] == ["human", "ai", "human", "ai"]
    assert [m.type for m in model.calls[-1]] == ["human", "ai", "human"]


def test_an_attack_takes_its_closing_message_along(call):
    """Left out of the next prompt, it left an answer without a question behind."""
    model = ScriptedChatModel(script=[GOOD])
    graph = create_control_graph(model, rules(), checkpointer=InMemorySaver())

    call(graph, ask(ATTACK), THREAD)
    state = call(graph, ask(), THREAD)

    assert state["status"] == "accepted"
    assert [m.text for m in model.calls[0]] == ["Which city?"]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("scenario", UNANSWERED, ids=lambda scenario: scenario.mode)
def test_a_run_without_an_answer_can_raise(call, scenario, nested):
    """With `exit_behavior="error"` the error carries the result, and the trail has its end."""
    sink = MemorySink()
    policy = rules(audit=AuditLogger(None, sinks=[sink]))
    graph = create_control_graph(scenario.model(), policy, exit_behavior="error")

    with pytest.raises(RAISED[scenario.mode]) as caught:
        call(parent_of(graph) if nested else graph, ask(scenario.given))

    result = caught.value.result
    ends = [r for r in sink.records if r["event"] in ("control.finished", "control.cut_off")]
    assert (len(result.attempts), result.message) == (scenario.calls, None)
    assert [(r["event"], r["request_id"]) for r in ends] == [
        ("control.finished", result.request_id)
    ]


def test_a_person_who_answers_wrongly_raises_too(call):
    """The pause itself is no failure; the answer that breaks the contract is."""
    policy = rules(fallback=FallbackRouter(strategies=[("person", HumanAnswer())]))
    model = ScriptedChatModel(script=["no"] * 3)
    control = create_control_graph(model, policy, exit_behavior="error")
    parent = parent_of(control, InMemorySaver())

    assert "__interrupt__" in call(parent, ask(), THREAD)
    with pytest.raises(AnswersRejected):
        call(parent, Command(resume="not json"), THREAD)


@pytest.mark.parametrize("fallback", ["canned", None])
def test_an_answer_raises_nothing(call, fallback):
    """With `exit_behavior="error"` an accepted answer and a fallback's end as ever."""
    strategies = [(fallback, GOOD)] if fallback else []
    policy = rules(fallback=FallbackRouter(strategies=strategies))
    model = ScriptedChatModel(script=["no"] * 3 if fallback else [GOOD])
    graph = create_control_graph(model, policy, exit_behavior="error")

    assert call(graph, ask())["messages"][-1].text == '{"city":"Paris"}'


def test_a_thread_goes_on_after_an_error(call):
    """The next question on the thread is a run of its own."""
    model = ScriptedChatModel(script=["no", "no", "no", GOOD])
    graph = create_control_graph(
        model, rules(), checkpointer=InMemorySaver(), exit_behavior="error"
    )

    with pytest.raises(AnswersRejected):
        call(graph, ask(), THREAD)
    state = call(graph, ask("And now?"), THREAD)

    assert (state["status"], len(state["attempts"])) == ("accepted", 1)


@pytest.mark.parametrize("nested", [False, True])
def test_a_run_that_raised_ends_once_in_the_trail(call, nested):
    """Each `invoke(None, ...)` told another end of the same request."""
    sink = MemorySink()
    policy = rules(audit=AuditLogger(None, sinks=[sink]))
    saver = InMemorySaver()
    model = ScriptedChatModel(script=OUTAGE)
    graph = create_control_graph(
        model, policy, exit_behavior="error", checkpointer=None if nested else saver
    )
    graph = parent_of(graph, saver) if nested else graph

    for given in (ask(), None, None):
        with pytest.raises(AttemptsExhausted) as caught:
            call(graph, given, THREAD)
        assert len(caught.value.result.attempts) == 3

    assert [r["event"] for r in sink.records].count("control.finished") == 1


def test_the_state_says_how_a_run_that_raised_has_ended(call):
    """The thread read as accepted, with the answer to the question before."""
    model = ScriptedChatModel(script=[GOOD])
    graph = create_control_graph(
        model, rules(), checkpointer=InMemorySaver(), exit_behavior="error"
    )

    call(graph, ask(), THREAD)
    with pytest.raises(InputRejected):
        call(graph, ask(ATTACK), THREAD)
    state = graph.get_state(THREAD).values

    assert (result_of(state).status, result_of(state).message) == ("rejected", None)
    assert [m.type for m in state["messages"]] == ["human", "ai", "human"]


def test_an_unknown_exit_behavior_is_an_error():
    """A misspelt option fails at construction."""
    with pytest.raises(ValueError, match="exit_behavior"):
        create_control_graph(ScriptedChatModel(script=[]), exit_behavior="explode")


def test_a_handoff_knows_a_graph_that_gave_up(call):
    """A sender that has used its attempts up is not asked again by the hand-off."""
    model = ScriptedChatModel(script=OUTAGE)
    check = control_handoff(CITY, sender="answer", receiver="use", fallback="other")
    builder = StateGraph(MessagesState)
    builder.add_node("answer", create_control_graph(model, rules()))
    builder.add_node("check", check, destinations=check.destinations)
    builder.add_node("use", lambda _: {"messages": [AIMessage("Used.")]})
    builder.add_node("other", lambda _: {"messages": [AIMessage("Diverted.")]})
    builder.add_edge(START, "answer")
    builder.add_edge("answer", "check")
    builder.add_edge("use", END)
    builder.add_edge("other", END)

    messages = call(builder.compile(), ask())["messages"]

    assert [m.text for m in messages] == ["Which city?", "Diverted."]
    assert len(model.calls) == 3


def test_a_run_that_raised_gives_its_reservation_back_once(call):
    """Each further try from the checkpoint gave it back once more: others had too much room."""
    store = Counting()
    limiter = RateLimiter(tokens_per_minute=1000, answer_tokens=100, store=store)
    graph = create_control_graph(
        ScriptedChatModel(script=OUTAGE),
        rules(limiter=limiter),
        exit_behavior="error",
        checkpointer=InMemorySaver(),
    )

    for given in (ask(), None, None):
        with pytest.raises(AttemptsExhausted):
            call(graph, given, THREAD)

    [taken] = store.taken
    assert sum(store.given_back) == taken
