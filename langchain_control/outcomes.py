"""What can happen to a model call, as values.

Everything here is immutable and free of I/O. Expected trouble is a value of these types; it becomes
an exception only at the LCEL edge, through `ControlResult.unwrap`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NotRequired

from langchain_core.messages import AIMessage  # pydantic reads it, for the schema of a result
from typing_extensions import TypedDict  # pydantic builds no schema of typing's before 3.12

from langchain_control._printable import printable
from langchain_control._shortening import shortened

__all__ = [
    "ANSWERED",
    "Attempt",
    "ControlResult",
    "FailureMode",
    "FallbackOutcome",
    "FallbackTry",
    "Finding",
    "PlannedRetry",
    "Rung",
    "Scores",
    "Source",
    "Status",
    "ValidationResult",
    "Violation",
    "answered_by",
    "failure",
    "passed",
]

EXCERPT_CHARS = 80
"""How much of a found value a violation may carry."""

EXPECTED_CHARS = 240
"""How much a violation may say of what was due: a validator's own message may quote the answer."""

Status = Literal["accepted", "fallback", "rejected", "exhausted"]
"""How a run ended: a model answer, a fallback answer, an input turned away, or nothing."""

ANSWERED: tuple[Status, ...] = ("accepted", "fallback")
"""How runs end that have an answer."""

Source = Literal["user", "context", "tool"]
"""Where a text came from: the person asking, a retrieved document, or a tool."""


Rung = Literal["same_model", "native_schema", "other_model"]
"""A way of asking: the model as it is, in its provider's own schema mode, or another model."""

FallbackOutcome = Literal["answered", "passed", "rejected", "refused", "crashed"]
"""What came of a fallback strategy: a valid answer, none, one that broke the contract, no call as a
circuit or a limit allowed none, or an exception."""


