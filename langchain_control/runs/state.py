"""The state of one run: JSON, apart from messages, so that any checkpointer can keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from typing_extensions import TypedDict  # pydantic builds no schema of typing's before 3.12

from langchain_control.conversation import messages_of
from langchain_control.events import request_id_in, rules_of
from langchain_control.models.variants import has_binding_mode, in_place_of, name_of
from langchain_control.outcomes import (
    ANSWERED,
    Attempt,
    ControlResult,
    FailureMode,
    FallbackTry,
    Finding,
    PlannedRetry,
    Scores,
    ValidationResult,
    Violation,
)
from langchain_control.retries.usage_limits import cost_of
from langchain_control.runs.judged_before import JudgedBefore
from langchain_control.runs.tool_calls import AnswersOrCalls
from langchain_control.strategies.asking import AnswerContract, causes

if TYPE_CHECKING:
    from langchain_control.components.prompt import BuiltPrompt
    from langchain_control.policy import ControlPolicy

__all__ = [
    "Context",
    "Draft",
    "FailureNote",
    "LastCalls",
    "MakesPrompts",
    "NamedModel",
    "PerRun",
    "RunState",
    "calls_in",
    "deadline_from_now",
    "fresh_run",
    "note_of",
    "result_of",
    "state_of",
    "usage_of",
]


class FailureNote(TypedDict):
    """The last failure of a run, as plain data."""

    step: str
    mode: str
    message: str
    violations: list[dict[str, str]]
    findings: list[dict[str, Any]]
    rules: list[str] | None
    retry_after: float | None


class Draft(TypedDict, total=False):
    """What a run works with before an answer is accepted."""

    messages: list[BaseMessage]
    """As screened."""
    context: list[str]
    """As screened."""
    prompt: list[BaseMessage]
    """As it was sent."""
    notes: list[str]
    """What the prompt left out to fit its budget."""
    response: AIMessage | None
    latency_ms: float


class PerRun(TypedDict, total=False):
    """What belongs to one run.

    Messages at the top level of state would show in `stream_mode="messages"`, the system prompt and
    rejected answers among them. So they stay one level down, in `draft`, until one is accepted.
    """

    context: str | list[str] | None
    """Input: retrieved documents, as text. `guard` takes them over into `draft`."""
    draft: Draft
    attempts: list[Attempt]
    failure: FailureNote | None
    retry: PlannedRetry | None
    """What `validate` decided on."""
    status: str | None
    """`None` while the run goes on."""
    strategy: str
    value: Any
    """The parsed answer as plain data, where the contract asks for JSON."""
    scores: dict[str, float | None] | None
    """What was measured of the model's last answer; the fields of `Scores`."""
    fallbacks: list[FallbackTry]
    """What became of each fallback strategy that was asked, in order."""
    waited_after: int | None
    """How many of them had been asked when the run waited for a circuit, which it does once."""
    reservation: list[Any] | None
    """What the rate limit holds for this run, until its real tokens are known."""
    request_id: str
    started: float
    deadline: float | None
    """Seconds since the epoch: it must still hold when another process resumes the run."""


class RunState(PerRun, total=False):
    """The whole state, outside LangGraph."""

    messages: list[BaseMessage]


class MakesPrompts(Protocol):
    """Makes the prompt of an attempt, as `PromptBuilder` does."""

    def build(
        self,
        question: list[BaseMessage],
        *,
        context: list[str] | None = None,
        feedback: str | None = None,
    ) -> BuiltPrompt:
        """Make a prompt within its budget. See `PromptBuilder.build`."""


class NamedModel(NamedTuple):
    """A model, and the name it goes by."""

    model: Runnable[Any, Any]
    name: str


@dataclass
class LastCalls:
    """What a door learns of the calls of a model beside the state."""

    error: Exception | None = None
    """What the last one raised. An exception is no JSON."""
    answer: AIMessage | None = None
    """The last answer there was, also where calls after it failed."""


@dataclass(frozen=True)
class Context:
    """What a run is made with.

    Doors differ in what they hand in: the model or an agent's handler, who makes the prompt, and
    what an answer must be. Where a door says nothing, the policy's own components serve.
    """

    policy: ControlPolicy
    model: Runnable[Any, Any]
    model_name: str | None = None
    """What the model goes by; by default what it is called under the config of the run."""
    prompt: MakesPrompts | None = None
    contract: AnswerContract | None = None
    earlier: tuple[Attempt | FallbackTry, ...] = ()
    """Calls that the request made before this walk; they count against its usage limits."""
    last_calls: LastCalls | None = None
    """Keeps for the door what a model raised and said last."""
    judged_before: JudgedBefore | None = None
    """What of the history need not be judged again. `None` judges all of it in every run."""
    is_whole_request: bool = True
    """Whether the end of the table is the end of the request. An agent's request is many calls."""

    def build(self, messages: list[BaseMessage], **parts: Any) -> BuiltPrompt:
        """Make the prompt. See `PromptBuilder.build`."""
        return (self.prompt or self.policy.prompt).build(messages, **parts)

    def name(self, config: RunnableConfig | None = None) -> str:
        """Return the name of the request's own model."""
        return self.model_name or name_of(self.model, config)

    def asked(self, retry: PlannedRetry | None, config: RunnableConfig | None = None) -> NamedModel:
        """Return the model that an attempt asks: the request's own, or the one of the last rung."""
        other = self.policy.retry.other_model
        if retry is None or retry["rung"] != "other_model" or other is None:
            return NamedModel(self.model, self.name(config))
        return NamedModel(in_place_of(self.model, other, config), name_of(other, config))

    def has_binding_mode(self, retry: PlannedRetry) -> bool:
        """Say whether a retry can ask its model in a mode in which a provider keeps a schema."""
        return has_binding_mode(self.asked(retry).model, self.policy.validator.json_schema())

    def used_up(self, calls: Sequence[Attempt | FallbackTry]) -> str | None:
        """Say which limit of usage the request has reached, if it has."""
        return self.policy.usage_limits.reached_by([*self.earlier, *calls])

    def answers_of(self, asked: Any) -> AnswerContract:
        """Return who judges the answers of a model, or of a fallback strategy."""
        validator = self.policy.validator
        asked = in_place_of(self.model, asked)
        return AnswersOrCalls(self.contract or validator, asked, validator)


