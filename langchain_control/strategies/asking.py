"""Asking one strategy, and judging what it says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias, cast

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_control._effects import Call, Flow
from langchain_control.errors import classify
from langchain_control.errors.foreign import steers_a_graph
from langchain_control.outcomes import FailureMode, ValidationResult, failure, passed
from langchain_control.strategies.function import from_function

if TYPE_CHECKING:
    from langchain_control.strategies import FallbackRequest

__all__ = ["AnswerContract", "AnyAnswer", "Asked", "FallbackTry", "MakeCall", "ask"]

TryOutcome: TypeAlias = Literal["answered", "passed", "rejected", "crashed"]
MakeCall: TypeAlias = Callable[[Runnable[Any, Any], Any, RunnableConfig], Call]

_NO_REPLY = AIMessage("")


class AnswerContract(Protocol):
    """What an answer must meet, as `ResponseValidator` knows it."""

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Judge an answer."""

    def clean(self, message: AIMessage, verdict: ValidationResult) -> AIMessage:
        """Return the answer as it passed."""


class AnyAnswer:
    """The contract of whoever sets none."""

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Accept the answer."""
        yield from ()
        return passed(value.additional_kwargs.get("parsed"))

    def clean(self, message: AIMessage, verdict: ValidationResult) -> AIMessage:  # noqa: ARG002
        """Return the answer as it is."""
        return message


@dataclass(frozen=True, slots=True)
class FallbackTry:
    """What became of one strategy."""

    name: str
    outcome: TryOutcome
    """It gave a valid answer, none, one that broke the contract, or it raised."""
    failure_mode: FailureMode = FailureMode.NONE
    message: str = ""
    """The verdict on its answer, or the class name of what it raised."""

    def __str__(self) -> str:
        """Read as one of several causes."""
        return f"`{self.name}` {self.outcome}" + (f" ({self.message})" if self.message else "")


class Asked(NamedTuple):
    """A strategy's answer and the verdict on it."""

    tried: FallbackTry
    reply: AIMessage
    verdict: ValidationResult


def ask(
    name: str,
    strategy: Any,
    request: FallbackRequest,
    contract: AnswerContract,
    make_call: Callable[[Runnable[Any, Any], Any], Call],
) -> Flow[Asked]:
    """Ask a strategy and judge its answer. Nothing that it raises gets out.

    What LangGraph raises to interrupt or redirect a graph does: it is no failure.
    """
    try:
        given = yield make_call(*_task(name, strategy, request))
        reply = _as_message((yield given) if inspect.isawaitable(given) else given)
    except Exception as exc:
        if steers_a_graph(exc):
            raise
        return _asked(name, "crashed", _NO_REPLY, failure(_mode_of(exc), type(exc).__name__))
    if _is_blank(reply):
        verdict = failure(FailureMode.CONSTRAINT_VIOLATION, "no answer")
        return _asked(name, "passed", reply, verdict)
    verdict = yield from contract.judge(reply)
    return _asked(name, "answered" if verdict.passed else "rejected", reply, verdict)


def _task(name: str, strategy: Any, request: FallbackRequest) -> tuple[Runnable[Any, Any], Any]:
    """Return what to invoke, and with what."""
    if isinstance(strategy, Runnable):
        return strategy, request.prompt or list(request.messages)
    return from_function(strategy, name), request


def _asked(name: str, outcome: TryOutcome, reply: AIMessage, verdict: ValidationResult) -> Asked:
    tried = FallbackTry(name, outcome, verdict.failure_mode, verdict.message)
    return Asked(tried, reply, verdict)


def _mode_of(exc: Exception) -> FailureMode:
    mode = classify(exc)
    return (
        FailureMode.MODEL_ERROR if mode in (None, FailureMode.NONE) else cast("FailureMode", mode)
    )


def _as_message(given: Any) -> AIMessage:
    match given:
        case None:
            return _NO_REPLY
        case str():
            return AIMessage(given)
        case AIMessageChunk():
            return cast("AIMessage", message_chunk_to_message(given))
        case AIMessage():
            return given
    msg = f"a strategy answers with a str, an AIMessage or None, got `{type(given).__name__}`"
    raise TypeError(msg)


def _is_blank(reply: AIMessage) -> bool:
    if reply.text.strip() or reply.tool_calls:
        return False
    return all(isinstance(block, str) or block.get("type") == "text" for block in reply.content)
