"""One tool call under control: arguments, time, circuit, errors, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import ToolException
from pydantic import ConfigDict, Field

from langchain_control._effects import Call, Flow
from langchain_control._least import least
from langchain_control._overriding import OverridableModel
from langchain_control._waiting import MAX_SECONDS
from langchain_control.circuits import Refusal
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.contracts.tool_calls import violations_of_arguments
from langchain_control.detectors.texts import take_apart
from langchain_control.errors import classify
from langchain_control.errors.listeners import gets_out
from langchain_control.errors.logged import log_failure
from langchain_control.events import EventName, blocked, event, flagged, rules_of
from langchain_control.fences import fenced_as_data
from langchain_control.middleware.handlers import acall_handler, call_handler
from langchain_control.middleware.tool_results import (
    each_message,
    from_outside,
    with_messages,
    without_record,
)
from langchain_control.outcomes import FailureMode, ValidationResult, failure, passed
from langchain_control.policy import ControlPolicy
from langchain_control.retries.corrections import correction
from langchain_control.runs.screening import WITHHELD, withheld
from langchain_control.runs.state import deadline_from_now
from langchain_control.runs.time_limits import InTime, seconds_until

__all__ = ["ToolContext", "ToolHandler", "ToolPolicy", "controlled"]

MAX_ERROR_CHARS = 500
"""How much of a tool's own error message the model is shown."""


class ToolPolicy(OverridableModel):
    """How the tools of an agent are treated.

    !!! example "A slow tool, and a feed that only needs watching"

        ```python
        ControlMiddleware(
            policy,
            tool_policies={
                "crawl": ToolPolicy(timeout_seconds=120),
                "news": ToolPolicy(on_injection="fence"),
            },
        )
        ```
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    timeout_seconds: float | None = Field(default=30.0, gt=0, le=MAX_SECONDS)
    """Hard limit of one call. `None` sets none, as a tool that waits for a person needs."""
    on_injection: Literal["block", "fence", "observe"] = "block"
    """What becomes of a result that looks like an attack, or is too large to be searched. `block`
    withholds it from the model, `fence` marks it as data and withholds what cannot be marked,
    `observe` only tells the trail."""
    breaker: CircuitBreaker | None = Field(default_factory=lambda: CircuitBreaker(name="tools"))
    """Asked before a call, under the tool's name as key. `None` always calls."""


class ToolHandler(Runnable[ToolCallRequest, Any]):
    """The handler of a tool call as a Runnable."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        """Take what LangChain hands to `wrap_tool_call`."""
        self._handler = handler

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002, ARG002
        """Call the handler."""
        return call_handler(self._handler, input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002, ARG002
        """Await the handler."""
        return await acall_handler(self._handler, input, config)


class ToolContext(NamedTuple):
    """What a tool is called with and under."""

    request: ToolCallRequest
    policy: ControlPolicy
    rules: ToolPolicy
    config: RunnableConfig
    deadline: float | None
    """When the run must have ended, in seconds since the epoch; `None` without a limit."""
    run_deadline_seconds: float | None

    @property
    def seconds_left(self) -> float | None:
        """To the end of the run, if it has a deadline."""
        return seconds_until(self.deadline, self.policy)

    @property
    def name(self) -> str:
        """The tool's."""
        name: str = self.request.tool_call["name"]
        return name

    def error(self, text: str) -> ToolMessage:
        """Return a message that the model can act on."""
        call = self.request.tool_call
        return ToolMessage(text, name=call["name"], tool_call_id=call["id"], status="error")


Status = Literal["answered", "withheld", "refused", "failed"]


class _Done(NamedTuple):
    """How a call went, and what the agent gets for it."""

    status: Status
    output: Any
    verdict: ValidationResult


def controlled(context: ToolContext, handler: ToolHandler) -> Flow[Any]:
    """Make a tool call as its rules allow it. Nothing of the tool's is raised.

    Returns:
        What the tool gave, or an error message that the model can act on.
    """
    timer = context.policy.timer
    started = timer()
    done = yield from _done(context, handler)
    yield event(
        EventName.TOOL_CALLED,
        context.config,
        key=context.name,
        status=done.status,
        failure_mode=done.verdict.failure_mode.value,
        message=done.verdict.message or None,
        rules=rules_of(done.verdict),
        latency_ms=round((timer() - started) * 1000, 3),
    )
    return done.output


