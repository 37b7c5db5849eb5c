"""The state of one run: JSON, apart from messages, so that any checkpointer can keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    convert_to_messages,
    messages_from_dict,
)
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict  # pydantic builds no schema of typing's before 3.12

from langchain_control._least import least
from langchain_control.conversation import messages_of
from langchain_control.events import request_id_in, rules_of
from langchain_control.outcomes import (
    Attempt,
    FallbackTry,
    PlannedRetry,
    ValidationResult,
    Violation,
)
from langchain_control.retries.usage_limits import Spent

if TYPE_CHECKING:
    from langchain_control.policy import ControlPolicy

__all__ = [
    "Draft",
    "FailureNote",
    "PerRun",
    "RunState",
    "calls_in",
    "deadline_from_now",
    "draft_of",
    "fresh_run",
    "note_of",
    "state_of",
    "usage_of",
    "violations_in",
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
    withheld: list[str]
    """Whose texts the screening left out, as notes."""
    prompt: list[BaseMessage]
    """As it was sent."""
    notes: list[str]
    """What the prompt left out, for what the guard found or to fit its budget."""
    response: AIMessage | None
    latency_ms: float
    spent: Spent | None
    """What a controlled model without an answer has used, as it tells with its error."""


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
    answer_id: str | None
    """Id of the answer in `messages`, or of the notice that there is none."""
    value: Any
    """The parsed answer as plain data, where the contract asks for JSON."""
    scores: dict[str, float | None] | None
    """What was measured of the model's last answer; the fields of `Scores`."""
    fallbacks: list[FallbackTry]
    """What became of each fallback strategy that was asked, in order."""
    asker: str | None
    """The strategy that asks a person, from before it pauses the graph until it has a reply."""
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


def deadline_from_now(
    policy: ControlPolicy, run_deadline_seconds: float | None = None
) -> float | None:
    """Return when a request that begins now must have ended, or `None` if there is no limit."""
    allowed = least(policy.deadline_seconds, run_deadline_seconds)
    return None if allowed is None else policy.clock() + allowed


def fresh_run(
    config: RunnableConfig, policy: ControlPolicy, run_deadline_seconds: float | None = None
) -> PerRun:
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
        answer_id=None,
        value=None,
        scores=None,
        fallbacks=[],
        asker=None,
        waited_after=None,
        reservation=None,
        request_id=request_id_in(config),
        started=policy.clock(),
        deadline=deadline_from_now(policy, run_deadline_seconds),
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


def draft_of(state: Mapping[str, Any]) -> Draft:
    """Return the draft of a run with its messages read back, if somebody wrote them as JSON."""
    draft: dict[str, Any] = dict(state.get("draft") or {})
    for key in ("messages", "prompt"):
        if key in draft:
            draft[key] = [_message_in(given) for given in draft[key]]
    if draft.get("response") is not None:
        draft["response"] = _message_in(draft["response"])
    return cast("Draft", draft)


def _message_in(given: Any) -> BaseMessage:
    """Return a message with all it has, where `convert_to_messages` drops reports of JSON."""
    is_dumped = isinstance(given, Mapping) and "type" in given
    read = messages_from_dict([{"type": given["type"], "data": given}]) if is_dumped else None
    [message] = read or convert_to_messages([given])
    return message


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
