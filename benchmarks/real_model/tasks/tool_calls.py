"""Requests to turn into a call: which tool, and with what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from benchmarks.real_model.tasks.task import Currency, Task, Text, record

__all__ = ["TOOL_CALLS"]

_HOUR, _MINUTE = Annotated[int, Field(ge=0, le=23)], Annotated[int, Field(ge=0, le=59)]

TOOL_CALLS: Sequence[Task] = (
    Task(
        "forecast",
        "How warm will it be in Paris tomorrow, in celsius? Call the tool `forecast`.",
        '{"tool": "forecast", "arguments": {"city": "...", "unit": "celsius|fahrenheit"}}',
        {
            "tool": Literal["forecast"],
            "arguments": record("Place", city=Text, unit=Literal["celsius", "fahrenheit"]),
        },
        {"arguments": {"city": "Paris", "unit": "celsius"}},
    ),
    Task(
        "alarm",
        "Wake me at half past six in the morning. Call the tool `set_alarm`.",
        '{"tool": "set_alarm", "arguments": {"hour": 0, "minute": 0}}',
        {
            "tool": Literal["set_alarm"],
            "arguments": record("Moment", hour=_HOUR, minute=_MINUTE),
        },
        {"arguments": {"hour": 6, "minute": 30}},
    ),
    Task(
        "music",
        "Turn the music off, please. Which tool does that?",
        '{"tool": "play_music|stop_music|set_volume"}',
        {"tool": Literal["play_music", "stop_music", "set_volume"]},
        {"tool": "stop_music"},
    ),
    Task(
        "currency",
        "How much are 50 US dollars in euros? Call the tool `convert`.",
        '{"tool": "convert", "arguments": {"amount": 0, "source": "ABC", "target": "ABC"}}',
        {
            "tool": Literal["convert"],
            "arguments": record("Exchange", amount=float, source=Currency, target=Currency),
        },
        {"arguments": {"amount": 50, "source": "USD", "target": "EUR"}},
    ),
    Task(
        "message",
        "Tell Lena that I am ten minutes late. Call the tool `send_message`.",
        '{"tool": "send_message", "arguments": {"to": "...", "text": "..."}}',
        {"tool": Literal["send_message"], "arguments": record("Note", to=Text, text=Text)},
        {"arguments": {"to": "Lena"}},
    ),
)
