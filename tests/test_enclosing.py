"""A run in a part of another one belongs to that one's request."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool

from langchain_control import (
    AuditLogger,
    ControlMiddleware,
    ControlPolicy,
    ControlResult,
    FallbackRouter,
    ResponseValidator,
    create_control_graph,
    with_control,
)
from langchain_control._enclosing import as_part, parts_under_way
from langchain_control.events import REQUEST_ID
from langchain_control.middleware import agent_result
from langchain_control.runs.results import result_of
from langchain_control.runs.state import state_of
from langchain_control.testing import Reply, ScriptedChatModel
from tests.doors import DOORS, QUESTION
from tests.middleware.agents import calling, tool_call


async def through_chain_async(model: Any, policy: ControlPolicy) -> ControlResult:
    return await with_control(model, policy, include_result=True).ainvoke(QUESTION)


async def through_graph_async(model: Any, policy: ControlPolicy) -> ControlResult:
    return result_of(await create_control_graph(model, policy).ainvoke(state_of(QUESTION)))


async def through_agent_async(model: Any, policy: ControlPolicy) -> ControlResult:
    agent = create_agent(model, [], middleware=[ControlMiddleware(policy)])
    return agent_result(await agent.ainvoke({"messages": [HumanMessage(QUESTION)]}))


def asked(door: Any, model: Any, policy: ControlPolicy) -> ControlResult:
    ended = door(model, policy)
    return asyncio.run(ended) if asyncio.iscoroutine(ended) else ended


ALL_DOORS = [*DOORS, through_chain_async, through_graph_async, through_agent_async]
every_door = pytest.mark.parametrize("door", ALL_DOORS, ids=lambda d: d.__name__)


def saying(text: str, *, tokens: int = 100) -> ScriptedChatModel:
    reply = Reply(text, input_tokens=tokens, output_tokens=tokens)
    return ScriptedChatModel(script=lambda _: reply, model_name=text)


def down() -> ScriptedChatModel:
    return ScriptedChatModel(script=lambda _: ConnectionError())


class AsksJudge:
    """A rule that asks a controlled model, without a config to hand on."""

    name = "judge"

    def __init__(self, audit: AuditLogger) -> None:
        self._judge = with_control(saying("yes"), ControlPolicy(audit=audit))

    def check(self, answer: Any) -> list[str]:
        self._judge.invoke("Is it fine?")
        return []


def told(audit: AuditLogger) -> list[tuple[str, str | None]]:
    return [(r["event"].removeprefix("control."), r.get("within")) for r in audit.to_records()]


@every_door
@pytest.mark.parametrize("has_audit", [False, True])
def test_a_controlled_fallback_is_no_request(door: Any, *, has_audit: bool) -> None:
    """The request was answered by a fallback, whose tokens were used once."""
    audit = AuditLogger(None)
    spare = with_control(saying("Spare."), ControlPolicy(audit=audit if has_audit else None))
    policy = ControlPolicy(
        retry={"max_attempts": 1},
        fallback=FallbackRouter(strategies=[("spare", spare)]),
        audit=audit,
    )

    result = asked(door, down(), policy)

    summary = audit.summary()
    assert (summary.requests, summary.fallbacks, summary.accepted) == (1, 1, 0)
    assert (summary.input_tokens, summary.output_tokens) == (100, 100)
    assert summary.retries == {0: 1}
    assert {r["request_id"] for r in audit.to_records()} == {result.request_id}
    assert told(audit) == [
        ("attempt", None),
        ("attempt", "fallback"),
        ("finished", "fallback"),
        ("fallback", None),
        ("finished", None),
    ]


@every_door
def test_a_controlled_judge_is_no_request_and_belongs_to_the_one_it_judges(door: Any) -> None:
    """A rule is handed no config, and its judge's tokens are told nowhere else."""
    audit = AuditLogger(None)
    validator = ResponseValidator(rules=[AsksJudge(audit)])

    result = asked(door, saying("Fine.", tokens=1), ControlPolicy(validator=validator, audit=audit))

    summary = audit.summary()
    assert (summary.requests, summary.accepted, summary.input_tokens) == (1, 1, 101)
    assert ("finished", "validate") in told(audit)
    assert {r["request_id"] for r in audit.to_records()} == {result.request_id}


def test_a_controlled_model_in_a_controlled_chain_is_no_request() -> None:
    """The attempt of the chain tells what it has used."""
    audit = AuditLogger(None)
    inner = with_control(saying("Better?"))
    chain = RunnableLambda(inner.invoke, name="chain")

    with_control(chain, ControlPolicy(audit=audit)).invoke("Good?")

    summary = audit.summary()
    assert (summary.requests, summary.input_tokens) == (1, 100)
    assert ("finished", "call") in told(audit)


