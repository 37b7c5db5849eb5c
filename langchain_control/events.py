"""What is told about a run while it happens.

Events travel as LangChain custom events, so that any callback handler hears them, sync and async,
from chains, graphs and subgraphs. `AuditLogger` is one such handler. They carry names, counts,
times and hashes; no content.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import uuid4

from langchain_core.runnables.config import ensure_config, merge_configs

from langchain_control._effects import Emit
from langchain_control._enclosing import is_left_over, parts_around, parts_under_way
from langchain_control.outcomes import FailureMode

if TYPE_CHECKING:
    from langchain_core.callbacks import BaseCallbackHandler
    from langchain_core.runnables import RunnableConfig

    from langchain_control.outcomes import PlannedRetry, ValidationResult

__all__ = [
    "REQUEST_ID",
    "UNHEARD",
    "AuditRecord",
    "EventName",
    "as_attempt",
    "blocked",
    "event",
    "flagged",
    "request_id_in",
    "retry_scheduled",
    "rules_of",
    "with_listener",
    "with_request_id",
]

UNHEARD = "nostream"
"""LangGraph's tag for calls that stay out of `stream_mode="messages"`: a draft is no answer yet."""

REQUEST_ID = "control_request_id"
"""Key in a run's metadata under which a caller may set the request id of its own."""


class EventName(StrEnum):
    """Every event this package sends."""

    ATTEMPT = "control.attempt"
    """A model call was judged, or failed."""
    BLOCKED = "control.blocked"
    """A gate turned a value away."""
    FLAGGED = "control.flagged"
    """A gate found something and let the value through, as it was or made harmless."""
    RETRY_SCHEDULED = "control.retry_scheduled"
    """Another attempt will follow, after a wait."""
    FALLBACK = "control.fallback"
    """A fallback strategy answered, or failed to."""
    FINISHED = "control.finished"
    """The final outcome of one request."""
    CUT_OFF = "control.cut_off"
    """A request was cancelled, or ended by a mistake of the program. It has no outcome."""
    CIRCUIT_CHANGED = "control.circuit_changed"
    """A circuit opened, half-opened or closed."""
    WAITED = "control.waited"
    """A request waited for its turn: a rate limit, a place, or a circuit was not free yet."""
    TOOL_CALLED = "control.tool_called"
    """A tool of an agent answered, failed, or was not called."""
    HANDED_OVER = "control.handed_over"
    """What one agent passes to the next was judged."""


class AuditRecord(TypedDict, total=False):
    """One line of the audit trail. `id`, `time`, `event` and `request_id` are always there."""

    id: str
    """128-bit random id in hex, unique to the record."""
    time: str
    """UTC, ISO 8601."""
    event: str
    """One of `EventName`."""
    request_id: str
    """The caller's, or a random 128-bit id in hex; shared by all records of one request."""
    within: str
    """Of a run in another request: what of that it belongs to, such as `fallback`. `call` is a call
    of the model, `validate` the judging of its answer, `tool` a tool of an agent. With more runs
    around, the innermost part comes first: `call in fallback`."""
    component: str
    """Which component turned a value away, flagged it, or made a request wait."""
    number: int
    """Number of the attempt, from 1; of a retry, that of the attempt to come."""
    model: str
    """Name of the model that was asked; at the end, and where it is not the one that was asked, of
    the one that answered."""
    snapshot: str
    """The dated name that the provider of an attempt's `model` answered under."""
    failure_mode: str
    """A `FailureMode`; `none` if nothing failed, or a tool in a way that none of them names."""
    message: str
    """What was wrong, in one sentence without content."""
    latency_ms: float
    """How long it took, in milliseconds: a call, a strategy, a tool, or the whole request."""
    input_tokens: int
    """Tokens of the prompt; at the end, of all attempts and fallbacks."""
    output_tokens: int
    """Tokens of the answer, in the same way."""
    cost: float
    """What an attempt or a fallback cost, where the policy knows the model's prices; at the end,
    what all of them cost together."""
    rung: str
    """How the model was to be asked: `same_model`, `native_schema` or `other_model`. One without a
    schema mode is asked on that rung as before."""
    fingerprint: str
    """The same for attempts that broke the same rules in the same places."""
    strategy: str
    """`fallback:<name>` of a fallback, else how the attempt came about: `none`, `simple` or
    `prompt_mutation`."""
    mutation: str | None
    """Name of the correction that the prompt carries, if any."""
    prompt_sha256: str
    """SHA-256 of the prompt as it was sent."""
    answer_sha256: str
    """SHA-256 of the text that was given for an answer, the model's or a fallback's, as UTF-8."""
    status: str
    """How a request, a fallback strategy, a tool or a hand-off ended; a circuit's new state; how a
    flagged value was treated: `observe`, `fence` or `sanitize`."""
    attempts: int
    """How many attempts the request had."""
    calls: int
    """Model answers that an agent's run asked for; further attempts were retries."""
    delay_seconds: float
    """How long the wait is, or was, in seconds."""
    rules: list[str]
    """Ids of the rules that fired or were broken."""
    notes: list[str]
    """What the prompt left out, and how the answer was read; as of an `Attempt`."""
    key: str
    """Name of a circuit or a tool, "sender to receiver", or the source of a text that was left out
    or flagged."""
    content: str
    """What the model answered in this attempt, only where content was asked for."""
    metadata: dict[str, str]
    """What the logger was asked to keep of the run's metadata, such as the thread or the user."""
    truncated: list[str]
    """Names of fields that were cut to keep the line short."""


