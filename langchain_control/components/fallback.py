"""Answering by other means."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import Field, field_validator

from langchain_control._effects import Call, Emit, Flow
from langchain_control.components._base import Wrapper
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
from langchain_control.events import EventName, event, rules_of
from langchain_control.outcomes import ControlResult, FailureMode
from langchain_control.strategies import CannedAnswer, FallbackRequest, RemembersAnswers
from langchain_control.strategies.asking import (
    AnswerContract,
    AnyAnswer,
    Asked,
    FallbackTry,
    MakeCall,
    ask,
)
from langchain_control.strategies.function import is_strategy

__all__ = ["FALLBACK", "FallbackAnswer", "FallbackRouter"]

FALLBACK = "control_fallback"
"""Key in an answer's `response_metadata` that names the strategy behind it."""

_ALL = slice(None)

_TURNED_AWAY = (InputRejected, BudgetExceeded, RateLimited)


@dataclass(frozen=True, slots=True)
class FallbackAnswer:
    """An answer that is not the model's, and what was tried before it."""

    name: str
    """Which strategy gave it."""
    message: AIMessage
    """The answer in the form that passed the contract, marked as a fallback's."""
    value: Any = None
    """The parsed answer, where the contract asks for one."""
    tries: tuple[FallbackTry, ...] = ()
    """Every strategy asked, in order; the last one answered."""


class FallbackRouter(Wrapper[LanguageModelInput, AIMessage]):
    """Ask named strategies in order; the first valid answer wins.

    A strategy that raises is noted by the name of its exception and skipped. An answer is marked:
    its `response_metadata` names the strategy under `control_fallback`.

    !!! example "A smaller model, then a sentence"

        ```python
        router = FallbackRouter(
            strategies=[("small model", small_model), ("apology", "Please try again later.")]
        )
        ```
    """

    strategies: tuple[tuple[str, Any], ...] = ()
    """Names and strategies, best first.

    A strategy is a Runnable that takes messages, a `FallbackStrategy`, a function of the question,
    or a text to answer with.
    """
    answer_blocked_input: bool = False
    """Whether an input that was turned away may be answered.

    Off, because an attacker should learn nothing from a block, and a strategy might be a model.
    """
    clock: Callable[[], float] = Field(default=time.perf_counter, repr=False, exclude=True)
    """Seconds from any start, for latencies."""

    @field_validator("strategies", mode="before")
    @classmethod
    def _as_pairs(cls, value: Any) -> Any:
        return tuple(value.items()) if isinstance(value, Mapping) else value

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
        *,
        call: MakeCall = Call,
        turns: slice = _ALL,
    ) -> Flow[FallbackAnswer | None]:
        """Return the first valid answer as a flow, or `None` if no strategy has one.

        Args:
            request: What to answer.
            contract: Judges each answer. Without one, any answer that is not blank is valid.
            config: The run that events are told on and strategies are called under.
            call: Makes the call of a strategy; give one that sets a time limit.
            turns: Which strategies to ask, by their place in the order.
        """
        answer, _ = yield from self._ask_all(request, contract or AnyAnswer(), config, call, turns)
        return answer

    def pauses(self, at: int) -> bool:
        """Say whether the strategy with this place pauses the graph, as one that asks a person."""
        return at < len(self.strategies) and getattr(self.strategies[at][1], "pauses", False)

    def next_pause(self, after: int) -> int | None:
        """Return the place of the next strategy behind `after` that pauses the graph."""
        return next((n for n in range(after + 1, len(self.strategies)) if self.pauses(n)), None)

    def remember(self, messages: Sequence[BaseMessage], answer: AIMessage) -> None:
        """Tell an accepted answer of the model to the strategies that learn from it."""
        for _, strategy in self.strategies:
            if isinstance(strategy, RemembersAnswers):
                strategy.remember(messages, answer)

    def _ask_all(
        self,
        request: FallbackRequest,
        contract: AnswerContract,
        config: RunnableConfig,
        call: MakeCall = Call,
        turns: slice = _ALL,
    ) -> Flow[tuple[FallbackAnswer | None, tuple[FallbackTry, ...]]]:
        def make_call(runnable: Runnable[Any, Any], given: Any) -> Call:
            return call(runnable, given, config)

        tries: list[FallbackTry] = []
        for name, strategy in self.strategies[turns]:
            started = self.clock()
            asked = yield from ask(name, strategy, request, contract, make_call)
            tries.append(asked.tried)
            yield _event(asked, request, config, latency_seconds=self.clock() - started)
            if asked.tried.outcome == "answered":
                marked = _marked(contract.clean(asked.reply, asked.verdict), name)
                return FallbackAnswer(name, marked, asked.verdict.value, tuple(tries)), tuple(tries)
        return None, tuple(tries)

    def _flow(self, value: LanguageModelInput, config: RunnableConfig) -> Flow[AIMessage]:
        request = FallbackRequest(messages=_messages_in(value))
        answer, tries = yield from self._ask_all(request, AnyAnswer(), config)
        if answer is None:
            mode = tries[-1].failure_mode if tries else FailureMode.NONE
            raise _exhausted(mode, tries)
        return answer.message

    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        messages = _messages_in(value)
        try:
            reply = yield Call(bound, value, config)
        except Exception as exc:
            mode = classify(exc)
            if mode is None or not self._may_answer(exc):
                raise
            error = exc
        else:
            if isinstance(reply, AIMessage):
                self.remember(messages, reply)
            return reply
        request = FallbackRequest(messages=messages, prompt=value, failure_mode=mode)
        answer, tries = yield from self._ask_all(request, AnyAnswer(), config)
        if answer is None:
            raise _exhausted(mode, tries, retry_after_seconds(error)) from error
        return answer.message.text if bound.OutputType is str else answer.message

    def _may_answer(self, error: Exception) -> bool:
        if isinstance(error, _TURNED_AWAY) and not self.answer_blocked_input:
            return False
        return bool(self.strategies)


