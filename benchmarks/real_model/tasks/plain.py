"""Plain questions with one to three flat fields. These are the tasks of the short run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from benchmarks.real_model.tasks.task import Task, Text

__all__ = ["PLAIN"]

PLAIN: Sequence[Task] = (
    Task(
        "sentiment",
        "The battery died after two days and nobody answered my mails. "
        "What is the sentiment of this review?",
        '{"sentiment": "positive|negative"}',
        {"sentiment": Literal["positive", "negative"]},
        {"sentiment": "negative"},
    ),
    Task(
        "person",
        "Maria Lopez is 34 years old and lives in Madrid. What is her name and how old is she?",
        '{"name": "...", "age": 0}',
        {"name": Text, "age": int},
        {"name": "Maria Lopez", "age": 34},
    ),
    Task(
        "order",
        "A customer writes: I would like three blue mugs. What is ordered, and how many?",
        '{"item": "...", "quantity": 0}',
        {"item": Text, "quantity": int},
        {"quantity": 3},
    ),
    Task(
        "country",
        "In which country is the Eiffel Tower?",
        '{"country": "..."}',
        {"country": Text},
        {"country": "France"},
    ),
    Task(
        "yes_no",
        "Is the sun hotter than the moon?",
        '{"answer": "yes|no"}',
        {"answer": Literal["yes", "no"]},
        {"answer": "yes"},
    ),
    Task(
        "email",
        "Please send the invoice to anna.berg@example.org before Friday. "
        "Which e-mail address is in this text?",
        '{"email": "..."}',
        {"email": Text},
        {"email": "anna.berg@example.org"},
    ),
    Task(
        "ticket",
        "A customer writes: I was charged twice for my invoice. Which department should help?",
        '{"department": "billing|shipping|technical"}',
        {"department": Literal["billing", "shipping", "technical"]},
        {"department": "billing"},
    ),
    Task(
        "date",
        "The meeting is on 5 March 2026. On which day, month and year is it?",
        '{"day": 0, "month": 0, "year": 0}',
        {"day": int, "month": int, "year": int},
        {"day": 5, "month": 3, "year": 2026},
    ),
    Task(
        "weather",
        "It is 21 degrees in Oslo today. Which city is it, and how warm?",
        '{"city": "...", "degrees": 0}',
        {"city": Text, "degrees": int},
        {"city": "Oslo", "degrees": 21},
    ),
    Task(
        "language",
        "Which language is this sentence in: Guten Morgen, wie geht es dir?",
        '{"language": "English|French|German"}',
        {"language": Literal["English", "French", "German"]},
        {"language": "German"},
    ),
    Task(
        "summary",
        "The library opens at nine and closes at six. On Sundays it stays closed. "
        "Sum this up in one sentence.",
        '{"summary": "..."}',
        {"summary": Text},
    ),
    Task(
        "list",
        "Name three kinds of fruit.",
        '{"fruits": ["...", "...", "..."]}',
        {"fruits": Annotated[list[Text], Field(min_length=3, max_length=3)]},
    ),
)
