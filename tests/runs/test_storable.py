"""What a graph asks of answers beyond their contract."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_control import (
    ControlMiddleware,
    ControlPolicy,
    FallbackRouter,
    ResponseValidator,
    RetryEngine,
    create_control_graph,
)
from langchain_control._effects import run
from langchain_control.middleware import agent_result
from langchain_control.runs.results import result_of
from langchain_control.runs.state import state_of
from langchain_control.runs.storable import StorableAnswers
from langchain_control.testing import Reply, ScriptedChatModel
from tests.scenarios import AT_ONCE, CITY, GOOD

BIG = 1 << 70

ANSWERS = StorableAnswers(ResponseValidator(must_be_json=True))


@pytest.mark.parametrize("number", [1 << 64, -(1 << 63) - 1, 10**30])
@pytest.mark.parametrize("shape", ["{}", '{{"a": [{}]}}', "[[{}, 1]]"])
def test_an_integer_that_no_checkpoint_stores_is_rejected(shape, number):
    """The correction says what to do: its digits in a string are as exact and go everywhere."""
    verdict = run(ANSWERS.judge(AIMessage(shape.format(number))))

    assert [violation.rule for violation in verdict.violations] == ["json.big_integer"]
    assert "as a string" in verdict.violations[0].expected


@pytest.mark.parametrize("text", [str((1 << 64) - 1), str(-(1 << 63)), "1e300", f'"{10**30}"'])
def test_what_fits_passes(text):
    """The bounds themselves, long fractions and strings of digits are fine."""
    verdict = run(ANSWERS.judge(AIMessage(text)))

    assert verdict.passed
    assert ANSWERS.clean(AIMessage(text), verdict).additional_kwargs["parsed"] == verdict.value


def test_other_failures_are_told_as_they_are():
    """What breaks the contract is told by the contract."""
    verdict = run(ANSWERS.judge(AIMessage("no")))

    assert [violation.rule for violation in verdict.violations] == ["json.no_json"]


def called_with(**arguments):
    """An answer that calls a tool."""
    return AIMessage("Paying.", tool_calls=[{"name": "pay", "args": arguments, "id": "1"}])


def nested(levels):
    """A value that deep."""
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


CYCLE = {}
CYCLE.update(one={"raw": CYCLE}, other=[CYCLE])

UNSTORABLE = {
    "arguments": called_with(n=BIG),
    "deep arguments": called_with(a=[{"n": (1, BIG)}]),
    "content": AIMessage([{"type": "tool_use", "id": "1", "name": "pay", "input": {"n": BIG}}]),
}


class Score(float):
    """As NumPy's, which local models report."""


REPORTS = {
    "float of another kind": AIMessage("hi", response_metadata={"score": Score(0.5)}),
    "metadata": AIMessage("hi", response_metadata={"seed": BIG, "finish_reason": "stop"}),
    "a key of metadata": AIMessage("hi", response_metadata={"\ud83d": 1}),
    "usage": Reply("hi", input_tokens=BIG),
    "deep metadata": AIMessage("hi", response_metadata={"raw": nested(300)}),
    "deep details": AIMessage("hi", additional_kwargs={"raw": nested(300)}),
    "big details": AIMessage("hi", additional_kwargs={"raw": BIG}),
    "metadata that refer to themselves": AIMessage("hi", response_metadata={"raw": CYCLE}),
    "an object": AIMessage("hi", response_metadata={"raw": [object()]}),
    "an object as a key": AIMessage("hi", response_metadata={"raw": {object(): 1}}),
}


def through_a_checkpoint(model, **changes):
    """Run a graph whose checkpoints are written."""
    policy = ControlPolicy(retry=RetryEngine(**AT_ONCE), **changes)
    graph = create_control_graph(model, policy, checkpointer=InMemorySaver())
    return result_of(graph.invoke(state_of("Pay."), {"configurable": {"thread_id": "1"}}))


@pytest.mark.parametrize("answer", UNSTORABLE.values(), ids=UNSTORABLE)
def test_a_message_that_no_checkpoint_stores_is_rejected(answer):
    """A model's answer is in the state before it is judged: the run was lost by a `TypeError`."""
    model = ScriptedChatModel(script=[answer, called_with(n=str(BIG))])

    result = through_a_checkpoint(model)

    assert result.message.tool_calls[0]["args"] == {"n": str(BIG)}
    assert result.attempts[0]["failure_mode"] == "schema_violation"
    assert "as a string" in model.calls[1][-1].text


