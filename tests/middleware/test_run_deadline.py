"""`run_deadline_seconds`: one deadline for an agent's whole run, tools included."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from langchain_control import (
    CircuitBreaker,
    FailureMode,
    FallbackRouter,
    InputGuard,
    RateLimiter,
    RetryEngine,
)
from langchain_control.middleware import ControlMiddleware, ToolPolicy, agent_result
from langchain_control.runs.screening import WITHHELD
from langchain_control.strategies import HumanAnswer
from langchain_control.testing import ManualClock, ScriptedChatModel
from tests.middleware.agents import (
    HARMLESS,
    THREAD,
    agent_of,
    ask,
    calling,
    policy,
    tool_call,
    weather,
)

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


@pytest.mark.parametrize("taken", [60, 61])
def test_no_tool_is_called_after_it(call, clock, wait, taken):
    """The model may have taken all the time there was."""

    def slowly(_):
        clock.advance(taken)
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


@pytest.mark.parametrize(
    ("seconds_before", "state"), [(8, "open"), (12, "closed")], ids=["most left", "little left"]
)
def test_a_tool_cut_short_by_it_is_not_to_blame(call, clock, seconds_before, state):
    """The tool's circuit counts what the tool took, not what others had left for it."""
    breaker = CircuitBreaker(name="tools", failure_threshold=1)

    @tool
    def slow(city: str) -> str:
        """Take a while."""
        raise TimeoutError(city)

    def answer(messages):
        if len(messages) > 2:
            return "Never mind."
        clock.advance(seconds_before)
        return calling(tool_call("slow", city="Oslo"))

    control = {"run_deadline_seconds": 20, "tool_policy": ToolPolicy(breaker=breaker)}
    agent, _ = agent_of(answer, policy(clock=clock), tools=[slow], control=control)
    call(agent, ask())

    assert breaker.state("slow") == state


def test_a_model_that_never_answers_within_it_opens_its_circuit(call, clock):
    """Every run waited for its whole deadline, which is shorter than the call's own limit."""
    breaker = CircuitBreaker(failure_threshold=2)
    agent, model = agent_of(
        lambda _: TimeoutError(),
        policy(clock=clock, breaker=breaker, retry=RetryEngine(max_attempts=1)),
        control={"run_deadline_seconds": 20},
    )
    for _ in range(4):
        call(agent, ask())

    assert len(model.calls) == 2


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


@tool
def asks(city: str) -> str:
    """Ask a person about a city."""
    return str(interrupt(city))


REVIEW = HumanInTheLoopMiddleware(interrupt_on={"weather": True})
PAUSES = {
    "reviewer": (weather, {"after": [REVIEW]}, {"decisions": [{"type": "approve"}]}),
    "tool": (asks, {}, "Sunny."),
    "breakpoint": (weather, {"interrupt_before": ["tools"]}, None),
}


@pytest.mark.parametrize(("used", "options", "reply"), PAUSES.values(), ids=PAUSES)
def test_whoever_paused_a_run_may_take_longer(call, clock, used, options, reply):
    """Only a run that `HumanAnswer` paused had its time anew: what others allowed was too late."""
    script = [calling(tool_call(used.name, city="Oslo")), "Sunny."]
    agent, _ = agent_of(
        script,
        policy(clock=clock),
        tools=[used],
        control={"run_deadline_seconds": 60, "tool_policy": ToolPolicy(timeout_seconds=None)},
        checkpointer=InMemorySaver(),
        **options,
    )
    call(agent, ask(), THREAD)
    clock.advance(HOUR)

    state = call(agent, reply if reply is None else Command(resume=reply), THREAD)

    assert [m.status for m in state["messages"] if m.type == "tool"] == ["success"]
    assert agent_result(state).passed


def test_what_follows_a_pause_has_one_deadline(call, clock, wait):
    """The time begins anew once, not with every tool and every call."""
    script = [
        calling(tool_call("asks", city="Oslo")),
        calling(tool_call("wait", seconds=40)),
        calling(tool_call("wait", seconds=40)),
    ]
    agent, model = agent_of(
        script,
        policy(clock=clock),
        tools=[asks, wait],
        control={"run_deadline_seconds": 60, "tool_policy": ToolPolicy(timeout_seconds=None)},
        checkpointer=InMemorySaver(),
    )
    call(agent, ask(), THREAD)
    clock.advance(HOUR)

    result = agent_result(call(agent, Command(resume="Sunny."), THREAD))

    assert result.failure_mode is FailureMode.DEADLINE_EXCEEDED
    assert len(model.calls) == 3


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "30s"])
def test_it_must_be_positive(seconds):
    """A limit that leaves no time is a mistake."""
    with pytest.raises(ValueError, match="run_deadline_seconds"):
        ControlMiddleware(run_deadline_seconds=seconds)


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 0, -1, 1e12])
def test_a_deadline_without_bound_is_refused(seconds):
    """Nobody can wait so long: a call would raise an `OverflowError`."""
    with pytest.raises(ValueError, match="at most a day"):
        ControlMiddleware(run_deadline_seconds=seconds)
    with pytest.raises(ValueError, match="timeout_seconds"):
        ToolPolicy(timeout_seconds=seconds)


