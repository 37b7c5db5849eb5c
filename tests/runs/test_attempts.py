"""What is written down of an attempt."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, ToolMessage

from langchain_control.runs.attempts import sha256_of


def asked(args: Any, *, name: str = "weather", call_id: str = "1") -> list[BaseMessage]:
    """Return a conversation in which a tool was called."""
    call = {"name": name, "args": args, "id": call_id}
    answered = ToolMessage("sunny", tool_call_id=call_id)
    return [HumanMessage("And there?"), AIMessage("", tool_calls=[call]), answered]


def nested(levels: int, value: Any) -> Any:
    """Return a value within so many mappings."""
    for _ in range(levels):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (asked({"city": "Oslo"}), asked({"city": "Rome"})),
        (asked({"city": "Oslo"}), asked({"city": "Oslo"}, name="population")),
        (asked({"city": "Oslo"}), asked({"city": "Oslo"}, call_id="2")),
        (asked({"city": "\ud800"}), asked({"city": "\ud801"})),
        (asked({"city": b"Oslo"}), asked({"city": b"Rome"})),
        (asked({"cities": {"Oslo", "Rome"}}), asked({"cities": {"Oslo", "Bern"}})),
        (asked(nested(5000, "Oslo")), asked(nested(5000, "Rome"))),
        ([HumanMessage([nested(5000, "Oslo")])], [HumanMessage([nested(5000, "Rome")])]),
        ([HumanMessage("Hi", name="Ada")], [HumanMessage("Hi", name="Bob")]),
        ([ChatMessage("Hi", role="critic")], [ChatMessage("Hi", role="author")]),
        (
            [ToolMessage("none", tool_call_id="1", status="error")],
            [ToolMessage("none", tool_call_id="1", status="success")],
        ),
    ],
)
def test_prompts_that_differ_have_other_hashes(
    one: list[BaseMessage], other: list[BaseMessage]
) -> None:
    """Whatever a model is told of a message counts, also where JSON has no word for it."""
    assert sha256_of(one) != sha256_of(other)
    assert sha256_of(one) == sha256_of([message.model_copy() for message in one])


def test_processes_agree_on_a_hash() -> None:
    """Also on that of a set, whose order is another one in each."""
    code = (
        "from langchain_core.messages import AIMessage\n"
        "from langchain_control.runs.attempts import sha256_of\n"
        "call = {'name': 'map', 'args': {'cities': {'Oslo', 'Rome', 'Bern', 'Kyiv'}}, 'id': '1'}\n"
        "print(sha256_of([AIMessage('', tool_calls=[call])]))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(hashes) == 1
