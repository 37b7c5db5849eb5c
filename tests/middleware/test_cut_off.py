"""Runs of agents that are cancelled or handed over: told once, and their room is free again."""

from __future__ import annotations

import asyncio

import pytest
from langchain.tools import ToolRuntime
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from langchain_control import RateLimiter
from langchain_control.errors import AttemptsExhausted
from langchain_control.middleware import agent_result
from langchain_control.stores import InMemoryRateStore
from langchain_control.testing import Reply
from tests.middleware.agents import THREAD, agent_of, ask, audited, calling, tool_call, weather


class Counting(InMemoryRateStore):
    """A store that knows what was taken, and what was given back."""

    def __init__(self):
        """Begin empty."""
        super().__init__()
        self.taken, self.given_back = [], []

    def take(self, key, demands, max_wait_seconds):
        """Count it."""
        self.taken.append(sum(demand.amount for demand in demands))
        return super().take(key, demands, max_wait_seconds)

    def give_back(self, key, demands, turn=None):
        """Count it."""
        self.given_back.append(sum(demand.amount for demand in demands))
        super().give_back(key, demands)


def limited(**changes):
    """Rules with a trail and a limit that has room for one run."""
    store = Counting()
    limiter = RateLimiter(tokens_per_minute=1000, answer_tokens=900, store=store)
    rules, sink = audited(limiter=limiter, **changes)
    return rules, sink, store


async def cancelled(agent, entered, config=None):
    """Run an agent, and cancel it once it has got there."""
    run = asyncio.create_task(agent.ainvoke(ask(), config))
    await entered.wait()
    run.cancel()
    await asyncio.wait({run})
    assert run.cancelled()


def ends(sink):
    """List how runs ended, by event and message."""
    told = ("control.finished", "control.cut_off")
    return [(r["event"], r.get("message")) for r in sink.records if r["event"] in told]


CUT_OFF = [("control.cut_off", "CancelledError")]


@pytest.mark.parametrize("make_checkpointer", [lambda: None, InMemorySaver])
@pytest.mark.parametrize("parallel", [1, 3])
async def test_a_run_cancelled_in_its_tools_is_told_and_settled_once(parallel, make_checkpointer):
    """However many tools were under way, one request has ended."""
    entered = asyncio.Event()

    @tool
    async def slow(city: str) -> str:
        """Take for ever."""
        entered.set()
        await asyncio.Event().wait()
        return city

    rules, sink, store = limited()
    calls = [tool_call("slow", city="Oslo", id=str(n)) for n in range(parallel)]
    saver = make_checkpointer()
    agent, _ = agent_of([calling(*calls)], rules, tools=[slow], checkpointer=saver)

    await cancelled(agent, entered, THREAD)

    assert ends(sink) == CUT_OFF
    assert len({r["request_id"] for r in sink.records}) == 1
    [attempt] = [r for r in sink.records if r["event"] == "control.attempt"]
    [taken], [given_back] = store.taken, store.given_back
    assert taken - given_back == attempt["input_tokens"] + attempt["output_tokens"] > 0


async def test_a_run_cancelled_in_a_model_call_is_settled_by_all_that_it_used():
    """What the calls before it have used is not given back."""
    entered = asyncio.Event()

    def script(messages):
        if messages[-1].type == "human":
            return calling(tool_call("weather", city="Oslo"))
        entered.set()
        return Reply("too late", delay_seconds=60)

    rules, sink, store = limited()
    agent, _ = agent_of(script, rules)

    await cancelled(agent, entered)

    assert ends(sink) == CUT_OFF
    [attempt] = [r for r in sink.records if r["event"] == "control.attempt"]
    [taken], [given_back] = store.taken, store.given_back
    assert taken - given_back == attempt["input_tokens"] + attempt["output_tokens"] > 0


def test_a_tool_that_pauses_the_graph_cuts_nothing_off(call):
    """The run goes on once somebody has answered."""

    @tool
    def asks(city: str) -> str:
        """Ask a person."""
        return str(interrupt(city))

    rules, sink, store = limited()
    script = [calling(tool_call("asks", city="Oslo")), AIMessage("fine")]
    agent, _ = agent_of(script, rules, tools=[asks], checkpointer=InMemorySaver())

    call(agent, ask(), THREAD)

    assert (ends(sink), store.given_back) == ([], [])


@tool
def hand_off(city: str, runtime: ToolRuntime) -> Command:
    """Leave it to another agent."""
    told = ToolMessage(city, tool_call_id=runtime.tool_call_id)
    return Command(graph=Command.PARENT, goto="other", update={"messages": [told]})


def before_another(agent):
    """Return a graph in which an agent may leave it to another."""
    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_node("other", lambda _: {"messages": [AIMessage("Sunny.")]})
    builder.add_edge(START, "agent")
    return builder.compile()