def _strategy(name: str, given: Any) -> Any:
    if isinstance(given, str):
        return CannedAnswer(given)
    if isinstance(given, Runnable) or is_strategy(given):
        return given
    msg = (
        f"`{name}` must be a Runnable, a text, or a function that takes the question, "
        f"or the question and the request; got {given!r}"
    )
    raise ValueError(msg)


def _messages_in(value: Any) -> tuple[BaseMessage, ...]:
    """Read the messages out of an input; of a mapping, out of its `input` or its only value.

    Whatever else a wrapped Runnable takes holds no question: strategies are asked without one.
    """
    if isinstance(value, Mapping):
        only = next(iter(value.values())) if len(value) == 1 else None
        value = value.get("input", only)
    try:
        return tuple(messages_of(value))
    except TypeError:
        return ()


def _marked(answer: AIMessage, name: str) -> AIMessage:
    metadata = {**answer.response_metadata, FALLBACK: name}
    return answer.model_copy(update={"response_metadata": metadata})


def _event(
    asked: Asked, request: FallbackRequest, config: RunnableConfig, *, latency_seconds: float
) -> Emit | None:
    usage = asked.reply.usage_metadata
    return event(
        EventName.FALLBACK,
        config,
        component=FallbackRouter.__name__,
        request_id=request.request_id or None,
        strategy=f"fallback:{asked.tried.name}",
        status=asked.tried.outcome,
        failure_mode=asked.tried.failure_mode.value,
        message=asked.tried.message or None,
        rules=rules_of(asked.verdict),
        model=asked.reply.response_metadata.get("model_name"),
        latency_ms=round(latency_seconds * 1000, 3),
        input_tokens=usage["input_tokens"] if usage else None,
        output_tokens=usage["output_tokens"] if usage else None,
    )


def _exhausted(
    mode: FailureMode, tries: Sequence[FallbackTry], retry_after: float | None = None
) -> ControlError:
    causes = ", ".join(map(str, tries)) or "there are none"
    result = ControlResult(
        status="exhausted",
        failure_mode=mode,
        reason=f"no fallback strategy answered: {causes}",
        retry_after=retry_after,
    )
    return error_for(result)