def request_id_in(config: RunnableConfig) -> str:
    """Return the caller's request id, that of the request it is asked in, or a new one.

    A task that outlives the request it was begun in has inherited the id of that, but works for
    others by now.
    """
    given = str((config.get("metadata") or {}).get(REQUEST_ID) or "")
    if given and not is_left_over(given):
        return given
    around = parts_under_way()
    return around[-1].request_id if around else uuid4().hex


def with_request_id(config: RunnableConfig, request_id: str) -> RunnableConfig:
    """Return a config under which all events belong to this request."""
    metadata = config.get("metadata") or {}
    if metadata.get(REQUEST_ID) == request_id:
        return config
    return {**config, "metadata": {**metadata, REQUEST_ID: request_id}}


def as_attempt(config: RunnableConfig, number: int) -> RunnableConfig:
    """Return the config of a retry's call, tagged as LangChain's `with_retry` tags it."""
    return merge_configs(config, {"tags": [f"retry:attempt:{number}"]})


def with_listener(
    config: RunnableConfig | None, listener: BaseCallbackHandler | None
) -> RunnableConfig:
    """Return a config on which the listener hears the run, once."""
    whole = ensure_config(config)
    if listener is None:
        return whole
    present: Any = whole.get("callbacks")
    inherited = getattr(present, "inheritable_handlers", present)  # a manager's, or a list itself
    if listener in (inherited or []):
        return whole
    return merge_configs(whole, {"callbacks": [listener]})


def event(name: EventName, config: RunnableConfig, **fields: Any) -> Emit | None:
    """Build the effect that sends an event on the run of `config`, or `None` if nobody listens.

    Fields that are `None` are left out.
    """
    if not _has_listeners(config):
        return None
    around = parts_around()
    data: dict[str, Any] = {
        "id": uuid4().hex,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "event": name.value,
        **({"within": " in ".join(part.name for part in around)} if around else {}),
        **{key: value for key, value in fields.items() if value is not None},
    }
    return Emit(name.value, data, config)


def _has_listeners(config: RunnableConfig) -> bool:
    callbacks = config.get("callbacks")
    handlers = getattr(callbacks, "handlers", callbacks)
    return callbacks is None or bool(handlers)  # with none set, LangChain may still find some


def blocked(
    component: str, verdict: ValidationResult, config: RunnableConfig, **more: Any
) -> Emit | None:
    """Build the event of a gate that turned a value away."""
    return event(
        EventName.BLOCKED,
        config,
        component=component,
        failure_mode=verdict.failure_mode.value,
        message=verdict.message,
        rules=rules_of(verdict),
        **more,
    )


def retry_scheduled(
    retry: PlannedRetry, failure_mode: str, config: RunnableConfig, **more: Any
) -> Emit | None:
    """Build the event of a retry that is due after a failure of this mode."""
    told = {name: retry[name] for name in ("number", "delay_seconds", "strategy", "mutation")}
    return event(EventName.RETRY_SCHEDULED, config, failure_mode=failure_mode, **told, **more)


def flagged(
    component: str, verdict: ValidationResult, config: RunnableConfig, **more: Any
) -> Emit | None:
    """Build the event of a gate that let a value through, or `None` if it had found nothing."""
    if verdict.passed and not verdict.flagged:
        return None
    mode = FailureMode.PROMPT_INJECTION if verdict.passed else verdict.failure_mode
    told = {"key": ", ".join(verdict.flagged), "status": ", ".join(verdict.notes), **more}
    return event(
        EventName.FLAGGED,
        config,
        component=component,
        failure_mode=mode.value,
        message=verdict.message,
        rules=_rules_in(verdict),
        **told,
    )


def rules_of(verdict: ValidationResult) -> list[str] | None:
    """Name the rules behind a verdict, once each, in order."""
    return None if verdict.failure_mode is FailureMode.NONE else _rules_in(verdict)


def _rules_in(verdict: ValidationResult) -> list[str]:
    names = [*(v.rule for v in verdict.violations), *(f.rule for f in verdict.findings)]
    return list(dict.fromkeys(names))