def deadline_from_now(policy: ControlPolicy) -> float | None:
    """Return when a request that begins now must have ended, or `None` if there is no limit."""
    allowed = policy.deadline_seconds
    return None if allowed is None else policy.clock() + allowed


def fresh_run(config: RunnableConfig, policy: ControlPolicy) -> PerRun:
    """Return every per-run key with its first value.

    A thread with a checkpointer keeps its state between runs: without the reset a second run would
    find the first one's answer.
    """
    return PerRun(
        context=None,
        draft={},
        attempts=[],
        failure=None,
        retry=None,
        status=None,
        strategy="none",
        value=None,
        scores=None,
        fallbacks=[],
        waited_after=None,
        reservation=None,
        request_id=request_id_in(config),
        started=policy.clock(),
        deadline=deadline_from_now(policy),
    )


def state_of(given: Any) -> RunState:
    """Turn what a chain hands to a model into state.

    Accepts what a chat model accepts, and a mapping with `input` or, as graphs take it, `messages`,
    and `context`.

    Raises:
        TypeError: It is none of these.
    """
    if not isinstance(given, Mapping):
        return RunState(messages=messages_of(given))
    asked = [key for key in given if key != "context"]
    if asked not in (["input"], ["messages"]):
        keys = ", ".join(f"`{key}`" for key in given) or "none"
        msg = f"expected the keys `input` or `messages`, and perhaps `context`; got {keys}"
        raise TypeError(msg)
    return RunState(messages=messages_of(given[asked[0]]), context=given.get("context"))


def note_of(
    step: str, verdict: ValidationResult, *, retry_after: float | None = None
) -> FailureNote:
    """Write a failed verdict down as plain data."""
    return FailureNote(
        step=step,
        mode=verdict.failure_mode.value,
        message=verdict.message,
        violations=[asdict(v) for v in verdict.violations],
        findings=[asdict(f) for f in verdict.findings],
        rules=rules_of(verdict),
        retry_after=verdict.retry_after if retry_after is None else retry_after,
    )


def violations_in(note: FailureNote | None) -> tuple[Violation, ...]:
    """Read the violations back."""
    return tuple(Violation(**v) for v in note["violations"]) if note else ()


def calls_in(run: Mapping[str, Any]) -> list[Attempt | FallbackTry]:
    """List everything that a run has asked: the model, and those in its place."""
    return [*run["attempts"], *run["fallbacks"]]


def usage_of(run: Mapping[str, Any]) -> dict[str, int]:
    """Add up the tokens of everything that a run has asked."""
    calls = calls_in(run)
    tokens_in = sum(call["input_tokens"] for call in calls)
    tokens_out = sum(call["output_tokens"] for call in calls)
    return {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }


def result_of(state: Mapping[str, Any]) -> ControlResult:
    """Read the outcome of a finished run out of its state, from whichever door.

    Raises:
        ValueError: The run has not finished.
    """
    status = state.get("status")
    if status is None:
        msg = "the run has not finished: its state has no `status`"
        raise ValueError(msg)
    note = state.get("failure")
    has_answer = status in ANSWERED
    answer = state["messages"][-1] if has_answer else None
    return ControlResult(
        status=status,
        message=answer if isinstance(answer, AIMessage) else None,
        value=state.get("value"),
        failure_mode=FailureMode(note["mode"]) if note else FailureMode.NONE,
        reason=_reason(note, [] if has_answer else state["fallbacks"]),
        step=note["step"] if note else "",
        attempts=tuple(state["attempts"]),
        fallbacks=tuple(state["fallbacks"]),
        strategy=state["strategy"],
        request_id=state["request_id"],
        violations=violations_in(note),
        findings=tuple(_finding(f) for f in note["findings"]) if note else (),
        retry_after=_retry_after(note, state["fallbacks"]),
        usage=usage_of(state),
        cost=cost_of(calls_in(state)),
        scores=Scores(**(state.get("scores") or {})),
    )


def _reason(note: FailureNote | None, tries: Sequence[FallbackTry]) -> str:
    reasons = [note["message"]] if note else []
    if tries:
        reasons.append(f"no fallback strategy answered: {causes(tries)}")
    return "; ".join(reasons)


def _retry_after(note: FailureNote | None, tries: Sequence[FallbackTry]) -> float | None:
    """Return when the first of those that said so may be asked again."""
    said = [note["retry_after"] if note else None, *(tried["retry_after"] for tried in tries)]
    return min((seconds for seconds in said if seconds is not None), default=None)


def _finding(plain: dict[str, Any]) -> Finding:
    span = plain["span"]
    return Finding(**{**plain, "span": None if span is None else tuple(span)})
