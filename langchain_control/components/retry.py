"""Trying again, differently."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, NamedTuple, Self

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import coerce_to_runnable
from pydantic import Field, model_validator

from langchain_control._effects import Call, Flow, Sleep
from langchain_control.components._base import Wrapped, Wrapper
from langchain_control.corrections import correction, with_correction
from langchain_control.errors import ControlError, classify, retry_after_seconds
from langchain_control.events import EventName, event
from langchain_control.fresh import without_cache
from langchain_control.nested_retries import nested_retries
from langchain_control.outcomes import Attempt, FailureMode, Violation
from langchain_control.remedies import RemedyTable

__all__ = ["Retry", "RetryEngine"]


@dataclass(frozen=True, slots=True)
class Retry:
    """How to try again."""

    number: int
    """Number of the next attempt; the first call was number 1."""
    delay_seconds: float
    """How long to wait before it."""
    feedback: str | None = None
    """The correction for the next prompt. `None` leaves the prompt as it was."""
    strategy: Literal["simple", "prompt_mutation"] = "simple"
    mutation: str | None = None
    """Name of the correction: the failure mode that it is for."""
    native_schema: bool = False
    """Whether to use the provider's own schema mode, where the model has one."""
    answer_limit_factor: float = 1.0
    """By how much to raise the model's own limit of answer tokens."""


class RetryEngine(Wrapper[Sequence[Attempt], Retry | None]):
    """Try again, and not with the same prompt.

    The failure mode selects the remedy from a table: whether to retry, what to tell the model, how
    long to wait. Failures of transport change nothing in the prompt; failures of content do.

    !!! example "Retry until the answer meets its contract"

        ```python
        retrying = RetryEngine(max_attempts=3).wrap(model, validator=ResponseValidator(...))
        ```
    """

    max_attempts: int = Field(default=3, ge=1, le=100)
    """Calls in all, the first one included. Most of what a retry can mend, the second call does."""
    base_delay_seconds: float = Field(default=0.05, ge=0)
    """Wait before the second attempt; it doubles with each further one."""
    max_delay_seconds: float = Field(default=2.0, ge=0)
    """Longest backoff, jitter included. A provider's `Retry-After` may exceed it."""
    jitter_seconds: float = Field(default=0.025, ge=0)
    """Most that chance adds to a backoff, so that callers do not come back in step."""
    policies: RemedyTable = Field(default_factory=RemedyTable)
    """What to do about each failure mode. Give the rows that differ from the default."""
    random: Random = Field(default_factory=Random, repr=False, exclude=True)
    """Where jitter comes from."""

    @property
    def InputType(self) -> Any:  # noqa: N802
        """The attempts so far."""
        return list[Attempt]

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """How to try again, or `None`."""
        return Retry | None

    def decide(
        self,
        attempts: Sequence[Attempt],
        *,
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
        remaining_seconds: float | None = None,
    ) -> Retry | None:
        """Say how to try again, or `None` to give up."""
        raise NotImplementedError

    def should_retry(self, mode: FailureMode, attempt_number: int) -> bool:
        """Say whether a failure of the attempt with this number is worth another one."""
        return self.policies[mode].retry and attempt_number < self.max_attempts

    def hint(self, mode: FailureMode, violations: Sequence[Violation] = ()) -> str | None:
        """Word the correction for a failure, or `None` if the prompt is not at fault."""
        instruction = self.policies[mode].correction
        return None if instruction is None else correction(instruction, violations)

    def delay_seconds(self, attempt_number: int, retry_after: float | None = None) -> float:
        """Return how long to wait after the attempt with this number failed."""
        raise NotImplementedError

    def wrap(self, runnable: Any, validator: Runnable[Any, Any] | None = None) -> Wrapped:
        """Return `runnable` with retries."""
        raise NotImplementedError

    def _flow(self, value: Sequence[Attempt], config: RunnableConfig) -> Flow[Retry | None]:
        raise NotImplementedError

    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        raise NotImplementedError
