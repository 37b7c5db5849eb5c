"""The models behind the graphs: scripted ones, offline, or the one that the environment names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_control.testing import ScriptedChatModel

__all__ = ["choose_model", "clerk", "planner", "publisher", "researcher", "writer"]

NOT_KNOWN = "unknown"
"""A question with this word in it is one that the scripted models have no answer to."""


def choose_model(reply: Callable[[Sequence[BaseMessage]], Any]) -> Any:
    """Return what `CONTROL_MODEL` names, such as `openai:gpt-4.1-mini`, or a scripted model."""
    if name := os.environ.get("CONTROL_MODEL"):
        from langchain.chat_models import init_chat_model  # noqa: PLC0415  (an extra)

        return init_chat_model(name, max_retries=0)
    return ScriptedChatModel(script=reply)


def clerk(messages: Sequence[BaseMessage]) -> str:
    """Answer in JSON, or in prose where it does not know."""
    return "I would not know." if _is_hard(messages) else '{"answer": "This is a scripted reply."}'


def planner(messages: Sequence[BaseMessage]) -> AIMessage:
    """Call a tool, wrongly at first, and say what it gave."""
    if _is_hard(messages):
        return AIMessage("")
    results = [message for message in messages if message.type == "tool"]
    if results:
        return AIMessage(f"The answer is {results[-1].text}.")
    dates = {"start": "2026-01-01", "end": "2026-12-24"}
    is_corrected = "days_between" in messages[-1].text
    arguments = dates if is_corrected else {"from": "New Year", "to": "Christmas"}
    return AIMessage("", tool_calls=[{"name": "days_between", "args": arguments, "id": "1"}])


def researcher(messages: Sequence[BaseMessage]) -> str:
    """Find facts, in the wrong shape at first."""
    is_corrected = messages[-1].type == "human" and "facts" in messages[-1].text
    facts = ["It is sunny in Oslo."]
    return json.dumps({"facts": facts if is_corrected else facts[0]})


def writer(messages: Sequence[BaseMessage]) -> str:
    """Make a report of the facts before it."""
    return f"Report: {' '.join(json.loads(messages[-1].text)['facts'])}"


def publisher(messages: Sequence[BaseMessage]) -> str:
    """Publish the report before it."""
    return f"Published. {messages[-1].text}"


def _is_hard(messages: Sequence[BaseMessage]) -> bool:
    return any(NOT_KNOWN in message.text for message in messages if message.type == "human")
