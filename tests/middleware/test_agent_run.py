"""`agent_result`: what is said of a run, however it ended."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ToolCallLimitMiddleware,
    hook_config,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, RemoveMessage
from langchain_core.tools import ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from langchain_control import FailureMode, FallbackRouter, RateLimiter, ResponseValidator
from langchain_control.errors import AttemptsExhausted, InputRejected
from langchain_control.middleware import agent_result
from langchain_control.strategies import HumanAnswer
from langchain_control.testing import ScriptedChatModel
from tests.middleware.agents import (
    THREAD,
    Forecast,
    agent_of,
    ask,
    audited,
    calling,
    policy,
    tool_call,
)
from tests.middleware.test_cut_off import Counting
from tests.scenarios import ATTACK, CITY, GOOD

FORECAST = {"city": "Oslo", "degrees": 7}
TEXT = '{"city": "Oslo", "degrees": 7}'
STOPPED = ("exhausted", FailureMode.STOPPED)


def going_round(messages):
    """Call a tool, whatever was said."""
    return calling(tool_call("weather", city="Oslo", id=str(len(messages))))


def ends(sink):
    """List how runs ended, as the trail tells it."""
    finished = [r for r in sink.records if r["event"] == "control.finished"]
    return [(r["status"], r["failure_mode"]) for r in finished]


LIMITS = {
    "model calls": lambda: ModelCallLimitMiddleware(run_limit=2),
    "no model call": lambda: ModelCallLimitMiddleware(thread_limit=0),
    "tool calls": lambda: ToolCallLimitMiddleware(run_limit=1, exit_behavior="end"),
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_a_run_that_a_limit_ended_has_no_answer(call, place, limit):
    """The limit's notice was taken for an answer that meets the contract."""
    rules, sink = audited(validator=ResponseValidator(required_keys=["total"]))
    options = {"checkpointer": InMemorySaver(), place: [limit()]}
    agent, _ = agent_of(going_round, rules, **options)

    result = agent_result(call(agent, ask(), THREAD))

    assert (result.status, result.failure_mode, result.message) == (*STOPPED, None)
    assert ends(sink) == [STOPPED]
    with pytest.raises(AttemptsExhausted, match="ended"):
        result.unwrap()


class Ends(AgentMiddleware):
    """Ends every run at the second model call, and says nothing."""

    @hook_config(can_jump_to=["end"])
    def before_model(self, state, runtime):
        return {"jump_to": "end"} if len(state["messages"]) > 1 else None


def test_a_run_that_was_ended_without_a_word_has_no_answer(call):
    """What a tool gave is no answer, unless the tool returns it directly."""
    agent, _ = agent_of(going_round, before=[Ends()])

    result = agent_result(call(agent, ask()))

    assert (result.status, result.failure_mode) == STOPPED


class Quota(AgentMiddleware):
    """Ends every run but the first before it begins, with words of its own."""

    def __init__(self, allowed=1):
        self.allowed = allowed

    @hook_config(can_jump_to=["end"])
    def before_agent(self, state, runtime):
        if sum(m.type == "human" for m in state["messages"]) <= self.allowed:
            return None
        return {"messages": [AIMessage("Your quota is used up.")], "jump_to": "end"}


@pytest.mark.parametrize("allowed", [0, 1])
def test_a_run_that_others_turned_away_is_not_told_as_the_one_before(call, allowed):
    """The first turn's id and status stood beside the words of whoever ended the second."""
    rules, sink = audited()
    agent, _ = agent_of(
        ["First.", "Third."], rules, before=[Quota(allowed)], checkpointer=InMemorySaver()
    )

    for _ in range(allowed):
        assert agent_result(call(agent, ask(), THREAD)).passed
    result = agent_result(call(agent, ask(), THREAD))

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.STOPPED)
    assert (result.message, result.request_id, result.attempts) == (None, "", ())
    assert len(ends(sink)) == allowed
    with pytest.raises(InputRejected):
        result.unwrap()


class Adds(AgentMiddleware):
    """Adds a message at the end of a run."""

    def after_agent(self, state, runtime):
        return {"messages": [AIMessage("Rate this answer!")]}


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_answer_is_the_one_that_was_accepted(call, place):
    """What others add to the history is not handed out as an answer."""
    agent, _ = agent_of(["Sunny."], **{place: [Adds()]})

    assert agent_result(call(agent, ask())).unwrap().text == "Sunny."


def test_an_answer_without_an_id_is_found_again(call):
    """A canned answer is a message that nobody gave an id to."""
    rules = policy(fallback=FallbackRouter(strategies=[("canned", "Sorry.")]))
    agent, _ = agent_of(lambda _: "", rules)

    assert agent_result(call(agent, ask())).unwrap().text == "Sorry."


