"""Answers with objects and lists in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from benchmarks.real_model.tasks.task import Task, Text, record

__all__ = ["NESTED"]

_LINE = record("Line", item=Text, quantity=Annotated[int, Field(ge=1)])

NESTED: Sequence[Task] = (
    Task(
        "customer",
        "Ivan Petrov lives at 7 Oak Street in Sofia. What are his name and his address?",
        '{"name": "...", "address": {"street": "...", "city": "..."}}',
        {"name": Text, "address": record("Address", street=Text, city=Text)},
        {"name": "Ivan Petrov", "address": {"street": "7 Oak Street", "city": "Sofia"}},
    ),
    Task(
        "order_lines",
        "A customer writes: Two pens and one notebook, please. What is ordered?",
        '{"lines": [{"item": "...", "quantity": 0}, ...]}',
        {"lines": Annotated[list[_LINE], Field(min_length=1, max_length=5)]},  # type: ignore[valid-type]  # made of data
        {"lines": [{"quantity": 2}, {"quantity": 1}]},
    ),
    Task(
        "team",
        "Ana leads the team. Ben and Cleo are its members. Who leads it, and who is in it?",
        '{"leader": "...", "members": ["...", "..."]}',
        {"leader": Text, "members": Annotated[list[Text], Field(min_length=1, max_length=5)]},
        {"leader": "Ana", "members": {"Ben", "Cleo"}},
    ),
    Task(
        "not_known",
        "The van stands at gate 4. Nobody wrote down its color. "
        "At which gate is it, and which color is it? Write null for what is not known.",
        '{"gate": 0, "color": "..."|null}',
        {"gate": int, "color": Text | None},
        {"gate": 4, "color": None},
    ),
    Task(
        "route",
        "The train goes from Bern through Zurich to Munich. In which cities does it stop?",
        '{"stops": ["...", "...", "..."]}',
        {"stops": Annotated[list[Text], Field(min_length=2, max_length=6)]},
        {"stops": ["Bern", "Zurich", "Munich"]},
    ),
    Task(
        "position",
        "Oslo lies at 59.9 degrees north and 10.8 degrees east. Which city is it, and where?",
        '{"city": "...", "position": {"latitude": 0.0, "longitude": 0.0}}',
        {
            "city": Text,
            "position": record(
                "Position",
                latitude=Annotated[float, Field(ge=-90, le=90)],
                longitude=Annotated[float, Field(ge=-180, le=180)],
            ),
        },
        {"city": "Oslo", "position": {"latitude": 59.9, "longitude": 10.8}},
    ),
)
