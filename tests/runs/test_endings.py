"""What is told of the end of a run."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from langchain_control import (
    AuditLogger,
    ControlMiddleware,
    ControlPolicy,
    FallbackRouter,
    InputGuard,
    RateLimiter,
    ResponseValidator,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.errors import RateLimited
from langchain_control.sinks import MemorySink
from langchain_control.strategies import HumanAnswer
from langchain_control.testing import Reply, ScriptedChatModel
from tests.doors import DOORS
from tests.scenarios import AT_ONCE, CITY, GOOD


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    ("strategy", "larger", "answered"),
    [
        (ScriptedChatModel(script=lambda _: GOOD, model_name="stand-in"), "no", "stand-in"),
        (GOOD, "no", None),
        (lambda _: "no", GOOD, "larger"),
    ],
    ids=["a fallback model", "a text", "the other model"],
)
def test_the_end_names_the_model_that_answered(
    door: Any, strategy: Any, larger: str, answered: str | None
) -> None:
    """A text has no model."""
    audit = AuditLogger(None)
    other = ScriptedChatModel(script=lambda _: larger, model_name="larger")
    policy = ControlPolicy(
        validator=ResponseValidator(response_schema=CITY),
        retry=RetryEngine(other_model=other, **AT_ONCE),
        fallback=FallbackRouter(strategies=[("stand-in", strategy)]),
        audit=audit,
    )

    door(ScriptedChatModel(script=lambda _: "no", model_name="first"), policy)

    (finished,) = [r for r in audit.to_records() if r["event"] == "control.finished"]
    assert finished.get("model") == answered


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("is_priced", [True, False])
def test_the_end_tells_what_the_request_has_cost(door: Any, *, is_priced: bool) -> None:
    """All attempts together; nothing where no price is known."""
    prices = {"first": {"input_per_million": 1.0, "output_per_million": 2.0}}
    replies = [Reply(text, input_tokens=500_000, output_tokens=1) for text in ("", "Oslo.")]
    audit = AuditLogger(None)
    policy = ControlPolicy(
        retry=RetryEngine(**AT_ONCE),
        usage_limits={"prices": prices if is_priced else {}},
        audit=audit,
    )

    result = door(ScriptedChatModel(script=replies, model_name="first"), policy)

    cost = pytest.approx(1.000004) if is_priced else None
    (finished,) = [r for r in audit.to_records() if r["event"] == "control.finished"]
    assert finished.get("cost") == result.cost == audit.summary().cost == cost


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("said", ["Die Straße nach Oslo.", GOOD, ""])
@pytest.mark.parametrize("spare", ["Later.", ""])
def test_the_end_proves_which_answer_was_given(door: Any, said: str, spare: str) -> None:
    """Without its content: whoever has the text can compute the same."""
    audit = AuditLogger(None)
    policy = ControlPolicy(
        retry=RetryEngine(max_attempts=1),
        fallback=FallbackRouter(strategies=[("canned", lambda _: spare)]),
        audit=audit,
    )

    result = door(ScriptedChatModel(script=[said]), policy)

    (finished,) = [r for r in audit.to_records() if r["event"] == "control.finished"]
    answer = result.message
    given = None if answer is None else hashlib.sha256(answer.text.encode()).hexdigest()
    assert finished.get("answer_sha256") == given
    assert (given is None) == (said == spare == "")


class Stopping(BaseCallbackHandler):
    """Stops a run when its end is told."""

    raise_error = True

    def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        """Raise."""
        if name == "control.finished":
            raise ConnectionError


class Hanging(AsyncCallbackHandler):
    """Is still at work on the end of a run when its caller goes away."""

    def __init__(self) -> None:
        """Know when it has heard of it."""
        self.entered = asyncio.Event()

    async def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        """Wait for ever."""
        if name == "control.finished":
            self.entered.set()
            await asyncio.Event().wait()


class Away:
    """A sink that is away when a run ends."""

    def write(self, record: Any) -> None:
        """Fail."""
        if record["event"] == "control.finished":
            raise ConnectionError

    def close(self) -> None:
        """Do nothing."""


def asks(door: str, policy: ControlPolicy) -> Runnable[Any, Any]:
    """Return a model under control, through one of the doors or within a chain."""
    model = ScriptedChatModel(script=lambda _: GOOD)
    controlled = with_control(model, policy)
    return {
        "chain": controlled,
        "within a chain": RunnableLambda(lambda x: x) | controlled,
        "graph": RunnableLambda(lambda x: {"messages": [HumanMessage(x)]})
        | create_control_graph(model, policy),
        "a question that is turned away": with_control(
            model, policy.override(guard={"max_chars": 1})
        ),
        "agent": RunnableLambda(lambda x: {"messages": [HumanMessage(x)]})
        | create_agent(model, [], middleware=[ControlMiddleware(policy)]),
        "an agent that raises": RunnableLambda(lambda x: {"messages": [HumanMessage(x)]})
        | create_agent(
            model,
            [],
            middleware=[
                ControlMiddleware(policy.override(guard={"max_chars": 1}), exit_behavior="error")
            ],
        ),
        "a person": RunnableLambda(lambda x: {"messages": [HumanMessage(x)]})
        | create_control_graph(
            ScriptedChatModel(script=lambda _: "no"),
            policy.override(
                validator=ResponseValidator(response_schema=CITY),
                retry=RetryEngine(max_attempts=1),
                fallback=FallbackRouter(strategies=[("person", Person())]),
            ),
        ),
    }[door]


class Person(HumanAnswer):
    """Answers without a pause."""

    def __call__(self, *_: Any) -> str:
        """Answer."""
        return GOOD


WAYS = [
    "chain",
    "within a chain",
    "graph",
    "a question that is turned away",
    "agent",
    "an agent that raises",
    "a person",
]


def ends(audit: AuditLogger | MemorySink) -> list[str]:
    """List what was told of the ends of runs."""
    told = [record["event"] for record in audit.to_records()]
    return [event for event in told if event in ("control.finished", "control.cut_off")]


@pytest.mark.parametrize("way", WAYS)
def test_a_trail_that_fails_closed_has_one_end(way: str, call: Any) -> None:
    """What was told as finished is not told as cut off, too."""
    audit = AuditLogger(None, sinks=[Away()], raise_error=True)

    with pytest.raises(ConnectionError):
        call(asks(way, ControlPolicy(audit=audit)), "Which city?")

    assert ends(audit) == ["control.finished"]


@pytest.mark.parametrize("way", WAYS)
def test_a_sink_that_was_away_at_the_end_has_one_all_the_same(way: str, call: Any) -> None:
    """It missed that the run had finished, and is told that the run was cut off."""

    class Missed(Away, MemorySink):
        """Keeps every other record."""

        def write(self, record: Any) -> None:
            """Fail at the end."""
            Away.write(self, record)
            MemorySink.write(self, record)

    sink = Missed()
    audit = AuditLogger(None, sinks=[sink], raise_error=True)

    with pytest.raises(ConnectionError):
        call(asks(way, ControlPolicy(audit=audit)), "Which city?")

    assert ends(sink) == ["control.cut_off"]


@pytest.mark.parametrize("way", WAYS)
def test_another_listener_that_stops_the_end_leaves_the_trail_one(way: str, call: Any) -> None:
    """Whichever of the two LangChain tells first."""
    audit = AuditLogger(None)
    asked = asks(way, ControlPolicy(audit=audit))

    with pytest.raises(ConnectionError):
        call(asked, "Which city?", {"callbacks": [Stopping()]})

    assert len(ends(audit)) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_caller_who_leaves_when_the_end_is_told_changes_it_no_more(way: str) -> None:
    """It was told as finished, and is not told as cut off."""
    audit, handler = AuditLogger(None), Hanging()
    asked = asks(way, ControlPolicy(audit=audit))

    running = asyncio.create_task(asked.ainvoke("Which city?", {"callbacks": [handler]}))
    await handler.entered.wait()
    running.cancel()
    await asyncio.wait({running})

    assert running.cancelled()
    assert ends(audit) == ["control.finished"]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_what_a_run_that_goes_on_uses_is_settled(durability: Any) -> None:
    """The end of the try that raised is not noted in what LangGraph stores."""

    class Settling(RateLimiter):
        """Knows what was settled."""

        def settle(self, reservation: Any, tokens: float) -> Any:
            """Note it."""
            settled.append((reservation.tokens, tokens))
            return super().settle(reservation, tokens)

    settled: list[Any] = []
    model = ScriptedChatModel(script=[KeyError(), Reply(GOOD, input_tokens=30, output_tokens=2)])
    limiter = Settling(tokens_per_minute=1000, estimate_tokens=lambda _: 100)
    graph = create_control_graph(
        model, ControlPolicy(limiter=limiter), checkpointer=InMemorySaver()
    )
    thread: Any = {"configurable": {"thread_id": "1"}}

    with pytest.raises(KeyError):
        graph.invoke({"messages": [HumanMessage("Which city?")]}, thread, durability=durability)
    assert graph.get_state(thread).values["reservation"]
    graph.invoke(None, thread, durability=durability)

    assert settled == [(100, 0), (0, 32)]


@pytest.mark.parametrize("door", ["graph", "agent"])
def test_a_detector_that_pauses_the_graph_takes_a_rate_limit_once(door: Any, call: Any) -> None:
    """On resume the step begins anew, and takes its room then."""

    def asks_a_person(_: str) -> list[Any]:
        interrupt("Is this all right?")
        return []

    limiter = RateLimiter(requests_per_minute=1)
    policy = ControlPolicy(guard=InputGuard(detectors=[asks_a_person]), limiter=limiter)
    model, saver = ScriptedChatModel(script=[GOOD]), InMemorySaver()
    asked: Any = (
        create_control_graph(model, policy, checkpointer=saver)
        if door == "graph"
        else create_agent(model, [], middleware=[ControlMiddleware(policy)], checkpointer=saver)
    )
    thread = {"configurable": {"thread_id": "1"}}

    paused = call(asked, {"messages": [HumanMessage("Which city?")]}, thread)
    state = call(asked, Command(resume=True), thread)

    assert paused["__interrupt__"]
    assert state["messages"][-1].text == GOOD
    with pytest.raises(RateLimited):
        limiter.acquire()
