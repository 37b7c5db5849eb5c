"""Texts to put into one or several of some given classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from benchmarks.real_model.tasks.task import Task

__all__ = ["CHOICES"]

CHOICES: Sequence[Task] = (
    Task(
        "spam",
        "You have won a million dollars! Click here and enter your card number. Is this mail spam?",
        '{"spam": true|false}',
        {"spam": bool},
        {"spam": True},
    ),
    Task(
        "priority",
        "A customer writes: The whole shop is down and we lose money every minute. "
        "How urgent is this?",
        '{"priority": "low|normal|urgent"}',
        {"priority": Literal["low", "normal", "urgent"]},
        {"priority": "urgent"},
    ),
    Task(
        "topic",
        "To which section does this headline belong: Home team wins the cup after penalties?",
        '{"section": "politics|science|sports|business"}',
        {"section": Literal["politics", "science", "sports", "business"]},
        {"section": "sports"},
    ),
    Task(
        "rating",
        "I give it five stars out of five, best purchase of the year. How many stars is that?",
        '{"stars": 1-5}',
        {"stars": Annotated[int, Field(ge=1, le=5)]},
        {"stars": 5},
    ),
    Task(
        "labels",
        "My order came a week late and the box was broken. Which labels fit this complaint?",
        '{"labels": ["late|damaged|wrong_item|price", "..."]}',
        {
            "labels": Annotated[
                list[Literal["late", "damaged", "wrong_item", "price"]],
                Field(min_length=1, max_length=4),
            ]
        },
        {"labels": {"late", "damaged"}},
    ),
)
