"""A chain around a model: what it makes of a strategy's answer instead."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSequence

from langchain_control._effects import Call, Flow
from langchain_control.errors.listeners import gets_out
from langchain_control.models.variants import gives_replies, within
from langchain_control.outcomes import FailureMode, ValidationResult, failure, passed
from langchain_control.strategies.asking import AnyAnswer

__all__ = ["Called", "Chain", "MadeOf", "chain_of"]


class Called(NamedTuple):
    """What a chain gave, and the reply that it made it of."""

    given: Any
    reply: Any
    """The same as `given` where nobody can come between the two."""


class Chain(NamedTuple):
    """A Runnable, and the steps of it that stand behind its model."""

    bound: Runnable[Any, Any]
    rest: tuple[Runnable[Any, Any], ...]

    def called(self, value: Any, config: RunnableConfig) -> Flow[Called]:
        """Call the chain. If it can be split, in two calls: the reply stands between them."""
        if not self.rest or not isinstance(self.bound, RunnableSequence):
            given = yield Call(self.bound, value, config)
            return Called(given, given)
        reply = yield Call(_sequence(self.bound.steps[: -len(self.rest)]), value, config)
        given = yield Call(_sequence(self.rest), reply, config)
        return Called(given, reply)

    def contract(self, config: RunnableConfig) -> MadeOf | None:
        """Return what an answer must meet in the model's place; `None` if there is no rest."""
        return MadeOf(_sequence(self.rest), config) if self.rest else None


class MadeOf(AnyAnswer):
    """The contract of a chain that makes something else of its model's reply."""

    def __init__(self, rest: Runnable[Any, Any], config: RunnableConfig) -> None:
        """Take the steps behind the model, and the run that they are called under."""
        self._rest, self._config = rest, config
        self.given: Any = None
        """What the chain made of the last answer."""

    def judge(self, value: AIMessage) -> Flow[ValidationResult]:
        """Accept an answer of which the chain makes something."""
        try:
            self.given = yield Call(self._rest, value, self._config)
        except Exception as exc:
            if gets_out(exc):
                raise
            why = f"the chain makes nothing of it: `{type(exc).__name__}`"
            return failure(FailureMode.SCHEMA_VIOLATION, why)
        if self.given is None:
            return failure(FailureMode.SCHEMA_VIOLATION, "the chain makes nothing of it")
        return passed(self.given)


def chain_of(bound: Runnable[Any, Any], gates: type) -> Chain:
    """Find the steps behind a chain's model.

    Args:
        bound: Any Runnable.
        gates: Steps of this class right behind the model judge its reply, and belong to it.
    """
    inner = bound
    while (around := within(inner)) is not None:
        inner = around
    steps = inner.steps if isinstance(inner, RunnableSequence) else []
    place = next((n for n in reversed(range(len(steps))) if gives_replies(steps[n])), None)
    if place is None:  # the first that gives messages: those after it only rewrite them
        place = next((n for n, step in enumerate(steps) if _gives_messages(step)), len(steps))
    rest = steps[place + 1 :]
    return Chain(bound, tuple(dropwhile(lambda step: isinstance(step, gates), rest)))


def _gives_messages(step: Runnable[Any, Any]) -> bool:
    """Whether a step says that it gives messages, as a controlled model does."""
    try:
        return step.OutputType is AIMessage
    except TypeError:  # there are Runnables that do not say what they give
        return False


def _sequence(steps: Sequence[Runnable[Any, Any]]) -> Runnable[Any, Any]:
    return steps[0] if len(steps) == 1 else RunnableSequence(*steps)
