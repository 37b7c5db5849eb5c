"""Trying again, differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from random import Random
from typing import Any, Literal, Self, cast

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import coerce_to_runnable
from pydantic import Field, field_validator, model_validator

from langchain_control._effects import Call, Flow, Sleep
from langchain_control._waiting import MAX_SECONDS
from langchain_control.components.shapes import Several, Wrapped, Wrapper
from langchain_control.errors import (
    AttemptsExhausted,
    BudgetExceeded,
    ControlError,
    InputRejected,
    classify,
    retry_after_seconds,
)
from langchain_control.errors.declared import FailureModes
from langchain_control.events import UNHEARD, as_attempt, retry_scheduled
from langchain_control.models.fresh import without_cache
from langchain_control.models.names import named_in
from langchain_control.models.variants import name_of
from langchain_control.outcomes import (
    Attempt,
    FailureMode,
    PlannedRetry,
    Rung,
    Violation,
    answered_by,
)
from langchain_control.retries.budget import RetryBudget
from langchain_control.retries.corrections import correction
from langchain_control.retries.ladder import (
    FIRST_RUNG,
    Failed,
    failure_fingerprint,
    is_at_least,
    next_rung,
)
from langchain_control.retries.nested import warn_of_nested_retries
from langchain_control.retries.places import corrected
from langchain_control.retries.quotation import quotation
from langchain_control.retries.remedies import DEFAULT_REMEDIES, RemedyTable

__all__ = ["Retry", "RetryEngine"]

_FINAL = (InputRejected, BudgetExceeded, AttemptsExhausted)
"""Never retried: the input is at fault, or everything was tried already."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How to try again."""

    number: int
    """Number of the next attempt; the first call was number 1."""
    delay_seconds: float
    """How long to wait before it."""
    feedback: str | None = None
    """The correction for the next prompt. `None` if no attempt so far calls for one."""
    strategy: Literal["simple", "prompt_mutation"] = "simple"
    mutation: str | None = None
    """Name of the correction: the failure mode that it is for."""
    rung: Rung = FIRST_RUNG
    """The way to ask: see `langchain_control.retries.ladder`."""
    native_schema: bool = False
    """Whether to use the provider's own schema mode, where the model has one."""
    silent_in_schema_mode: bool = False
    """Whether to leave the feedback out where the model has such a mode."""
    resamples: int = 0
    """Added to the model's seed, so that it draws anew; also raises a low temperature."""
    answer_limit_factor: float = 1.0
    """By how much to raise the model's own limit of answer tokens."""