class FailureMode(StrEnum):
    """What happened. What to do about it is the retry table's business."""

    NONE = "none"
    """Nothing failed."""
    SCHEMA_VIOLATION = "schema_violation"
    """The answer does not have the shape that the contract asks for, or calls tools wrongly."""
    CONSTRAINT_VIOLATION = "constraint_violation"
    """The answer is empty or breaks a rule, or the input is empty."""
    PROMPT_INJECTION = "prompt_injection"
    """The input, or what one agent passes to the next, looks like an attack."""
    TOKEN_OVERFLOW = "token_overflow"  # noqa: S105  (a failure, not a secret)
    """The input, the prompt or the answer is longer than its limit."""
    HALLUCINATION = "hallucination"
    """The answer does not say what it has to: `must_contain`, or an `Expresses` rule."""
    TIMEOUT = "timeout"
    """A call took longer than its time limit, or the provider ran out of time."""
    CIRCUIT_OPEN = "circuit_open"
    """The model's circuit is open, so it was not called."""
    TRUNCATED = "truncated"
    """The answer reached a limit of tokens, or ends in the middle of its JSON."""
    REFUSAL = "refusal"
    """The provider reports a refusal or a content filter, or `NotRefusal` found one in words."""
    RATE_LIMITED = "rate_limited"
    """A limit of requests is reached: the provider's (a 429), or the policy's own."""
    MODEL_ERROR = "model_error"
    """Transient trouble of the provider: a connection error, a 5xx, an unreadable reply."""
    MODEL_REJECTED = "model_rejected"
    """The provider will not take this request: authentication, permission, bad request."""
    CONTEXT_OVERFLOW = "context_overflow"
    """The provider says that the prompt is longer than the model's context window."""
    BULKHEAD_FULL = "bulkhead_full"
    """All places of the bulkhead are taken, and its queue is full or the wait was too long."""
    DEADLINE_EXCEEDED = "deadline_exceeded"
    """The time for the whole request, or for an agent's run, is over."""
    RETRY_BUDGET_EXHAUSTED = "retry_budget_exhausted"
    """A retry was due, and the budget that all requests share was used up."""
    USAGE_LIMIT_EXCEEDED = "usage_limit_exceeded"
    """The request has used as many tokens, or spent as much, as one may."""
    STOPPED = "stopped"
    """Something else, such as a call limit, ended an agent's run before there was an answer."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with an answer, precise enough to ask for a correction."""

    rule: str
    """The rule or JSON Schema keyword that was broken, such as `required` or `max_length`."""
    expected: str
    """What was due. Never more than `EXPECTED_CHARS` characters."""
    found: str = ""
    """A bounded excerpt or description. Never more than `EXCERPT_CHARS` characters."""
    path: str = ""
    """JSON Pointer to the place, empty for the whole answer."""

    def __post_init__(self) -> None:
        """Bound what model text a violation can carry, whoever builds it."""
        for name, chars in (("found", EXCERPT_CHARS), ("expected", EXPECTED_CHARS)):
            object.__setattr__(self, name, shortened(getattr(self, name), chars))

    def __str__(self) -> str:
        """Read as one line: where, what was due, what came."""
        found = f", found {self.found}" if self.found else ""
        return printable(f"{self.path or '/'}: expected {self.expected}{found}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign of an attack in a text."""

    rule: str
    """Id of the rule that fired, such as `override.ignore-previous`."""
    category: str
    """OWASP LLM Top 10 (2025) category, such as `LLM01`."""
    severity: Literal["low", "medium", "high"] = "high"
    score: float = 1.0
    """Probability or confidence between 0 and 1."""
    span: tuple[int, int] | None = None
    """Start and end in the text that was searched, if the finding has a place."""
    tier: str = "rules"
    """Which kind of detector spoke."""

    def __post_init__(self) -> None:
        """Take what was stored for what it was: JSON and MessagePack have no tuples."""
        if self.span is not None:
            start, end = self.span
            object.__setattr__(self, "span", (start, end))


@dataclass(frozen=True, slots=True)
class Scores:
    """What was measured of an answer, each on its own and never mixed; `None` is not measured.

    None of them says whether the answer is right.
    """

    schema: float | None = None
    """1 if the answer has the shape that the contract asks for, else 0."""
    coverage: float | None = None
    """Share of the phrases in `must_contain` that occur."""
    meaning: float | None = None
    """Share of the statements of an `Expresses` rule that are made, if it was given to rank."""
    confidence: float | None = None
    """Geometric mean of the probabilities that the model gave to its tokens."""


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """The verdict of a gate on one value."""

    passed: bool
    failure_mode: FailureMode = FailureMode.NONE
    message: str = ""
    """One sentence for a person. Holds names, counts and limits, never content."""
    score: float = 1.0
    """How far the value is what it should be, from 0 to 1; see the gate."""
    scores: Scores = Scores()
    """What was measured of an answer, apart."""
    value: Any = None
    """What the gate hands on: the normalized text, or the parsed answer."""
    repaired: bool = False
    violations: tuple[Violation, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """How the value was obtained, such as `extracted`, `ambiguous` or `coerced`."""
    flagged: tuple[Source, ...] = ()
    """Whose texts a guard found an attack in and let through; `notes` say how it treated them."""
    retry_after: float | None = None
    """Seconds until it is worth asking again, where that is known."""


def passed(value: Any, **details: Any) -> ValidationResult:
    """Build the verdict on a value that may go on."""
    return ValidationResult(passed=True, value=value, **details)


def failure(mode: FailureMode, message: str, **details: Any) -> ValidationResult:
    """Build the verdict on a value that must stop here."""
    details.setdefault("score", 0.0)
    return ValidationResult(passed=False, failure_mode=mode, message=message, **details)


class Attempt(TypedDict):
    """One try at an answer: the same record in state, in the audit file and in a DataFrame."""

    number: int
    """Counts from 1, the first call."""
    model: str
    """Name of the model that was asked; of the one that answered, where that is another one."""
    snapshot: NotRequired[str | None]
    """The dated name of `model` that its provider answered under, if any."""
    failure_mode: str
    """A `FailureMode`; `none` if the answer was accepted."""
    message: str
    """What was wrong, in one sentence without content; empty if nothing was."""
    latency_ms: float
    """How long the call took, in milliseconds."""
    input_tokens: int
    """Tokens of the prompt, as the provider reports them, else as the budget counts them."""
    output_tokens: int
    """Tokens of the answer, in the same way."""
    strategy: str
    """`none` for a first call, `simple` or `prompt_mutation` for a retry."""
    mutation: str | None
    """Name of the correction that this attempt carried, if any."""
    rung: NotRequired[Rung]
    """How the model was to be asked; one without a schema mode is asked on that rung as before."""
    fingerprint: NotRequired[str | None]
    """The same for attempts that broke the same rules in the same places."""
    cost: NotRequired[float | None]
    """What it cost, where the policy knows the model's prices."""
    notes: NotRequired[list[str] | None]
    """What its prompt left out to fit the budget, such as `history_dropped` and `context_cut`, or
    for an attack in it: `tool_withheld`, `context_withheld` and `user_withheld`, for earlier turns;
    and how the answer was read, such as `extracted`."""


def answered_by(attempt: Attempt) -> str:
    """Return the name of the model that answered, dated if its provider dates it."""
    return attempt.get("snapshot") or attempt["model"]


class PlannedRetry(TypedDict):
    """A retry that was decided on: the fields of a `Retry`, which documents them, as plain data."""

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


class FallbackTry(TypedDict):
    """What became of one fallback strategy: a record like an `Attempt`."""

    name: str
    outcome: FallbackOutcome
    failure_mode: str
    message: str
    """Why it did not answer. Holds names, counts and limits, never content."""
    model: str | None
    """The model it asked, or would have asked; `None` if it is none."""
    latency_ms: float
    input_tokens: int
    output_tokens: int
    cost: float | None
    """What it cost, where the policy knows the model's prices."""
    retry_after: float | None
    """Seconds until it is worth asking again, where that is known."""


@dataclass(frozen=True, slots=True)
class ControlResult:
    """How one request ended, with everything that was tried on the way.

    !!! example "An answer, or the reason why there is none"

        ```python
        result = with_control(model, policy, include_result=True).invoke("The total?")
        print(result.value if result.passed else f"{result.failure_mode}: {result.reason}")
        ```
    """

    status: Status
    """`accepted`: the model answered. `fallback`: a fallback strategy did. `rejected`: turned away
    before any call of the model. `exhausted`: nothing that was tried gave an answer."""
    message: AIMessage | None = None
    """The answer; `None` if there is none."""
    value: Any = None
    """The parsed answer as plain data, where JSON or structured output was asked for."""
    failure_mode: FailureMode = FailureMode.NONE
    """Why it is not `accepted`; also set on a fallback answer."""
    reason: str = ""
    """The same in a sentence, with what became of the fallback strategies. Holds no content."""
    step: str = ""
    """The step that failed last: `guard`, `build`, `call` or `validate`."""
    attempts: tuple[Attempt, ...] = ()
    """Every call of the model, in order."""
    fallbacks: tuple[FallbackTry, ...] = ()
    """Every fallback strategy that was asked, in order; the last one answered, or none did."""
    strategy: str = "none"
    """`fallback:<name>` for a fallback answer, else how the accepted attempt came about."""
    request_id: str = ""
    """Finds the request in the audit trail."""
    violations: tuple[Violation, ...] = ()
    """What was wrong with the last answer of the model."""
    findings: tuple[Finding, ...] = ()
    """Signs of an attack, for which the input was turned away."""
    retry_after: float | None = None
    """Seconds until it is worth asking again, where that is known."""
    usage: dict[str, int] = field(default_factory=dict)
    """`input_tokens`, `output_tokens` and `total_tokens` over all attempts and fallbacks."""
    cost: float | None = None
    """What they cost, where the policy knows the prices of the models."""
    scores: Scores = Scores()
    """What was measured of the model's last answer; nothing of a fallback's."""

    def __post_init__(self) -> None:
        """Take what was stored for what it was: JSON and MessagePack have no tuples."""
        for name in ("attempts", "fallbacks", "violations", "findings"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def passed(self) -> bool:
        """Whether there is an answer that meets the contract, from the model or a fallback."""
        return self.status in ANSWERED

    @property
    def model(self) -> str | None:
        """The model that answered, by its dated name if its provider gives one.

        `None` if none did, or what answered is no model.
        """
        match self.status:
            case "accepted":
                return answered_by(self.attempts[-1]) if self.attempts else None
            case "fallback":
                return self.fallbacks[-1]["model"] if self.fallbacks else None
        return None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last prompt left out, and how the last answer was read; as of an `Attempt`."""
        return tuple(self.attempts[-1].get("notes") or ()) if self.attempts else ()

    def unwrap(self, cause: BaseException | None = None) -> AIMessage:
        """Return the answer, or raise the `ControlError` that says why there is none.

        Args:
            cause: What was raised below, for the traceback.
        """
        if self.message is not None and self.passed:
            return self.message
        from langchain_control.errors import error_for  # noqa: PLC0415  (errors carry results)

        raise error_for(self, cause)

    def __repr__(self) -> str:
        """Show the outcome without the content."""
        parts = [f"status={self.status!r}"]
        if self.failure_mode is not FailureMode.NONE:
            parts.append(f"failure_mode={self.failure_mode.value!r}")
        if self.strategy != "none":
            parts.append(f"strategy={self.strategy!r}")
        parts.append(f"attempts={len(self.attempts)}")
        if total := self.usage.get("total_tokens"):
            parts.append(f"total_tokens={total}")
        return f"ControlResult({', '.join(parts)})"
