"""The one place where a run's rules are written down."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Mapping
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, Self

from pydantic import (
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from langchain_control._overriding import OverridableModel
from langchain_control._steady_clock import SteadyClock
from langchain_control._threads import BoundedThreads
from langchain_control._waiting import MAX_SECONDS
from langchain_control.components.audit import AuditLogger
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.components.bulkhead import Bulkhead
from langchain_control.components.fallback import FallbackRouter
from langchain_control.components.guard import InputGuard
from langchain_control.components.limiter import RateLimiter
from langchain_control.components.prompt import PromptBuilder
from langchain_control.components.retry import RetryEngine
from langchain_control.components.validator import ResponseValidator
from langchain_control.errors.declared import FailureModes
from langchain_control.models.object_schemas import Kind, kind_of
from langchain_control.retries.usage_limits import UsageLimits

__all__ = ["ControlPolicy", "policy_of"]

ENVIRONMENT_PREFIX = "LANGCHAIN_CONTROL_"


class ControlPolicy(OverridableModel):
    """Everything that decides how a request is treated: one frozen bundle of components.

    Give components, or the plain data they are made of: `ControlPolicy(retry={"max_attempts": 5})`.
    A `UserWarning` names each fixed fallback answer that breaks the contract.

    !!! example "A contract, a fallback and a trail"

        ```python
        policy = ControlPolicy(
            validator=ResponseValidator(response_schema=Invoice),
            fallback=FallbackRouter(strategies=[("small model", small_model)]),
            audit=AuditLogger("audit.jsonl"),
        )
        ```
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    guard: InputGuard | None = Field(default_factory=InputGuard)
    """Judges what comes in. `None` lets everything through."""
    prompt: PromptBuilder = Field(default_factory=PromptBuilder)
    """Makes the prompt; its `budget` bounds it."""
    validator: ResponseValidator = Field(default_factory=ResponseValidator)
    """The contract. The default accepts any answer that is not empty, cut off, or reported as a
    refusal by its provider."""
    breaker: CircuitBreaker = Field(default_factory=CircuitBreaker)
    """Asked before every call, under the model's name as key. A fallback model without a breaker of
    its own is asked for under the name of its strategy."""
    retry: RetryEngine = Field(default_factory=RetryEngine)
    """Decides about another try."""
    fallback: FallbackRouter = Field(default_factory=FallbackRouter)
    """Where a request lands that the model could not serve. The default has no strategies."""
    audit: AuditLogger | None = None
    """Where the trail goes. `None` and `False` keep none; a path or plain data makes a logger."""
    limiter: RateLimiter | None = None
    """Asked before anything else. `None` sets no limit. A request that it turns away reaches no
    fallback, unless `fallback.answer_blocked_input` is set."""
    bulkhead: Bulkhead | None = None
    """How many calls of a model may be under way at a time, and wait for it. `None` sets no bound;
    places are those of the model's name."""
    timeout_seconds: float = Field(default=30.0, gt=0, le=MAX_SECONDS)
    """Hard limit of one model call."""
    deadline_seconds: float | None = Field(default=None, gt=0, le=MAX_SECONDS)
    """Hard limit of one request: attempts, waits, fallbacks, and what rules and detectors await.
    `None` sets none."""
    usage_limits: UsageLimits = Field(default_factory=UsageLimits)
    """Tokens and cost that one request may use up. The default sets no limit."""
    judge_while_streaming: bool = False
    """Whether models are called by streaming, and an answer is cut off as soon as it cannot pass
    any more: a phrase that is forbidden, a member of the wrong type. Saves the tokens to come. Off,
    because some providers leave token counts out of streams."""
    failure_modes: FailureModes = Field(default=(), exclude=True)
    """What exceptions of your own mean: a mapping of types to failure modes. The nearest base class
    decides; exceptions that were raised `from` one of them count, too."""
    threads: BoundedThreads = Field(default_factory=BoundedThreads, repr=False, exclude=True)
    """Where sync calls run, so that they can be given up in time. A number makes as many."""
    clock: Callable[[], float] = Field(default_factory=SteadyClock, repr=False, exclude=True)
    """Seconds since the epoch, for deadlines and for how long requests take. The default does not
    follow when the wall clock is set."""
    timer: Callable[[], float] = Field(default=time.perf_counter, repr=False, exclude=True)
    """Seconds from any start, for the latencies of calls."""

    @field_validator("threads", mode="before")
    @classmethod
    def _threads_from_number(cls, value: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return BoundedThreads(value) if is_number else value

    @field_validator("audit", mode="before")
    @classmethod
    def _audit_from_data(cls, value: Any) -> Any:
        if (switch := _switch_in(value)) is not None:
            if switch:
                msg = "a trail needs a place, such as a path; `false` and `null` keep none"
                raise ValueError(msg)
            return None
        if isinstance(value, str | Path | int):  # a variable's "123" is a path, too
            return AuditLogger(str(value))
        if not isinstance(value, Mapping):
            return value
        try:
            return AuditLogger(**value)
        except TypeError as exc:  # an unknown or ill-typed setting: pydantic names the field
            raise ValueError(str(exc)) from exc

    @model_validator(mode="after")
    def _probes_outlive_calls(self) -> Self:
        """A probe counts as lost when a call may no longer take that long."""
        probe, call = self.breaker.probe_timeout_seconds, self.timeout_seconds
        if probe > call:
            return self
        if "probe_timeout_seconds" in self.breaker.model_fields_set:
            msg = (
                f"`breaker.probe_timeout_seconds` ({probe:g}) must be longer than "
                f"`timeout_seconds` ({call:g}), or a slow probe counts as lost"
            )
            raise ValueError(msg)
        self._imply("breaker", probe_timeout_seconds=2 * call)
        return self

    @model_validator(mode="after")
    def _exceptions_mean_one_thing(self) -> Self:
        for name in ("breaker", "fallback"):
            part = getattr(self, name)
            is_set = "failure_modes" in part.model_fields_set
            if not is_set and part.failure_modes != self.failure_modes:
                self._imply(name, failure_modes=self.failure_modes)
        return self

    @model_validator(mode="after")
    def _corrections_ask_for_the_contract(self) -> Self:
        schema, known = self.validator.json_schema(), self.retry.policies
        kind: Kind | None = "object" if self.validator.expects_json else None
        fitting = known.for_answers(kind if schema is None else kind_of(schema))
        if fitting is not known:
            told = self.retry.model_copy(update={"policies": fitting})
            object.__setattr__(self, "retry", told)  # frozen, and not handed out yet
        return self

    @model_validator(mode="after")
    def _times_agree(self) -> Self:
        asked_for_both = {"timeout_seconds", "deadline_seconds"} <= self.model_fields_set
        if self.deadline_seconds is None or not asked_for_both:
            return self
        if self.timeout_seconds > self.deadline_seconds:
            msg = (
                f"`timeout_seconds` ({self.timeout_seconds:g}) is longer than "
                f"`deadline_seconds` ({self.deadline_seconds:g}), which bounds the whole request"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _fixed_answers_can_pass(self) -> Self:
        """Tell now what would show in an outage. Rules may cost something, and are not asked."""
        contract = self.validator.model_copy(update={"rules": ()})
        for name, answer in self.fallback.fixed_answers():
            for broken in contract.inspect(answer).violations[:1]:
                why = f"{broken.path or '/'}: expected {broken.expected}"
                msg = f"the fallback `{name}` can never answer, as it breaks the contract at {why}"
                warnings.warn(msg, UserWarning, stacklevel=1)  # one place, so that it is told once
        return self

    def _imply(self, name: str, **settings: Any) -> None:
        """Give a component settings that follow from the policy's own."""
        told = getattr(self, name).model_copy(update=settings)
        told.model_fields_set.difference_update(settings)  # nobody has asked for them
        object.__setattr__(self, name, told)  # frozen, and not handed out yet

    def __repr_args__(self) -> Any:
        """Leave out the settings that say what they say by default."""
        fields = type(self).model_fields
        return [
            (name, value)
            for name, value in super().__repr_args__()
            if name is None or fields[name].default_factory or value != fields[name].default
        ]

    @classmethod
    def from_yaml(cls, source: str | Path) -> Self:
        """Read a policy from a YAML file.

        Raises:
            OSError: The file is missing or cannot be read.
            ValueError: The file does not hold a mapping, or a field is unknown or out of range.
        """
        import yaml  # noqa: PLC0415  (comes with langchain-core; costs import time)

        try:
            data = yaml.safe_load(Path(source).read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as exc:
            msg = f"`{source}` is not YAML: {exc}"
            raise ValueError(msg) from exc
        if not isinstance(data, Mapping):
            msg = f"expected a mapping of policy fields in `{source}`, got `{type(data).__name__}`"
            raise ValueError(msg)  # noqa: TRY004  (the file's content is wrong, not the argument)
        return cls.model_validate(dict(data))

    @classmethod
    def from_env(
        cls, prefix: str = ENVIRONMENT_PREFIX, environ: Mapping[str, str] | None = None
    ) -> Self:
        """Read a policy from environment variables.

        `LANGCHAIN_CONTROL_RETRY__MAX_ATTEMPTS=5` sets `retry.max_attempts`: two underscores step
        into a component. Values are read as JSON where they are JSON, else as text; so are those
        of fields that take text.

        Raises:
            ValueError: A variable names an unknown field, or its value is out of range.
        """
        data: dict[str, Any] = {}
        texts: dict[tuple[str, ...], str] = {}
        for name, text in sorted((os.environ if environ is None else environ).items()):
            if not name.startswith(prefix):
                continue
            *parents, field = name.removeprefix(prefix).lower().split("__")
            place: Any = data
            for parent in parents:
                place = place.setdefault(parent, {})
                if not isinstance(place, dict):
                    msg = f"`{name}` sets a part of `{parent}`, which another variable sets whole"
                    raise ValueError(msg)  # noqa: TRY004  (the environment is wrong, not a type)
            place[field] = _json_or_text(text)
            texts[*parents, field] = text
        try:
            return cls.model_validate(data)
        except ValidationError as exc:
            if not _put_back(texts, data, exc):
                raise
        return cls.model_validate(data)


def policy_of(given: ControlPolicy | Mapping[str, Any] | None) -> ControlPolicy:
    """Return the policy that a door was given: itself, made of plain data, or the default."""
    return ControlPolicy.model_validate(given or {})


_SWITCH = TypeAdapter(bool)


def _switch_in(value: Any) -> bool | None:
    """Return what a value says where pydantic reads `off`, `0` and the like; `None` if neither."""
    try:
        return _SWITCH.validate_python(value)
    except ValidationError:
        return None


def _put_back(
    texts: Mapping[tuple[str, ...], str], data: dict[str, Any], exc: ValidationError
) -> bool:
    """Put the texts back that were read as JSON where a text is wanted; say whether any were."""
    refused = {error["loc"] for error in exc.errors() if error["type"] == "string_type"}
    wanted = {path: text for path, text in texts.items() if {path, (*path, "str")} & refused}
    for (*parents, field), text in wanted.items():
        reduce(getitem, parents, data)[field] = text
    return bool(wanted)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
