"""Questions whose answer is not in the text: small sums, and things that everybody knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from benchmarks.real_model.tasks.task import Task, Text

__all__ = ["REASONING"]

REASONING: Sequence[Task] = (
    Task(
        "apples",
        "Tom has 3 apples and buys 4 more. How many apples does he have?",
        '{"apples": 0}',
        {"apples": int},
        {"apples": 7},
    ),
    Task(
        "change",
        "A coffee costs 2 dollars. I pay with 10 dollars. How many dollars do I get back?",
        '{"dollars": 0}',
        {"dollars": int},
        {"dollars": 8},
    ),
    Task(
        "sorted",
        "Sort these numbers, the smallest first: 8, 3, 5.",
        '{"numbers": [0, 0, 0]}',
        {"numbers": Annotated[list[int], Field(min_length=3, max_length=3)]},
        {"numbers": [3, 5, 8]},
    ),
    Task(
        "capital",
        "What is the capital of Japan?",
        '{"capital": "..."}',
        {"capital": Text},
        {"capital": "Tokyo"},
    ),
    Task(
        "opposite",
        "What is the opposite of hot?",
        '{"word": "..."}',
        {"word": Text},
        {"word": "cold"},
    ),
)