@pytest.mark.parametrize(
    "beside", [(), ("weather",), ("hand_off",)], ids=["alone", "work", "twice"]
)
def test_a_run_that_a_tool_hands_over_has_ended(call, beside):
    """A swarm leaves each agent so: its whole estimate stayed taken, and its trail had no end."""
    rules, sink, store = limited()
    names = ("hand_off", *beside)
    calls = [tool_call(name, city="Oslo", id=str(n)) for n, name in enumerate(names)]
    agent, _ = agent_of([calling(*calls)], rules, tools=[hand_off, weather])

    state = call(before_another(agent), ask())

    assert state["messages"][-1].text == "Sunny."
    [end] = [r for r in sink.records if r["event"] == "control.finished"]
    assert (end["status"], end["attempts"]) == ("accepted", 1)
    assert len({r["request_id"] for r in sink.records}) == 1
    [taken], [given_back] = store.taken, store.given_back
    assert taken - given_back == end["input_tokens"] + end["output_tokens"] > 0


class Stopping(BaseCallbackHandler):
    """Stops a run when its end is told."""

    raise_error = True

    def on_custom_event(self, name, data, **_):
        """Raise."""
        if name == "control.finished":
            raise ConnectionError


def test_a_run_stopped_while_it_is_handed_over_has_one_end(call):
    """Whoever stopped it may have heard of the end before the trail."""
    rules, sink, store = limited()
    script = [calling(tool_call("hand_off", city="Oslo"))]
    agent, _ = agent_of(script, rules, tools=[hand_off])

    with pytest.raises(ConnectionError):
        call(before_another(agent), ask(), {"callbacks": [Stopping()]})

    assert len(ends(sink)) == len(store.given_back) == 1


def test_a_run_that_raised_gives_its_reservation_back_once(call):
    """Each further try from the checkpoint gave it back once more: others had too much room."""
    rules, _, store = limited(retry={"max_attempts": 1})
    script = [*[TimeoutError()] * 3, "Sunny."]
    agent, _ = agent_of(
        script, rules, checkpointer=InMemorySaver(), control={"exit_behavior": "error"}
    )

    for given in (ask(), None, None):
        with pytest.raises(AttemptsExhausted):
            call(agent, given, THREAD)
    state = call(agent, None, THREAD)

    [taken] = store.taken
    assert taken - sum(store.given_back) == agent_result(state).usage["total_tokens"]


async def test_a_cancelled_run_that_goes_on_gives_its_reservation_back_once():
    """What was given back when it was cancelled stands in the checkpoint as if it were held."""
    entered = asyncio.Event()

    def script(_):
        entered.set()
        return Reply("Sunny.", delay_seconds=0 if len(model.calls) > 1 else 60)

    rules, _, store = limited()
    agent, model = agent_of(script, rules, checkpointer=InMemorySaver())
    await cancelled(agent, entered, THREAD)

    state = await agent.ainvoke(None, THREAD)

    [taken] = store.taken
    assert taken - sum(store.given_back) == agent_result(state).usage["total_tokens"]


class Stalling(InMemorySaver):
    """A saver that is still at work when the run is cut off."""

    async def aput(self, *given):
        """Store a checkpoint late."""
        await asyncio.sleep(0.02)
        return super().put(*given)


@pytest.mark.parametrize(
    ("saver", "durability"),
    [(InMemorySaver(), "exit"), (Stalling(), "async")],
    ids=["exit", "late"],
)
async def test_a_run_that_goes_on_after_it_was_cut_off_has_its_answer(saver, durability):
    """What was noted of its end stood in the checkpoint, and made it `rejected` in no trail."""
    entered = asyncio.Event()

    @tool(return_direct=True)
    async def slow(city: str) -> str:
        """Take for ever, once."""
        if not entered.is_set():
            entered.set()
            await asyncio.Event().wait()
        return city

    rules, sink, store = limited()
    script = [calling(tool_call("slow", city="Oslo"))]
    agent, _ = agent_of(script, rules, tools=[slow], checkpointer=saver)
    run = asyncio.create_task(agent.ainvoke(ask(), THREAD, durability=durability))
    await entered.wait()
    run.cancel()
    await asyncio.wait({run})

    result = agent_result(await agent.ainvoke(None, THREAD))

    assert (result.status, result.message.text) == ("accepted", "Oslo")
    assert ends(sink) == [*CUT_OFF, ("control.finished", None)]
    [taken] = store.taken
    assert taken - sum(store.given_back) == result.usage["total_tokens"]


async def test_parallel_tools_cut_off_once_more_are_told_once_more():
    """A run that goes on is another try, whatever was noted of the one before."""
    entered = asyncio.Event()

    @tool
    async def slow(city: str) -> str:
        """Take for ever."""
        entered.set()
        await asyncio.Event().wait()
        return city

    rules, sink, _ = limited()
    calls = [tool_call("slow", city="Oslo", id=str(n)) for n in range(3)]
    agent, _ = agent_of([calling(*calls)], rules, tools=[slow], checkpointer=InMemorySaver())
    await cancelled(agent, entered, THREAD)
    entered.clear()

    run = asyncio.create_task(agent.ainvoke(None, THREAD))
    await entered.wait()
    run.cancel()
    await asyncio.wait({run})

    assert ends(sink) == CUT_OFF * 2
