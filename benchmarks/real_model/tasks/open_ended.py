"""Questions with many right answers: the contract is all that can be checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints

from benchmarks.real_model.tasks.task import Task, Text

__all__ = ["OPEN_ENDED"]

_SHORT = Annotated[str, StringConstraints(min_length=1, max_length=60)]

OPEN_ENDED: Sequence[Task] = (
    Task(
        "slogan",
        "Write a slogan for a bakery, in at most 60 characters.",
        '{"slogan": "..."}',
        {"slogan": _SHORT},
    ),
    Task(
        "reply",
        "Thank a customer for an order, in a subject of at most 60 characters and one sentence.",
        '{"subject": "...", "body": "..."}',
        {"subject": _SHORT, "body": Text},
    ),
)