class RetryEngine(Wrapper[Sequence[Attempt], Retry | None]):
    """Try again, with a correction where the answer was at fault.

    The failure mode selects the remedy from a table: whether to retry, what to tell the model, in
    which way to ask, how long to wait. Failures of transport change nothing in the prompt; failures
    of content do.

    !!! example "Retry until the answer meets its contract"

        ```python
        retrying = RetryEngine(max_attempts=3).wrap(model, validator=ResponseValidator(...))
        ```
    """

    max_attempts: int = Field(default=3, ge=1, le=100)
    """Calls in all, the first one included. Each one makes the user wait for a whole answer."""
    base_delay_seconds: float = Field(default=0.05, ge=0, le=MAX_SECONDS)
    """Wait before the second attempt; it doubles with each further one."""
    max_delay_seconds: float = Field(default=2.0, ge=0, le=MAX_SECONDS)
    """Longest backoff, jitter included. A provider's `Retry-After` may be longer."""
    jitter_seconds: float = Field(default=0.025, ge=0, le=MAX_SECONDS)
    """Most that chance adds to a backoff, so that callers do not come back in step."""
    max_retry_after_seconds: float = Field(default=60.0, ge=0, le=MAX_SECONDS)
    """Longest `Retry-After` that is waited for. After a longer one a fallback is due at once."""
    policies: RemedyTable = DEFAULT_REMEDIES
    """What to do about each failure mode. Give the rows that differ from the default."""
    other_model: Any = None
    """Who is asked on the rung `other_model`: a larger model, perhaps. `None` leaves it out."""
    quote_answers_of: Several[str] = ()
    """Names of models that are shown their rejected answer, cut short and fenced. None by default:
    small models repeat what they see."""
    failure_modes: FailureModes = Field(default=(), exclude=True)
    """What exceptions of your own mean, for `wrap`. A policy has a setting for all of it."""
    budget: RetryBudget = Field(default_factory=RetryBudget, repr=False, exclude=True)
    """Limit of retries over all requests. Bounds what an outage costs; `max_attempts` does not."""
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

    @model_validator(mode="after")
    def _waits_agree(self) -> Self:
        if self.base_delay_seconds > self.max_delay_seconds:
            msg = (
                f"`base_delay_seconds` ({self.base_delay_seconds:g}) is longer than "
                f"`max_delay_seconds` ({self.max_delay_seconds:g}), which bounds every backoff"
            )
            raise ValueError(msg)
        return self

    @field_validator("other_model", mode="before")
    @classmethod
    def _can_be_called(cls, value: Any) -> Any:
        try:
            return None if value is None else coerce_to_runnable(value)
        except TypeError as exc:
            msg = f"a model is a Runnable or a callable, got `{type(value).__name__}`"
            raise ValueError(msg) from exc

    def __repr_args__(self) -> Any:
        """Show the other model by name; its own repr may hold keys and addresses."""
        for field, value in super().__repr_args__():
            if field == "policies" and not value.__repr_args__():
                continue
            is_model = field == "other_model" and value is not None
            yield field, name_of(value) if is_model else value

    def decide(
        self,
        attempts: Sequence[Attempt],
        *,
        answer: str = "",
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
        remaining_seconds: float | None = None,
    ) -> Retry | None:
        """Say how to try again, or `None` to give up.

        `None` means that the last failure is not worth a retry, that the attempts are used up, or
        that the wait would be too long: then a fallback is due at once.

        Args:
            attempts: All attempts so far, at least one. The last one's failure decides.
            answer: The last answer, for models that are shown it.
            violations: What was wrong with the last answer.
            retry_after: Seconds the provider asked to wait.
            remaining_seconds: Time left until the deadline of the request.

        Raises:
            ValueError: There was no attempt yet.
        """
        if not attempts:
            msg = "`decide` needs at least one attempt"
            raise ValueError(msg)
        failures = [_failed(attempt) for attempt in attempts]
        retry = self._next(failures, violations, retry_after, remaining_seconds)
        if retry is None or not retry.feedback or not self._quotes(attempts[-1], retry):
            return retry
        told = retry.feedback + quotation(answer)
        return replace(retry, feedback=told, silent_in_schema_mode=False)

    def pay(self, mode: FailureMode) -> bool:
        """Pay for a retry after a failure of this mode, or return `False` if the budget is dry."""
        return not self.policies[mode].draws_on_budget or self.budget.spend()

    def succeeded(self, attempts: Sequence[Attempt]) -> None:
        """Tell the shared budget of an accepted answer, the last of these attempts."""
        self._earn(after=FailureMode(attempts[-2]["failure_mode"]) if len(attempts) > 1 else None)

    def should_retry(self, mode: FailureMode, attempt_number: int) -> bool:
        """Say whether a failure of the attempt with this number is worth another one."""
        is_retried = self.policies[mode].retry and bool(self._ladder(mode))
        return is_retried and attempt_number < self.max_attempts

    def hint(
        self, mode: FailureMode, violations: Sequence[Violation] = (), times: int = 1
    ) -> str | None:
        """Word the correction for a failure, or `None` if the prompt is not at fault.

        Args:
            mode: The failure.
            violations: What was wrong with the answer.
            times: How often the request has failed like this, the last time included. From the
                second time on the correction says so.
        """
        instruction = self.policies[mode].correction
        return None if instruction is None else correction(instruction, violations, times)

    def delay_seconds(self, attempt_number: int, retry_after: float | None = None) -> float:
        """Return how long to wait after the attempt with this number failed.

        The longer of `retry_after` and exponential backoff; jitter is added below the cap.
        """
        # Imports tornado where that is installed: 0.1 s that only a failure should cost.
        from tenacity import RetryCallState, Retrying, wait_exponential  # noqa: PLC0415

        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = attempt_number
        exponential = wait_exponential(self.base_delay_seconds, self.max_delay_seconds)
        jittered = exponential(state) + self.random.uniform(0, self.jitter_seconds)
        return max(retry_after or 0.0, min(jittered, self.max_delay_seconds))

    def wrap(self, runnable: Any, validator: Runnable[Any, Any] | None = None) -> Wrapped:
        """Return `runnable` with retries. Once they are used up, its last exception is raised.

        Retries the failures that `classify` recognizes and `policies` retries, including a gate's
        `ResponseRejected`. Anything else is raised at once, and so is a rejected input.

        A correction is added to the input where whatever reads it first has a place for one: as the
        last message of what a chat model is asked, as the `feedback` of a mapping for a
        `PromptBuilder`, a prompt template with such a variable, or a function. Any other input is
        tried again unchanged. Retries do not read LangChain's cache.

        Args:
            runnable: Any Runnable, chat model, or plain callable.
            validator: Judges its answers, as if it stood behind `runnable` in a sequence. Any gate.
                What it has yet to judge stays out of LangGraph's `stream_mode="messages"`.

        Warns:
            UserWarning: A model in it retries by itself.
        """
        bound = coerce_to_runnable(runnable)
        warn_of_nested_retries(bound)
        if validator is not None:
            bound = bound.with_config(tags=[UNHEARD]) | validator
        return super().wrap(bound)

    def _flow(self, value: Sequence[Attempt], config: RunnableConfig) -> Flow[Retry | None]:  # noqa: ARG002
        yield from ()
        if not (isinstance(value, Sequence) and all(isinstance(item, Mapping) for item in value)):
            msg = (
                f"a `RetryEngine` takes attempts, got `{type(value).__name__}`; to retry what a "
                "Runnable does, use `RetryEngine().wrap(runnable)`"
            )
            raise TypeError(msg)
        return self.decide(value)

    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        failures: list[Failed] = []
        rung = FIRST_RUNG
        call = Call(bound, value, config)
        while True:
            try:
                answer = yield call
            except Exception as exc:
                mode = classify(exc, self.failure_modes)
                if mode is None or isinstance(exc, _FINAL):
                    raise
                violations = exc.result.violations if isinstance(exc, ControlError) else ()
                fingerprint = failure_fingerprint(mode, _reason(exc), violations)
                failures.append(Failed(mode, fingerprint, rung))
                retry = self._next(failures, violations, retry_after_seconds(exc))
                if retry is None or not self.pay(mode):
                    raise
                rung = retry.rung
                told = corrected(bound, value, retry.feedback, config) if retry.feedback else None
                if told is None:
                    retry = replace(retry, feedback=None, strategy="simple", mutation=None)
            else:
                self._earn(after=failures[-1].mode if failures else None)
                return answer
            planned = cast("PlannedRetry", asdict(retry))
            yield retry_scheduled(planned, mode.value, config, component=type(self).__name__)
            if retry.delay_seconds > 0:
                yield Sleep(retry.delay_seconds)
            tagged = as_attempt(config, retry.number)
            call = Call(without_cache(bound, config), value if told is None else told, tagged)

    def _earn(self, *, after: FailureMode | None) -> None:
        was_paid = after is not None and self.policies[after].draws_on_budget
        self.budget.succeeded(retries=int(was_paid))

    def _next(
        self,
        failures: Sequence[Failed],
        violations: Sequence[Violation],
        retry_after: float | None,
        remaining_seconds: float | None = None,
    ) -> Retry | None:
        number, last = len(failures), failures[-1]
        if not self.should_retry(last.mode, number):
            return None
        rung = self._rung(failures)
        if rung is None:
            return None
        delay = self._wait(number, last.mode, retry_after)
        if delay is None or (remaining_seconds is not None and delay >= remaining_seconds):
            return None
        remedies = [self.policies[failure.mode] for failure in failures]
        feedback, mutation = self._correction(failures, violations)
        return Retry(
            number=number + 1,
            delay_seconds=delay,
            feedback=feedback,
            strategy="prompt_mutation" if feedback else "simple",
            mutation=mutation,
            rung=rung,
            native_schema=is_at_least(rung, "native_schema")
            and any("native_schema" in remedy.ladder for remedy in remedies),
            silent_in_schema_mode=remedies[-1].silent_in_schema_mode
            and is_at_least(rung, "native_schema")
            and not is_at_least(last.rung, "native_schema"),
            resamples=sum(remedy.resample for remedy in remedies),
            answer_limit_factor=prod(remedy.answer_limit_factor for remedy in remedies),
        )

    def _rung(self, failures: Sequence[Failed]) -> Rung | None:
        mode = failures[-1].mode
        return next_rung(
            failures,
            self._ladder(mode),
            max_repeats=self.policies[mode].max_repeats,
            attempts_left=self.max_attempts - len(failures),
        )

    def _ladder(self, mode: FailureMode) -> list[Rung]:
        has_other = self.other_model is not None
        ladder = self.policies[mode].ladder
        return [rung for rung in ladder if has_other or rung != "other_model"]

    def _quotes(self, last: Attempt, retry: Retry) -> bool:
        """Whether the next prompt goes to the model that gave the last answer, and is shown it."""
        is_the_same = retry.rung == last.get("rung", FIRST_RUNG) or retry.rung != "other_model"
        is_the_cause = retry.mutation == last["failure_mode"]
        listed = named_in(answered_by(last), self.quote_answers_of) is not None
        return is_the_same and is_the_cause and listed

    def _wait(self, number: int, mode: FailureMode, retry_after: float | None) -> float | None:
        if retry_after is None or not self.policies[mode].honor_retry_after:
            return self.delay_seconds(number)
        if retry_after > self.max_retry_after_seconds:
            return None
        return self.delay_seconds(number, retry_after)

    def _correction(
        self, failures: Sequence[Failed], violations: Sequence[Violation]
    ) -> tuple[str | None, str | None]:
        """Word the latest correction: an outage since then must not make the model forget it."""
        for failure in reversed(failures):
            if self.policies[failure.mode].correction:
                known = violations if failure is failures[-1] else ()
                times = sum(before.fingerprint == failure.fingerprint for before in failures)
                return self.hint(failure.mode, known, times), failure.mode.value
        return None, None


def _failed(attempt: Attempt) -> Failed:
    mode, message = attempt["failure_mode"], attempt["message"]
    known = attempt.get("fingerprint") or failure_fingerprint(mode, message)
    return Failed(FailureMode(mode), known, attempt.get("rung", FIRST_RUNG))


def _reason(exc: BaseException) -> str:
    return exc.result.reason if isinstance(exc, ControlError) else type(exc).__name__
