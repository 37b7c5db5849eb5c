"""Asking one strategy, and judging what it says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_control._effects import AsyncInSyncCallError, Call, Flow
from langchain_control.conversation import is_blank
from langchain_control.errors import ControlError, classify, retry_after_seconds
from langchain_control.errors.answers import answer_in
from langchain_control.errors.declared import FailureModes
from langchain_control.errors.listeners import gets_out
from langchain_control.models.reported import reported_tokens
from langchain_control.outcomes import (
    ControlResult,
    FailureMode,
    FallbackOutcome,
    FallbackTry,
    ValidationResult,
    failure,
    passed,
)
from langchain_control.strategies.function import answers_at_once, from_function
from langchain_control.strategies.other_model import Breaker, OtherModel
from langchain_control.strategies.replies import NoAnswerError, reply_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_control.strategies import FallbackRequest

__all__ = [
    "AnswerContract",
    "AnyAnswer",
    "Calls",
    "ContractAround",
    "JudgedReply",
    "MakeCall",
    "answering",
    "ask",
    "causes",
]

MakeCall: TypeAlias = Callable[[Runnable[Any, Any], Any, RunnableConfig], Call]

_NO_REPLY = AIMessage("")


def _unknown_cost(names: Iterable[str], input_tokens: int, output_tokens: int) -> float | None:  # noqa: ARG001
    return None


def _reported_tokens(reply: AIMessage) -> tuple[int, int]:
    return reported_tokens(reply, "input_tokens"), reported_tokens(reply, "output_tokens")


class Calls(NamedTuple):
    """How strategies are called, and what it costs."""

    make: MakeCall = Call
    """Makes a call; one that sets a time limit, for instance."""
    breaker: Breaker | None = None
    """Has a circuit for each model that brings none of its own."""
    tokens: Callable[[AIMessage], tuple[int, int]] = _reported_tokens
    """Says how many tokens in and out a model's answer took."""
    cost: Callable[[Iterable[str], int, int], float | None] = _unknown_cost
    """Says what tokens in and out cost of a model, by any of its names, where that is known."""
    timer: Callable[[], float] | None = None
    """Seconds from any start, for latencies. `None` leaves it to the router's own."""


class AnswerContract(Protocol):
    """What an answer must meet, as `ResponseValidator` knows it."""

    @property
    def expects_type(self) -> bool:
        """Whether an answer is read as an instance of a type."""

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Judge an answer."""

    def clean(self, message: AIMessage, verdict: ValidationResult) -> AIMessage:
        """Return the answer as it passed."""


class ContractAround:
    """The part that contracts around another one have in common; how they judge is their own."""

    def __init__(self, contract: AnswerContract) -> None:
        """Take the contract that stands inside."""
        self._contract = contract

    @property
    def expects_type(self) -> bool:
        """Whether an answer is read as an instance of a type."""
        return self._contract.expects_type

    def clean(self, message: AIMessage, verdict: ValidationResult) -> AIMessage:
        """Return the answer as it passed."""
        return self._contract.clean(message, verdict)


class AnyAnswer:
    """The contract of whoever sets none."""

    expects_type = False

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Accept the answer."""
        yield from ()
        return passed(value.additional_kwargs.get("parsed"))

    def clean(self, message: AIMessage, verdict: ValidationResult) -> AIMessage:  # noqa: ARG002
        """Return the answer as it is."""
        return message


class JudgedReply(NamedTuple):
    """A strategy's answer and the verdict on it."""

    outcome: FallbackOutcome
    reply: AIMessage
    verdict: ValidationResult
    error: Exception | None = None
    """What it raised."""
    run: ControlResult | None = None
    """How it came about, where a controlled model was asked."""