def _done(context: ToolContext, handler: ToolHandler) -> Flow[_Done]:
    request, seconds_left = context.request, context.seconds_left
    if seconds_left is not None and seconds_left <= 0:
        verdict = failure(FailureMode.DEADLINE_EXCEEDED, "the deadline of the run has passed")
        return _Done("refused", context.error("The tool was not called: time is up."), verdict)
    if broken := violations_of_arguments(request.tool, request.tool_call):
        verdict = failure(FailureMode.SCHEMA_VIOLATION, "the arguments do not fit the schema")
        told = correction("The tool was not called: its arguments do not fit its schema.", broken)
        return _Done("refused", context.error(told), verdict)
    try:
        output = without_record(with_messages((yield from _made(context, handler))))
    except Exception as exc:
        if gets_out(exc):
            raise
        return (yield from _failed(context, exc))
    if isinstance(output, Refusal):
        verdict = failure(FailureMode.CIRCUIT_OPEN, output.message)
        return _Done("refused", context.error(_unavailable(output)), verdict)
    return (yield from _screened(context, output))


def _made(context: ToolContext, handler: ToolHandler) -> Flow[Any]:
    """Make the call within its time, if the tool's circuit admits it.

    A tool has threads of its own, as a model must not wait for tools that hang. Tools that no agent
    knows have them together, as a model may invent any name.
    """
    due, left = context.rules.timeout_seconds, context.seconds_left
    whose = f"tool:{context.name}" if context.request.tool is not None else "tool"
    call = Call(
        handler,
        context.request,
        context.config,
        due,
        context.policy.threads.of(whose),
        remaining_seconds=left,
        deadline_seconds=context.run_deadline_seconds,
    )
    if context.rules.breaker is None:
        return (yield call)
    return (yield from context.rules.breaker.calling(call, context.config, context.name))


# --- errors as values -----------------------------------------------------------------------------


def _failed(context: ToolContext, exc: Exception) -> Flow[_Done]:
    """Tell the model what it can act on: a tool's own words for it, else the kind of failure."""
    kind = f"`{type(exc).__name__}`"
    verdict = failure(classify(exc) or FailureMode.NONE, kind)
    if not isinstance(exc, ToolException):
        log_failure(f"the tool `{context.name}`", exc)
        return _Done("failed", context.error(f"`{context.name}` failed with {kind}."), verdict)
    error = context.error(str(exc)[:MAX_ERROR_CHARS])
    return (yield from _screened(context, error))._replace(verdict=verdict)


def _unavailable(refusal: Refusal) -> str:
    soon = f" Try again in {refusal.retry_after:.0f} s, or" if refusal.retry_after else " Try to"
    return f"The tool is not available now.{soon} do without it."


# --- what comes back ------------------------------------------------------------------------------


def _screened(context: ToolContext, output: Any) -> Flow[_Done]:
    """Judge every message in what a tool gave that somebody else may have written."""
    known = _messages_by_id(context.request.state)
    on_injection = context.rules.on_injection
    until = least(context.deadline, deadline_from_now(context.policy))
    treated: dict[int, BaseMessage] = {}
    worst = passed(None)
    for message in _messages_in(output):
        if not from_outside(message) or known.get(message.id) == message:
            continue  # judged when it entered the history; tools hand whole histories on
        verdict = yield from _judged(message, context, until)
        if verdict.passed:
            treated[id(message)] = verdict.value
            yield flagged("InputGuard", verdict, context.config)
            continue
        worst, goes_on = verdict, _TREATMENTS[on_injection](message)
        treated[id(message)] = goes_on
        if goes_on.content == WITHHELD:
            yield blocked("InputGuard", verdict, context.config, key="tool")
        else:
            yield flagged("InputGuard", verdict, context.config, key="tool", status=on_injection)
    if not worst.passed and any(message.content == WITHHELD for message in treated.values()):
        status: Status = "withheld"
    else:
        status = "failed" if getattr(output, "status", None) == "error" else "answered"
    screened = each_message(output, lambda message: treated.get(id(message), message))
    return _Done(status, screened, worst)


def _judged(
    message: BaseMessage, context: ToolContext, until: float | None
) -> Flow[ValidationResult]:
    guard = context.policy.guard
    if guard is None:
        return passed(message)
    return (yield from InTime(guard, until, context.policy).judge(message, source="tool"))


def _messages_in(output: Any) -> list[BaseMessage]:
    found: list[BaseMessage] = []

    def keep(message: BaseMessage) -> BaseMessage:
        found.append(message)
        return message

    each_message(output, keep)
    return found


def _messages_by_id(state: Any) -> dict[str | None, BaseMessage]:
    messages = state.get("messages", ()) if isinstance(state, Mapping) else ()
    return {message.id: message for message in messages if message.id}


def _as_data(message: BaseMessage) -> BaseMessage:
    taken = take_apart(message, "tool")
    if not taken.complete or any(part.is_fixed for part in taken.parts):
        return withheld(message)
    fenced_message: BaseMessage = taken.rebuild(
        [fenced_as_data("tool_result", part.text) for part in taken.parts]
    )
    return fenced_message


_TREATMENTS: dict[str, Callable[[BaseMessage], BaseMessage]] = {
    "block": withheld,
    "fence": _as_data,
    "observe": lambda message: message,
}