class Declares(MessagesState):
    control: Any


def in_parent(parent, agent):
    builder = StateGraph(parent)
    builder.add_node("writer", agent)
    builder.add_edge(START, "writer")
    return builder.compile()


@pytest.mark.parametrize("script", [["Fine."], [""] * 3], ids=["answered", "exhausted"])
def test_a_parent_that_does_not_declare_the_record_is_told_so(call, script):
    """Its agent's run has finished, and the error said that it had not."""
    bare, told = (
        call(in_parent(kind, agent_of(script)[0]), ask()) for kind in (MessagesState, Declares)
    )

    with pytest.raises(ValueError, match=r"no `control`.*declare"):
        agent_result(bare)
    assert agent_result(told).passed is (script == ["Fine."])


def test_an_agent_without_the_middleware_is_told_so(call):
    """There is nothing that a run could be read from."""
    agent = create_agent(ScriptedChatModel(script=["Fine."]))

    with pytest.raises(ValueError, match=r"no `control`.*`ControlMiddleware`"):
        agent_result(call(agent, ask()))


def test_a_run_that_waits_has_not_finished(call):
    """A call of tools that a person has yet to allow was told as an accepted answer."""
    review = HumanInTheLoopMiddleware(interrupt_on={"weather": True})
    agent, _ = agent_of(going_round, after=[review], checkpointer=InMemorySaver())

    paused = call(agent, ask(), THREAD)

    with pytest.raises(ValueError, match="has not finished"):
        agent_result(paused)


class Forgets(AgentMiddleware):
    """Keeps nothing but the answer."""

    def after_agent(self, state, runtime):
        return {"messages": [RemoveMessage(m.id) for m in state["messages"][:-1]]}


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_question_that_was_removed_says_nothing_of_its_run(call, place):
    """A trimmed or private thread has no question any more: its run was told as unfinished."""
    agent, _ = agent_of(["Sunny."], **{place: [Forgets()]})

    assert agent_result(call(agent, ask())).unwrap().text == "Sunny."


def test_a_cleared_thread_with_a_new_question_has_no_result(call):
    """Nothing of the run before is left in it, and it was told as accepted."""
    agent, _ = agent_of(["Sunny."], checkpointer=InMemorySaver())
    state = call(agent, ask(), THREAD)

    with pytest.raises(ValueError, match="has not finished"):
        agent_result({**state, "messages": [*ask("And in Rome?")["messages"]]})


class Allows(AgentMiddleware):
    """Asks whether a question may be asked."""

    def before_agent(self, state, runtime):
        interrupt("May it?")


@pytest.mark.parametrize("first", ["Sunny.", ""], ids=["answered", "unanswered"])
def test_a_question_that_waits_has_no_result_of_the_one_before(call, first):
    """It paused before the first step of its run, and the last run's answer read as its own."""
    agent, _ = agent_of(lambda _: first, before=[Allows()], checkpointer=InMemorySaver())
    call(agent, ask(), THREAD)
    done = call(agent, Command(resume="yes"), THREAD)
    waiting = call(agent, ask("And in Rome?"), THREAD)

    assert agent_result(done).passed is bool(first)
    with pytest.raises(ValueError, match="has not finished"):
        agent_result(waiting)


def test_a_question_that_was_rejected_by_an_error_has_no_result(call):
    """The thread read as accepted, with the answer to the question before."""
    raises = {"exit_behavior": "error"}
    agent, _ = agent_of(["Sunny."], checkpointer=InMemorySaver(), control=raises)
    call(agent, ask(), THREAD)

    with pytest.raises(InputRejected):
        call(agent, ask(ATTACK), THREAD)

    with pytest.raises(ValueError, match="has not finished"):
        agent_result(agent.get_state(THREAD).values)


# --- what an answer is ----------------------------------------------------------------------------

STRUCTURED = {
    "tool": (calling(tool_call("Forecast", **FORECAST)), ToolStrategy(Forecast)),
    "text": (TEXT, ToolStrategy(Forecast)),
    "provider": (TEXT, ProviderStrategy(Forecast)),
}


@pytest.mark.parametrize(("answer", "strategy"), STRUCTURED.values(), ids=STRUCTURED)
def test_structured_output_is_the_value(call, answer, strategy):
    """An accepted run raised `AttemptsExhausted` for want of a message."""
    agent, _ = agent_of([answer], response_format=strategy)

    result = agent_result(call(agent, ask()))

    assert (result.status, result.value) == ("accepted", FORECAST)
    assert isinstance(result.unwrap(), AIMessage)