@pytest.mark.parametrize("answer", REPORTS.values(), ids=REPORTS)
def test_an_answer_is_accepted_whatever_is_reported_beside_it(answer):
    """No correction helps: the model has not written it. What does not fit is left out."""
    model = ScriptedChatModel(script=[answer])

    result = through_a_checkpoint(model)

    assert (result.status, result.message.text) == ("accepted", "hi")
    assert str(BIG) not in str(result.message)
    assert "raw" not in {*result.message.response_metadata, *result.message.additional_kwargs}


def test_reports_that_langgraph_can_store_stay():
    """Clients report dates, too."""
    told = {"at": datetime(2026, 1, 2, tzinfo=UTC), "id": uuid4(), 1: {2.5: {"x"}}}

    result = through_a_checkpoint(
        ScriptedChatModel(script=[AIMessage("hi", response_metadata=told)])
    )

    assert told.items() <= result.message.response_metadata.items()


DEEP = {
    "arguments": called_with(x=nested(260)),
    "more arguments": called_with(x=nested(1100)),
    "content": AIMessage([{"type": "text", "text": "hi"}, {"type": "x", "x": nested(260)}]),
}


@pytest.mark.parametrize("answer", DEEP.values(), ids=DEEP)
def test_an_answer_too_deep_to_be_stored_is_rejected(answer):
    """The run was lost by a `TypeError` before its answer was judged."""
    result = through_a_checkpoint(ScriptedChatModel(script=[answer, "fine"]))

    assert (result.status, result.message.text) == ("accepted", "fine")
    assert result.attempts[0]["failure_mode"] == "schema_violation"


def test_an_answer_as_deep_as_json_may_be_is_stored():
    """What is around it in a message leaves room."""
    result = through_a_checkpoint(ScriptedChatModel(script=[called_with(x=nested(126))]))

    assert result.message.tool_calls[0]["args"] == {"x": nested(126)}


@pytest.mark.parametrize("answer", REPORTS.values(), ids=REPORTS)
def test_so_is_a_fallbacks(answer):
    """Its message is stored as the model's is."""
    fallback = FallbackRouter(strategies=[("model", ScriptedChatModel(script=[answer]))])

    result = through_a_checkpoint(ScriptedChatModel(script=[""] * 3), fallback=fallback)

    assert (result.status, result.message.text) == ("fallback", "hi")


@pytest.mark.parametrize("schema", [None, CITY], ids=["text", "structured output"])
def test_an_agent_accepts_it_as_well(schema):
    """The doors agree on which answers there are."""
    agent = create_agent(
        ScriptedChatModel(script=[Reply(GOOD, input_tokens=BIG)]),
        [],
        middleware=[ControlMiddleware(ControlPolicy())],
        checkpointer=InMemorySaver(),
        response_format=schema,
    )

    state = agent.invoke({"messages": "Pay."}, {"configurable": {"thread_id": "1"}})

    result = agent_result(state)
    assert (result.status, len(result.attempts)) == ("accepted", 1)
    assert result.message.usage_metadata is None


def test_a_key_that_no_checkpoint_stores_is_rejected():
    """Half a surrogate pair is stored as a value, and raised a `TypeError` as a key."""
    model = ScriptedChatModel(script=[called_with(**{"\ud83d": 1}), called_with(n="1")])

    result = through_a_checkpoint(model)

    assert result.message.tool_calls[0]["args"] == {"n": "1"}
    assert result.attempts[0]["failure_mode"] == "schema_violation"


def test_a_rejected_message_keeps_what_it_has_cost():
    """Its tokens count against the limits of the request."""
    reply = Reply(called_with(n=BIG), input_tokens=40, output_tokens=2)

    result = through_a_checkpoint(ScriptedChatModel(script=[reply, "fine"]))

    [rejected, _] = result.attempts
    assert (rejected["input_tokens"], rejected["output_tokens"]) == (40, 2)


def test_a_fallbacks_message_is_held_to_the_same():
    """The next strategy has its turn."""
    strategies = [("big", lambda _: called_with(n=BIG)), ("canned", "Sorry.")]
    fallback = FallbackRouter(strategies=strategies)

    result = through_a_checkpoint(ScriptedChatModel(script=[""] * 3), fallback=fallback)

    assert [tried["outcome"] for tried in result.fallbacks] == ["rejected", "answered"]
