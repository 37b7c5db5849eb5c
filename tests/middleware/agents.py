"""What the tests of the agent door share: scripted agents with two tools."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import ToolException, tool
from pydantic import BaseModel

from langchain_control import AuditLogger, ControlPolicy, RetryEngine
from langchain_control.middleware import ControlMiddleware
from langchain_control.sinks import MemorySink
from langchain_control.testing import ScriptedChatModel
from tests.scenarios import AT_ONCE, ATTACK

HARMLESS = "How is the weather in Oslo?"
THREAD = {"configurable": {"thread_id": "1"}}


class Forecast(BaseModel):
    """A forecast."""

    city: str
    degrees: int


@tool
def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}."


@tool
def poisoned(city: str) -> str:
    """Read a page about a city that somebody else has written."""
    return f"{city}. {ATTACK}"


@tool
def broken(city: str) -> str:
    """Look a city up, and fail."""
    raise {"Oslo": ToolException("no such city, try Bergen"), "Rome": TimeoutError()}.get(
        city, ValueError("secret path /etc/x")
    )


def tool_call(name: str, *, id: str = "1", **arguments: Any) -> dict[str, Any]:  # noqa: A002
    return {"name": name, "args": arguments, "id": id}


def calling(*calls: dict[str, Any], text: str = "") -> AIMessage:
    """Make an answer that calls tools."""
    return AIMessage(text, tool_calls=list(calls))


def policy(**changes: Any) -> ControlPolicy:
    return ControlPolicy(**({"retry": RetryEngine(**AT_ONCE)} | changes))


def audited(**changes: Any) -> tuple[ControlPolicy, MemorySink]:
    sink = MemorySink()
    return policy(audit=AuditLogger(None, sinks=[sink]), **changes), sink


def agent_of(
    script: Any, rules: ControlPolicy | None = None, *, before=(), after=(), control=None, **options
) -> tuple[Any, ScriptedChatModel]:
    """Make a controlled agent and the model that it asks."""
    model = ScriptedChatModel(script=script)
    made = ControlMiddleware(rules or policy(), **(control or {}))
    options.setdefault("tools", [weather, poisoned, broken])
    return create_agent(model, middleware=[*before, made, *after], **options), model


def ask(text: str = HARMLESS) -> dict[str, Any]:
    return {"messages": [("user", text)]}


def types(state: Any) -> list[str]:
    return [message.type for message in state["messages"]]


def stream(agent: Any, given: Any, mode: str, *, asynchronous: bool) -> list[Any]:
    """Collect a stream, synchronously or asynchronously."""
    if not asynchronous:
        return list(agent.stream(given, stream_mode=mode))

    async def collect():
        return [item async for item in agent.astream(given, stream_mode=mode)]

    return asyncio.run(collect())