def ask(
    strategy: Flow[Any], contract: AnswerContract, failure_modes: FailureModes = ()
) -> Flow[JudgedReply]:
    """Ask a strategy and judge its answer. Nothing that it raises gets out.

    What LangGraph raises to interrupt or redirect a graph does, and what a listener raises to stop
    the run: they are no failures of the strategy.

    Args:
        strategy: Gives the answer, see `answering`.
        contract: What the answer must meet.
        failure_modes: What the application says that its own exceptions mean.
    """
    run = None
    try:
        given = yield from strategy
        if isinstance(given, ControlResult):
            run, given = given, given.unwrap()
        read_back = contract.expects_type
        reply = _NO_REPLY if given is None else reply_of(given, read_back=read_back)
    except Exception as exc:
        if gets_out(exc):
            raise
        reply, verdict = answer_in(exc) or _NO_REPLY, _verdict_on(exc, failure_modes)
        run = exc.result if isinstance(exc, ControlError) else run
        return JudgedReply(_outcome_of(exc), reply, verdict, exc, run)
    if is_blank(reply) and not reply.tool_calls:
        verdict = failure(FailureMode.CONSTRAINT_VIOLATION, "no answer")
        return JudgedReply("passed", reply, verdict, run=run)
    verdict = yield from contract.judge(reply)
    return JudgedReply("answered" if verdict.passed else "rejected", reply, verdict, run=run)


def answering(
    name: str,
    strategy: Any,
    request: FallbackRequest,
    config: RunnableConfig,
    make_call: MakeCall,
) -> Flow[Any]:
    """Return what a strategy gives for an answer.

    What is to be awaited has a time limit as the call has, even if the strategy answers at once.

    Args:
        name: Of the strategy, for traces.
        strategy: Whatever a router takes.
        request: What to answer.
        config: The run that it is called under.
        make_call: Makes the call; give one that sets a time limit.
    """
    given = yield from _given(name, strategy, request, config, make_call)
    if not inspect.isawaitable(given):
        return given
    return (yield make_call(cast("Any", _Awaited()), given, config))


def _given(
    name: str,
    strategy: Any,
    request: FallbackRequest,
    config: RunnableConfig,
    make_call: MakeCall,
) -> Flow[Any]:
    if not isinstance(strategy, Runnable):
        call = make_call(from_function(strategy, name), request, config)
        return (yield call.without_limit() if answers_at_once(strategy) else call)
    prompt = request.prompt or list(request.messages)
    if isinstance(strategy, OtherModel):
        return (yield from strategy.called(prompt, config, make_call))
    return (yield make_call(strategy, prompt, config))


class _Awaited:
    """Awaits what it is given; called as a Runnable is, without a run of its own."""

    def invoke(self, given: Any, config: object = None) -> Any:  # noqa: ARG002
        if inspect.iscoroutine(given):
            given.close()
        raise AsyncInSyncCallError

    async def ainvoke(self, given: Any, config: object = None) -> Any:  # noqa: ARG002
        return await given


def causes(tries: Sequence[FallbackTry]) -> str:
    """Say why strategies did not answer, in one line."""
    return ", ".join(map(_cause, tries)) or "there are none"


def _cause(tried: FallbackTry) -> str:
    why = f" ({tried['message']})" if tried["message"] else ""
    return f"`{tried['name']}` {tried['outcome']}{why}"


def _outcome_of(exc: Exception) -> FallbackOutcome:
    """Tell a call that was not allowed, by a circuit or a limit, from one that failed."""
    was_refused = isinstance(exc, ControlError) and exc.result.status == "rejected"
    return "refused" if was_refused else "crashed"


def _verdict_on(exc: Exception, failure_modes: FailureModes) -> ValidationResult:
    """Return an exception as a verdict: its own words if it is ours, else its name alone."""
    mode = classify(exc, failure_modes)
    if mode is None or mode is FailureMode.NONE:
        mode = FailureMode.MODEL_ERROR
    why = _words_of(exc) or type(exc).__name__
    return failure(mode, why, retry_after=retry_after_seconds(exc))


def _words_of(exc: Exception) -> str:
    """Return what an exception of ours says. It holds no content."""
    if isinstance(exc, ControlError):
        return exc.result.reason
    return str(exc) if isinstance(exc, NoAnswerError) else ""