def test_a_contract_for_json_gives_a_value(call):
    """As in the other doors."""
    agent, _ = agent_of([GOOD], policy(validator=ResponseValidator(response_schema=CITY)))

    assert agent_result(call(agent, ask())).value == {"city": "Paris"}


@tool(return_direct=True)
def direct(city: str) -> str:
    """Tell the weather in a city, or fail."""
    if city == "Rome":
        raise ToolException
    return f"It is sunny in {city}." if city == "Oslo" else ATTACK


def test_what_a_tool_returns_directly_is_the_answer(call):
    """The run ended with it, and `unwrap` raised `AttemptsExhausted`."""
    script = [calling(tool_call("direct", city="Oslo"))]
    agent, _ = agent_of(script, tools=[direct])

    result = agent_result(call(agent, ask()))

    assert (result.status, result.unwrap().text) == ("accepted", "It is sunny in Oslo.")


@pytest.mark.parametrize("city", ["Rome", "Bergen"])
def test_a_tool_that_failed_or_was_withheld_has_not_answered(call, city):
    """Its error, or the notice in the place of an attack, is nobody's answer."""
    rules, sink = audited()
    agent, _ = agent_of([calling(tool_call("direct", city=city))], rules, tools=[direct])

    result = agent_result(call(agent, ask()))

    assert (result.status, result.failure_mode) == STOPPED
    assert ends(sink) == [STOPPED]


# --- runs that were left --------------------------------------------------------------------------


def strict(messages):
    """Answer as a provider that takes no empty messages; the first question goes unanswered."""
    assert all(message.text for message in messages)
    return "" if len(messages) == 1 else "Second answer."


def test_a_run_that_waited_and_was_left_leaves_nothing_behind(call):
    """The message in the place of its answer stayed, empty: providers refused the thread."""
    store = Counting()
    rules, sink = audited(
        retry={"max_attempts": 1},
        fallback=FallbackRouter(strategies=[("person", HumanAnswer())]),
        limiter=RateLimiter(tokens_per_minute=1000, answer_tokens=400, store=store),
    )
    agent, _ = agent_of(strict, rules, checkpointer=InMemorySaver())
    call(agent, ask("First?"), THREAD)

    state = call(agent, ask("Second?"), THREAD)

    assert [m.text for m in state["messages"]] == ["First?", "Second?", "Second answer."]
    assert ends(sink) == [("exhausted", FailureMode.CONSTRAINT_VIOLATION), ("accepted", "none")]
    assert len({r["request_id"] for r in sink.records}) == 2
    assert len(store.given_back) == len(store.taken) == 2


@pytest.mark.parametrize("place", ["before", "after"])
def test_whoever_turns_the_next_turn_away_leaves_no_empty_answer(call, place):
    """The run that waited has its end in the trail, the one that was turned away is no request."""
    rules, sink = audited(fallback=FallbackRouter(strategies=[("person", HumanAnswer())]))
    options = {"checkpointer": InMemorySaver(), place: [Quota()]}
    agent, _ = agent_of(lambda _: "", rules, **options)
    call(agent, ask(), THREAD)

    state = call(agent, ask(), THREAD)

    assert [m.text for m in state["messages"] if m.type == "ai"] == ["Your quota is used up."]
    assert not agent_result(state).passed
    assert ends(sink)[0] == ("exhausted", FailureMode.CONSTRAINT_VIOLATION)


class Rewriting(AgentMiddleware):
    """Puts a message of its own in the place of the answer, under another id."""

    def after_agent(self, state, runtime):
        """Add a line to it."""
        last = state["messages"][-1]
        said = AIMessage(f"{last.text} No advice.")
        return {"messages": [RemoveMessage(last.id), said]}


def test_what_others_make_of_an_accepted_answer_is_the_answer(call):
    """A disclaimer under a new id made an answered run a failed one."""
    rules, sink = audited()
    agent, _ = agent_of(["Sunny."], rules, after=[Rewriting()])

    result = agent_result(call(agent, ask()))

    assert (result.status, result.message.text) == ("accepted", "Sunny. No advice.")
    assert [status for status, _ in ends(sink)] == ["accepted"]


def test_a_state_that_was_stored_as_json_is_read(call):
    """A server gives messages as mappings."""
    agent, _ = agent_of(["Sunny."])
    state = call(agent, ask())

    stored = {**state, "messages": [message.model_dump() for message in state["messages"]]}

    assert agent_result(stored).message.text == "Sunny."


def test_an_agent_without_a_guard_may_be_asked_nothing(call):
    """All that there is to say may stand in its system prompt."""
    agent, _ = agent_of(["Sunny."], policy(guard=None))

    assert agent_result(call(agent, {"messages": []})).passed
