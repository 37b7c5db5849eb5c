"""Answering by other means."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import (
    Runnable,
    RunnableConfig,
)
from pydantic import BaseModel, Field, field_validator

from langchain_control._effects import Emit, Flow
from langchain_control.components.shapes import Gate, Several, Wrapper
from langchain_control.conversation import messages_of
from langchain_control.errors import (
    BudgetExceeded,
    ControlError,
    InputRejected,
    RateLimited,
    classify,
    error_for,
    retry_after_seconds,
)
from langchain_control.errors.declared import FailureModes
from langchain_control.errors.logged import log_failure
from langchain_control.events import EventName, event, rules_of
from langchain_control.outcomes import (
    ControlResult,
    FailureMode,
    FallbackTry,
    ValidationResult,
)
from langchain_control.strategies import CannedAnswer, FallbackRequest, RemembersAnswers
from langchain_control.strategies.asking import (
    AnswerContract,
    AnyAnswer,
    Calls,
    JudgedReply,
    answering,
    ask,
    causes,
)
from langchain_control.strategies.chains import chain_of
from langchain_control.strategies.function import is_strategy
from langchain_control.strategies.other_model import as_asked
from langchain_control.strategies.usage import Used, used_by

__all__ = ["FALLBACK", "FallbackAnswer", "FallbackRouter", "Routed", "Turn"]

FALLBACK = "control_fallback"
"""Key in an answer's `response_metadata` that names the strategy behind it."""

PLAIN_CALLS = Calls()
"""No time limit, no circuit, no prices."""

_TURNED_AWAY = (InputRejected, BudgetExceeded, RateLimited)


class FallbackAnswer(NamedTuple):
    """An answer that is not the model's."""

    name: str
    """Which strategy gave it."""
    message: AIMessage
    """The answer in the form that passed the contract, marked as a fallback's."""


class Turn(NamedTuple):
    """What came of asking one strategy."""

    tried: FallbackTry
    answer: FallbackAnswer | None
    """`None` if it had no valid one."""


class Routed(NamedTuple):
    """Where a request landed."""

    answer: FallbackAnswer | None
    """`None` if nobody had a valid one."""
    tries: tuple[FallbackTry, ...]
    """Every strategy that was asked, in order."""