def test_what_a_controlled_fallback_asks_in_turn_is_counted_by_the_outermost() -> None:
    """Each run is within the part of the one around it."""
    audit = AuditLogger(None)
    last = with_control(saying("Last."))
    once = {"max_attempts": 1}
    spare = with_control(down(), ControlPolicy(retry=once, fallback={"strategies": [("l", last)]}))
    policy = ControlPolicy(retry=once, fallback={"strategies": [("spare", spare)]}, audit=audit)

    with_control(down(), policy).invoke("Good?")

    summary = audit.summary()
    assert (summary.requests, summary.fallbacks, summary.input_tokens) == (1, 1, 100)


def test_two_requests_of_one_id_are_two() -> None:
    """A caller may give one id to several requests that follow each other."""
    audit = AuditLogger(None)
    controlled = with_control(saying("Fine."), ControlPolicy(audit=audit))

    for _ in range(2):
        controlled.invoke("Good?", {"metadata": {REQUEST_ID: "order-17"}})

    assert audit.summary().requests == 2
    assert not any("within" in record for record in audit.to_records())


def test_an_agent_behind_a_tool_is_a_request_that_the_story_tells_apart() -> None:
    """It has an end of its own, which is not the end of the agent that calls the tool."""
    audit = AuditLogger(None)
    policy = ControlPolicy(audit=audit)
    inner = create_agent(saying("Sunny."), [], middleware=[ControlMiddleware(policy)])

    @tool
    def ask() -> str:
        """Ask another agent."""
        return str(inner.invoke({"messages": [("user", "How is it?")]})["messages"][-1].text)

    model = ScriptedChatModel(script=[calling(tool_call("ask")), "It is sunny."])
    outer = create_agent(model, [ask], middleware=[ControlMiddleware(policy)])
    outer.invoke({"messages": [("user", "How is it?")]}, {"metadata": {REQUEST_ID: "r"}})

    assert audit.summary().requests == 2
    assert [within for event, within in told(audit) if event == "finished"] == ["tool", None]
    assert "  within tool: finished: accepted" in audit.story("r")


def test_a_fallback_that_was_given_up_does_not_end_the_request_a_second_time() -> None:
    """A thread cannot be stopped: the fallback's run goes on after the request has ended."""
    audit, may_answer = AuditLogger(None), threading.Event()

    def late(_: Any) -> str:
        may_answer.wait()
        return "Late."

    spare = with_control(ScriptedChatModel(script=late), ControlPolicy(audit=audit))
    policy = ControlPolicy(
        timeout_seconds=0.05,
        retry={"max_attempts": 1},
        fallback={"strategies": [("spare", spare)]},
        audit=audit,
    )

    result = with_control(down(), policy, include_result=True).invoke("Good?")
    before = {thread for thread in threading.enumerate() if "control" in thread.name}
    may_answer.set()
    for thread in before:
        thread.join()

    assert result.status == "exhausted"
    ends = [within for event, within in told(audit) if event == "finished"]
    assert ends == [None, "fallback"]
    assert (audit.summary().requests, audit.summary().accepted) == (1, 0)


def test_parts_end_with_their_flow() -> None:
    """What comes after a part is not within it, however the part ended."""

    def crashing() -> Any:
        yield
        raise ValueError

    flow = as_part(crashing(), "r", "call")
    next(flow)
    assert [part.name for part in parts_under_way()] == ["call"]
    with pytest.raises(ValueError):  # noqa: PT011  (the one raised above)
        next(flow)

    assert parts_under_way() == ()


async def test_a_task_that_outlives_its_request_works_for_requests_of_their_own() -> None:
    """As a worker does that the first request begins: later ones are neither its nor part of it."""
    audit = AuditLogger(None)
    policy = ControlPolicy(audit=audit)
    summarizer = with_control(ScriptedChatModel(script=lambda _: "Short."), policy)
    jobs: asyncio.Queue[str] = asyncio.Queue()
    workers: list[asyncio.Task[None]] = []

    async def work() -> None:
        while True:
            await summarizer.ainvoke(await jobs.get())
            jobs.task_done()

    async def begin(question: Any) -> str:
        workers.append(asyncio.create_task(work()))
        return "Begun."

    await with_control(RunnableLambda(begin), policy).ainvoke("Begin.")
    for _ in range(3):
        await jobs.put("Sum this up.")
        await jobs.join()
    workers[0].cancel()

    ends = [record for record in audit.to_records() if record["event"] == "control.finished"]
    assert len({record["request_id"] for record in ends}) == 4
    assert not any("within" in record for record in ends)
    assert audit.summary().requests == 4
