"""A retry that was decided on, as plain data."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict  # pydantic builds no schema of typing's before 3.12

from langchain_control.outcomes import Rung

__all__ = ["PlannedRetry"]


class PlannedRetry(TypedDict):
    """The fields of a `Retry`, which documents them, as the state of a run keeps them."""

    number: int
    delay_seconds: float
    feedback: str | None
    strategy: Literal["simple", "prompt_mutation"]
    mutation: str | None
    rung: Rung
    native_schema: bool
    silent_in_schema_mode: bool
    resamples: int
    answer_limit_factor: float
