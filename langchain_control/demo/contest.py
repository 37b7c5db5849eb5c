"""Contestants that get a structured answer out of a model, and what each answer cost.

All of them send the same prompt and are judged by the same contract.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import PydanticOutputParser
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from langchain_control.components.validator import ResponseValidator
from langchain_control.policy import ControlPolicy
from langchain_control.runnable import with_control

__all__ = [
    "Answer",
    "Contestant",
    "Judge",
    "Meter",
    "Render",
    "Score",
    "Trial",
    "blind_retry",
    "control_layer",
    "langchain_retry",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a contestant hands to the application."""

    value: Any
    is_fallback: bool = False


Contestant = Callable[[str], Awaitable[Answer | None]]
"""From a question to an answer, or to `None` if there is none.

Async, so that a time limit on a call costs nobody a change of threads.
"""

Render = Callable[[str], list[BaseMessage]]
"""From a question to the prompt that everybody begins with."""


def blind_retry(
    model: Runnable[Any, AIMessage],
    render: Render,
    validator: ResponseValidator,
    attempts: int,
) -> Contestant:
    """Send the same prompt until an answer meets the contract. One attempt is a single call."""

    async def ask(question: str) -> Answer | None:
        messages = render(question)
        for _ in range(attempts):
            verdict = validator.inspect(await model.ainvoke(messages))
            if verdict.passed:
                return Answer(verdict.value)
        return None

    return ask


def langchain_retry(
    model: Runnable[Any, AIMessage],
    render: Render,
    schema: type[BaseModel],
    attempts: int,
    fallback: BaseModel,
) -> Contestant:
    """Do it with LangChain alone: its parser and its `with_retry`."""
    chain = (model | PydanticOutputParser(pydantic_object=schema)).with_retry(
        retry_if_exception_type=(OutputParserException,),
        wait_exponential_jitter=False,
        stop_after_attempt=attempts,
    )

    async def ask(question: str) -> Answer | None:
        messages = render(question)
        try:
            parsed: Any = chain.invoke(messages)  # in `ainvoke` the parser changes threads
        except OutputParserException:
            return Answer(fallback.model_dump(), is_fallback=True)
        return Answer(parsed.model_dump())

    return ask


def control_layer(model: Any, policy: ControlPolicy) -> Contestant:
    """Put the model under control."""
    controlled = with_control(model, policy, include_result=True)

    async def ask(question: str) -> Answer | None:
        result = await controlled.ainvoke(question)
        if not result.passed:
            return None
        return Answer(result.value, is_fallback=result.status == "fallback")

    return ask


class Meter(Protocol):
    """What knows how much was asked of a model, whoever asked."""

    calls: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One question put to one contestant."""

    is_met: bool
    """The model's answer met the contract."""
    is_right: bool | None
    """The model's answer was also the right one. `None` where nobody can say."""
    is_fallback: bool
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Judge:
    """Puts questions to contestants, judges what they hand on and measures what it took."""

    meets: Callable[[Any], bool]
    """The contract that an answer must meet, whoever accepted it."""
    is_right: Callable[[Any], bool] | None
    """What makes such an answer the right one. `None` where nobody can say."""
    meter: Meter
    """Counts what the contestant asks of its model."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds from any start."""

    async def try_once(self, contestant: Contestant, question: str) -> Trial:
        """Put a question to a contestant."""
        meter = self.meter
        calls, tokens_in, tokens_out = meter.calls, meter.input_tokens, meter.output_tokens
        started = self.clock()
        answer = await contestant(question)
        seconds = self.clock() - started
        is_fallback = answer is not None and answer.is_fallback
        value = None if answer is None or is_fallback else answer.value
        is_met = value is not None and self.meets(value)
        return Trial(
            is_met=is_met,
            is_right=None if self.is_right is None else is_met and self.is_right(value),
            is_fallback=is_fallback,
            calls=meter.calls - calls,
            input_tokens=meter.input_tokens - tokens_in,
            output_tokens=meter.output_tokens - tokens_out,
            seconds=seconds,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of a contestant's trials."""

    n: int
    met: int
    right: int
    checkable: int
    fallbacks: int
    calls: int
    input_tokens: int
    output_tokens: int
    seconds: float

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> Score:
        """Add trials up."""
        kept = list(trials)
        checkable = [t for t in kept if t.is_right is not None]
        return cls(
            n=len(kept),
            met=sum(t.is_met for t in kept),
            right=sum(bool(t.is_right) for t in checkable),
            checkable=len(checkable),
            fallbacks=sum(t.is_fallback for t in kept),
            calls=sum(t.calls for t in kept),
            input_tokens=sum(t.input_tokens for t in kept),
            output_tokens=sum(t.output_tokens for t in kept),
            seconds=sum(t.seconds for t in kept),
        )