class FallbackRouter(Wrapper[LanguageModelInput, AIMessage]):
    """Ask named strategies in order; the first valid answer wins.

    A strategy that raises is noted by the name of its exception, logged and skipped; a model whose
    circuit is open refuses at once, and the next one takes its place until a probe succeeds. An
    answer is marked: its `response_metadata` names the strategy under `control_fallback`.

    !!! example "A smaller model, then a sentence"

        ```python
        router = FallbackRouter(
            strategies=[("small model", small_model), ("apology", "Please try again later.")]
        )
        ```
    """

    strategies: Several[tuple[str, Any]] = ()
    """Names and strategies, best first.

    A strategy is a Runnable that takes messages, a `FallbackStrategy`, a function of the question,
    or a text to answer with.
    """
    answer_blocked_input: bool = False
    """Whether a request may be answered that the guard, the prompt's budget or the policy's own
    rate limit turned away.

    Off, because an attacker should learn nothing from a block, and a strategy might be a model.
    """
    failure_modes: FailureModes = Field(default=(), exclude=True)
    """What exceptions of your own mean. In a policy, what the policy says, unless set here."""
    timer: Callable[[], float] = Field(default=time.perf_counter, repr=False, exclude=True)
    """Seconds from any start, for latencies; in a policy its own `timer` takes this one's place."""

    @field_validator("strategies", mode="before")
    @classmethod
    def _as_pairs(cls, value: Any) -> Any:
        pairs = _items_of(value)
        if pairs is None or not all(map(_is_pair, pairs)):
            msg = "must be pairs of a name and a strategy, such as [('backup', backup_model)]"
            raise ValueError(msg)
        return pairs

    @field_validator("strategies")
    @classmethod
    def _can_be_asked(cls, value: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
        names = [name for name, _ in value]
        if twice := {name for name in names if names.count(name) > 1}:
            msg = f"names must differ, `{min(twice)}` stands for several strategies"
            raise ValueError(msg)
        return tuple((name, _strategy(name, given)) for name, given in value)

    def __repr_args__(self) -> Any:
        """Show strategies by name: functions and models have reprs full of addresses."""
        for field, value in super().__repr_args__():
            names = tuple(name for name, _ in self.strategies)
            yield field, names if field == "strategies" else value

    @property
    def InputType(self) -> Any:  # noqa: N802
        """What a chat model takes."""
        return str | list[BaseMessage]

    @property
    def OutputType(self) -> Any:  # noqa: N802
        """A message, as from a chat model."""
        return AIMessage

    def route(
        self,
        request: FallbackRequest,
        contract: AnswerContract | None,
        config: RunnableConfig,
        calls: Calls = PLAIN_CALLS,
    ) -> Flow[Routed]:
        """Ask all strategies, as a flow, until one has a valid answer.

        Args:
            request: What to answer. Strategies among its `tries` have had their turn.
            contract: Judges each answer. Without one, any answer that is not blank is valid.
            config: The run that events are told on and strategies are called under.
            calls: How strategies are called.
        """
        contract = contract or AnyAnswer()
        answer, tries = None, request.tries
        while answer is None and (due := self.next_after(tries)) is not None:
            asked = replace(request, tries=tries)
            tried, answer = yield from self.turn(due, asked, contract, config, calls)
            tries = (*tries, tried)
        return Routed(answer, tries)

    def turn(
        self,
        due: tuple[str, Any],
        request: FallbackRequest,
        contract: AnswerContract,
        config: RunnableConfig,
        calls: Calls = PLAIN_CALLS,
    ) -> Flow[Turn]:
        """Ask one strategy, as a flow: the one that `next_after` has named. See `route`."""
        name, given = due
        strategy, timer = as_asked(name, given, calls.breaker), calls.timer or self.timer
        started = timer()
        answer = answering(name, strategy, request, config, calls.make)
        asked = yield from ask(answer, contract, self.failure_modes)
        seconds = timer() - started
        tried = _record(name, asked, used_by(strategy, asked, calls), latency_seconds=seconds)
        yield _event(tried, asked.verdict, request, config)
        if asked.error is not None and asked.outcome == "crashed":
            log_failure(f"the fallback strategy `{name}`", asked.error)
        if asked.outcome != "answered":
            return Turn(tried, None)
        marked = _marked(contract.clean(asked.reply, asked.verdict), name)
        return Turn(tried, FallbackAnswer(name, marked))

    def fixed_answers(self) -> Iterator[tuple[str, str]]:
        """Yield the answers that are known beforehand, each by the name of its strategy."""
        for name, strategy in self.strategies:
            if isinstance(strategy, CannedAnswer):
                yield name, strategy.text

    def next_after(self, tries: Sequence[FallbackTry]) -> tuple[str, Any] | None:
        """Return whose turn it is, by name and strategy, or `None` if all have had one."""
        had_a_turn = {tried["name"] for tried in tries}
        left = ((name, given) for name, given in self.strategies if name not in had_a_turn)
        return next(left, None)

    def seconds_to_wait(
        self, tries: Sequence[FallbackTry], model_retry_after: float | None = None
    ) -> float | None:
        """Return when the first strategy that could not be asked may be asked again.

        Args:
            tries: What became of all strategies, in order.
            model_retry_after: Seconds until the model may be asked, told before the first try.

        Returns:
            Seconds from the end of the last try; `None` if nobody said, or there are no strategies.
        """
        if not self.strategies:
            return None
        waits, since = [], 0.0
        for tried in reversed(tries):
            if tried["retry_after"] is not None:
                waits.append(tried["retry_after"] - since)
            since += tried["latency_ms"] / 1000
        if model_retry_after is not None:
            waits.append(model_retry_after - since)
        return max(0.0, min(waits)) if waits else None

    @staticmethod
    def pauses(strategy: Any) -> bool:
        """Say whether a strategy pauses the graph, as one that asks a person."""
        return bool(getattr(strategy, "pauses", False))

    def remember(self, request: FallbackRequest, answer: AIMessage) -> None:
        """Tell an accepted answer of the model to the strategies that learn from it.

        One that crashes over it is logged and skipped: the answer is as good without it.
        """
        for name, strategy in self.strategies:
            if isinstance(strategy, RemembersAnswers):
                try:
                    strategy.remember(request, answer)
                except Exception as exc:  # noqa: BLE001  (a plug-in may fail in any way)
                    log_failure(f"the fallback strategy `{name}`", exc)

    def _flow(self, value: LanguageModelInput, config: RunnableConfig) -> Flow[AIMessage]:
        request = _request_in(value)
        answer, tries = yield from self.route(request, None, config)
        if answer is None:
            mode = tries[-1]["failure_mode"] if tries else FailureMode.NONE
            raise _exhausted(FailureMode(mode), tries)
        return answer.message

    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        request, chain = _request_in(value), chain_of(bound, gates=Gate)
        try:
            given, reply = yield from chain.called(value, config)
        except Exception as exc:
            mode = classify(exc, self.failure_modes)
            if mode is None or not self._may_answer(exc):
                raise
            error = exc
        else:
            if isinstance(reply, AIMessage) and not reply.tool_calls:
                self.remember(request, reply)
            return given
        request = replace(request, prompt=value, failure_mode=mode)
        contract = chain.contract(config)
        answer, tries = yield from self.route(request, contract, config)
        if answer is None:
            raise _exhausted(mode, tries, retry_after_seconds(error)) from error
        if contract is not None:
            return contract.given
        return answer.message.text if bound.OutputType is str else answer.message

    def _may_answer(self, error: Exception) -> bool:
        has_place = classify(error) is not FailureMode.BULKHEAD_FULL
        if isinstance(error, _TURNED_AWAY) and has_place and not self.answer_blocked_input:
            return False
        return bool(self.strategies)


def _items_of(value: Any) -> tuple[Any, ...] | None:
    """Return what a collection holds; nothing of a strategy, which may be iterable as well."""
    is_strategy = isinstance(value, Runnable | BaseModel | str) or callable(value)
    if is_strategy or not isinstance(value, Iterable):
        return None
    return tuple(value.items() if isinstance(value, Mapping) else value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2  # noqa: PLR2004  (that is a pair)


def _strategy(name: str, given: Any) -> Any:
    if isinstance(given, str):
        return CannedAnswer(given)
    is_class = isinstance(given, type)  # calling one makes a strategy, not an answer
    if not is_class and (isinstance(given, Runnable) or is_strategy(given)):
        return given
    got = f"the class `{given.__name__}`; make one" if is_class else repr(given)
    msg = (
        f"`{name}` must be a Runnable, a text, or a function that takes the question, "
        f"or the question and the request; got {got}"
    )
    raise ValueError(msg)


def _request_in(value: Any) -> FallbackRequest:
    """Read a request out of an input: of a mapping, from its `input` or its only value.

    Whatever else a wrapped Runnable takes holds no question: strategies are asked without one.
    """
    asked, beside = value, {}
    if isinstance(value, Mapping):
        key = next(iter(value)) if len(value) == 1 else "input"
        asked, beside = value.get(key), {name: v for name, v in value.items() if name != key}
    try:
        return FallbackRequest(tuple(messages_of(asked)), context=beside or ())
    except TypeError:
        return FallbackRequest((), context=value)


def _marked(answer: AIMessage, name: str) -> AIMessage:
    metadata = {**answer.response_metadata, FALLBACK: name}
    return answer.model_copy(update={"response_metadata": metadata})


def _record(name: str, asked: JudgedReply, used: Used, *, latency_seconds: float) -> FallbackTry:
    return FallbackTry(
        name=name,
        outcome=asked.outcome,
        failure_mode=asked.verdict.failure_mode.value,
        message=asked.verdict.message,
        model=used.model,
        latency_ms=round(latency_seconds * 1000, 3),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cost=used.cost,
        retry_after=asked.verdict.retry_after,
    )


def _event(
    tried: FallbackTry, verdict: ValidationResult, request: FallbackRequest, config: RunnableConfig
) -> Emit | None:
    return event(
        EventName.FALLBACK,
        config,
        component=FallbackRouter.__name__,
        request_id=request.request_id or None,
        strategy=f"fallback:{tried['name']}",
        status=tried["outcome"],
        failure_mode=tried["failure_mode"],
        message=tried["message"] or None,
        rules=rules_of(verdict),
        model=tried["model"],
        latency_ms=tried["latency_ms"],
        input_tokens=tried["input_tokens"] or None,
        output_tokens=tried["output_tokens"] or None,
        cost=tried["cost"],
    )


def _exhausted(
    mode: FailureMode, tries: Sequence[FallbackTry], retry_after: float | None = None
) -> ControlError:
    result = ControlResult(
        status="exhausted",
        failure_mode=mode,
        reason=f"no fallback strategy answered: {causes(tries)}",
        fallbacks=tuple(tries),
        retry_after=retry_after,
    )
    return error_for(result)
