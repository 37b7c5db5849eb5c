"""Faults on the wire, through a real client: an accepted answer, or the right named failure.

Each scenario runs through `with_control` and through the graph, sync and async, with answers that
come whole and answers that are streamed by the provider.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import httpx
import pytest
from langchain_core.messages import HumanMessage

from langchain_control import (
    AuditLogger,
    ControlPolicy,
    ControlResult,
    FailureMode,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.runs.results import result_of
from langchain_control.sinks import MemorySink
from tests.wire import servers

openai = pytest.importorskip("langchain_openai")
pytest.importorskip("llmock")

pytestmark = [pytest.mark.enable_socket, pytest.mark.wire]

QUESTION = "Which city is the capital of France?"
ANSWER = "Paris is the capital of France, and has been for a long time."
ATTEMPTS = 3
PATIENT, SHORT = 10.0, 1.8
"""Seconds for a call: enough on the busiest machine, and too few for what is late."""


class Fault(NamedTuple):
    """What a provider does, and what must come of it."""

    name: str
    arrange: Callable[[Any], Any]
    modes: tuple[FailureMode, ...]
    """Of the attempts, in order. The last one tells how the request ends."""
    streamed: bool | None = None
    """Whether it happens in streams only, or only outside of them."""
    timeout_seconds: float = PATIENT


OK = FailureMode.NONE
BUSY, BROKEN = FailureMode.RATE_LIMITED, FailureMode.MODEL_ERROR
LATE, REFUSED = FailureMode.TIMEOUT, FailureMode.MODEL_REJECTED

FAULTS = [
    Fault("none", lambda llm: None, (OK,)),
    Fault("429 with Retry-After", lambda llm: llm.rate_limit(retry_after=0.2), (BUSY, OK)),
    Fault("429", lambda llm: llm.fail(429, retry_after=0), (BUSY, OK)),
    Fault("429 for ever", lambda llm: llm.fail(429, times=None, retry_after=0), (BUSY,) * 3),
    Fault("500", lambda llm: llm.fail(500, retry_after=0), (BROKEN, OK)),
    Fault("502", lambda llm: llm.fail(502, retry_after=0), (BROKEN, OK)),
    Fault("503 twice", lambda llm: llm.fail(503, times=2, retry_after=0), (BROKEN, BROKEN, OK)),
    Fault("529", lambda llm: llm.fail(529, retry_after=0), (BROKEN, OK)),
    Fault("an outage", lambda llm: llm.fail(503, times=None, retry_after=0), (BROKEN,) * 3),
    Fault("a bad key", lambda llm: llm.fail(401), (REFUSED,)),
    Fault("no access", lambda llm: llm.fail(403), (REFUSED,)),
    Fault("no such model", lambda llm: llm.fail(404), (REFUSED,)),
    Fault("context overflow", lambda llm: llm.context_overflow(), (FailureMode.CONTEXT_OVERFLOW,)),
    Fault("late", lambda llm: llm.delay(3.0), (LATE, OK), timeout_seconds=SHORT),
    Fault("slow to begin", lambda llm: llm.slow_first_token(3.0), (LATE, OK), True, SHORT),
    Fault("a stall", lambda llm: llm.stall(seconds=3.0), (LATE, OK), True, SHORT),
    Fault("a stream that is cut", lambda llm: llm.disconnect(), (BROKEN, OK), streamed=True),
    Fault("a stream that ends early", lambda llm: llm.truncate(), (BROKEN, OK), streamed=True),
    Fault("a corrupt chunk", lambda llm: llm.corrupt(), (BROKEN, OK), streamed=True),
]


class Provider(NamedTuple):
    """Where the model is, and how it answers."""

    address: str
    streamed: bool

    def model(self, **clients: Any) -> Any:
        return openai.ChatOpenAI(
            model="gpt-4o",
            base_url=self.address,
            api_key="none",
            max_retries=0,
            streaming=self.streamed,
            **clients,
        )


def policy(sink: MemorySink, timeout_seconds: float) -> ControlPolicy:
    return ControlPolicy(
        retry=RetryEngine(max_attempts=ATTEMPTS, base_delay_seconds=0.01, jitter_seconds=0),
        audit=AuditLogger(None, sinks=[sink]),
        timeout_seconds=timeout_seconds,
        deadline_seconds=30,
    )


def in_a_loop(provider: Provider, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    """Ask in an event loop of its own, with a client that ends with it."""

    async def main() -> Any:
        async with httpx.AsyncClient() as client:
            return await ask(provider.model(http_async_client=client))

    return asyncio.run(main())


def through_the_pipe(provider: Provider, rules: ControlPolicy) -> ControlResult:
    return with_control(provider.model(), rules, include_result=True).invoke(QUESTION)


def through_the_pipe_async(provider: Provider, rules: ControlPolicy) -> ControlResult:
    return in_a_loop(
        provider, lambda model: with_control(model, rules, include_result=True).ainvoke(QUESTION)
    )


def through_a_stream(provider: Provider, rules: ControlPolicy) -> ControlResult:
    [result] = with_control(provider.model(), rules, include_result=True).stream(QUESTION)
    return result


def through_the_graph(provider: Provider, rules: ControlPolicy) -> ControlResult:
    graph = create_control_graph(provider.model(), rules)
    return result_of(graph.invoke({"messages": [HumanMessage(QUESTION)]}))


def through_the_graph_async(provider: Provider, rules: ControlPolicy) -> ControlResult:
    asked = {"messages": [HumanMessage(QUESTION)]}
    return result_of(
        in_a_loop(provider, lambda model: create_control_graph(model, rules).ainvoke(asked))
    )


DOORS = [
    through_the_pipe, through_the_pipe_async, through_a_stream,
    through_the_graph, through_the_graph_async,
]  # fmt: skip


def cases() -> Iterator[Any]:
    for fault in FAULTS:
        for streamed in (False, True) if fault.streamed is None else (fault.streamed,):
            for door in DOORS:
                how = "streamed" if streamed else "whole"
                yield pytest.param(fault, streamed, door, id=f"{fault.name}-{how}-{door.__name__}")


@pytest.mark.parametrize(("fault", "streamed", "door"), list(cases()))
def test_a_fault_ends_in_an_answer_or_in_its_name(llmock, fault, streamed, door):
    """The result, the requests on the wire and the audit trail tell the same story."""
    llmock.reply(ANSWER, times=None)
    fault.arrange(llmock)
    sink = MemorySink()

    result = door(
        Provider(llmock.base_url("openai"), streamed), policy(sink, fault.timeout_seconds)
    )

    assert tuple(a["failure_mode"] for a in result.attempts) == fault.modes
    assert result.passed == (fault.modes[-1] is OK)
    assert result.failure_mode is fault.modes[-1]
    if result.passed:
        assert result.message.content == ANSWER
    assert len(llmock.requests) == len(fault.modes)
    assert not llmock.verdict().errors
    events = Counter(record["event"] for record in sink.records)
    assert events["control.attempt"] == len(fault.modes)
    assert events["control.finished"] == 1


# --- what happens below HTTP ----------------------------------------------------------------------

BELOW = [
    ("connection refused", None, BROKEN),
    ("connection reset", servers.reset, BROKEN),
    ("a hang", servers.hang, LATE),
    ("slow headers", servers.slow_headers, LATE),
    ("a page for people", servers.web_page, BROKEN),
    ("429 without Retry-After", servers.busy, BUSY),
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("behaviour", "mode"), [b[1:] for b in BELOW], ids=[b[0] for b in BELOW])
def test_a_broken_connection_is_named(behaviour, mode, streamed, door):
    """Three attempts, each with a connection of its own, and a failure that says what it was."""
    sink = MemorySink()
    with ExitStack() as stack:
        server = stack.enter_context(servers.serving(behaviour)) if behaviour else None
        address = server.address if server else servers.unused_address()

        seconds = 0.15 if mode is LATE else PATIENT
        result = door(Provider(address, streamed), policy(sink, seconds))

    assert [a["failure_mode"] for a in result.attempts] == [mode] * ATTEMPTS
    assert (result.status, result.failure_mode) == ("exhausted", mode)
    assert server is None or server.connections == ATTEMPTS
    assert Counter(r["event"] for r in sink.records)["control.attempt"] == ATTEMPTS