@pytest.mark.parametrize("copied", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_a_copy_of_the_middleware_has_the_same_deadline(copied):
    """It goes to other processes, as its policy does, and begins without runs there."""
    middleware = copied(ControlMiddleware(policy(), run_deadline_seconds=60))

    assert middleware.run_deadline_seconds == 60
    agent = create_agent(ScriptedChatModel(script=["Sunny."]), [], middleware=[middleware])
    assert agent_result(agent.invoke(ask())).passed


class HangsOver:
    """A detector that waits for ever over a text with this word, while the time runs out."""

    def __init__(self, word, clock):
        """Take the word, and the clock that shows the time."""
        self.word, self.clock = word, clock

    async def detect(self, text):
        """Judge a text."""
        if self.word in text:
            self.clock.advance(HOUR)
            await asyncio.Event().wait()
        return []


@pytest.mark.parametrize("bound", ["run_deadline_seconds", "deadline_seconds"])
async def test_a_tool_result_is_not_judged_for_ever(clock, bound):
    """What nobody could judge in time is withheld, and the run ends."""
    changes, control = {}, {}
    (control if bound == "run_deadline_seconds" else changes)[bound] = 0.5
    rules = policy(clock=clock, guard=InputGuard(detectors=[HangsOver("sunny", clock)]), **changes)
    script = [calling(tool_call("weather", city="Oslo")), "Never mind."]
    agent, _ = agent_of(script, rules, control=control)

    state = await asyncio.wait_for(agent.ainvoke(ask()), 10)

    assert [m.content for m in state["messages"] if m.type == "tool"] == [WITHHELD]


async def test_the_question_is_judged_within_it():
    """The run begins with its question, not with its first model call."""
    clock = ManualClock()
    rules = policy(clock=clock, guard=InputGuard(detectors=[HangsOver("Oslo", clock)]))
    agent, model = agent_of(["Sunny."], rules, control={"run_deadline_seconds": 0.03})

    result = agent_result(await asyncio.wait_for(agent.ainvoke(ask()), 10))

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.DEADLINE_EXCEEDED)
    assert model.calls == []


def test_a_turn_that_comes_after_it_is_not_waited_for(call, clock):
    """A wait for the rate limit is part of the run."""
    limiter = RateLimiter(requests_per_minute=0.1, on_limit="wait", max_wait_seconds=HOUR)
    agent, _ = limited(clock, ["Sunny."], tools=[], limiter=limiter)
    limiter.acquire()

    result = agent_result(call(agent, ask()))

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.RATE_LIMITED)


def test_time_that_went_by_before_the_first_call_is_gone(call, clock, wait):
    """A detector that takes most of it leaves little to the tools."""

    def slow(text):
        clock.advance(40 if text == HARMLESS else 0)
        return []

    script = [calling(tool_call("wait", seconds=30)), "Sunny."]
    agent, _ = limited(clock, script, tools=[wait], guard=InputGuard(detectors=[slow]))

    assert agent_result(call(agent, ask())).failure_mode is FailureMode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("first", ["model", "tool"])
def test_a_sub_agent_that_was_given_up_begins_nothing_new(first):
    """Its thread cannot be stopped, but what it would ask and do next costs, and nobody waits."""
    gave_up, sub_ended, paid = threading.Event(), threading.Event(), []

    @tool
    def pay(amount: int) -> str:
        """Pay."""
        if first == "tool":
            gave_up.wait(10)
        paid.append(amount)
        return "paid"

    def sub_model(_):
        if first == "model":
            gave_up.wait(10)
        return calling(tool_call("pay", amount=1))

    sub, asked = agent_of(sub_model, policy(), tools=[pay])

    @tool
    def delegate(task: str) -> str:
        """Let another agent do it."""
        try:
            return str(sub.invoke(ask(task))["messages"][-1].text)
        finally:
            sub_ended.set()

    script = [calling(tool_call("delegate", task="Pay.")), "Done."]
    main, _ = agent_of(script, policy(), tools=[delegate], control={"run_deadline_seconds": 1})

    result = agent_result(main.invoke(ask()))
    gave_up.set()

    assert result.failure_mode is FailureMode.DEADLINE_EXCEEDED
    assert sub_ended.wait(10)
    assert (len(asked.calls), len(paid)) == (1, 1 if first == "tool" else 0)


@pytest.mark.parametrize("subgraphs", [False, True])
def test_an_agent_that_shares_the_middleware_begins_no_time_for_the_one_that_asks_it(subgraphs):
    """Streams that show subgraphs have one writer for both."""
    clock = ManualClock()
    control = ControlMiddleware(policy(clock=clock), run_deadline_seconds=60)
    helper = create_agent(ScriptedChatModel(script=lambda _: "Fine."), middleware=[control])

    @tool
    def look_up(word: str) -> str:
        """Ask another agent."""
        clock.advance(25)
        return str(helper.invoke({"messages": [("user", word)]})["messages"][-1].text)

    restless = ScriptedChatModel(script=lambda _: calling(tool_call("look_up", word="rain")))
    agent = create_agent(restless, [look_up], middleware=[control])

    question = {"messages": [("user", HARMLESS)]}
    states = agent.stream(question, stream_mode="values", subgraphs=subgraphs)
    ends = [s for names, s in states if not names] if subgraphs else list(states)

    assert agent_result(ends[-1]).failure_mode is FailureMode.DEADLINE_EXCEEDED
    assert len(restless.calls) == 3
