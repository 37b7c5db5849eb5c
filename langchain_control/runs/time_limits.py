"""What a call may use: its own time limit, and what its request has left of time and usage."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs

from langchain_control._effects import Await, Call, Flow
from langchain_control._threads import BoundedThreads, was_given_up
from langchain_control.errors.listeners import gets_out
from langchain_control.events import UNHEARD
from langchain_control.models.variants import in_place_of
from langchain_control.outcomes import FailureMode, ValidationResult, failure
from langchain_control.policy import ControlPolicy
from langchain_control.runs.context import Context
from langchain_control.runs.state import PerRun, RunState, calls_in
from langchain_control.strategies.asking import ContractAround, MakeCall

__all__ = [
    "GRACE_SECONDS",
    "InTime",
    "bounded",
    "limit_reached",
    "remaining_seconds",
    "seconds_until",
]

T = TypeVar("T")

GRACE_SECONDS = 0.05
"""Time for a fallback after the deadline: enough for a prepared answer."""


def bounded(state: RunState, context: Context, threads: BoundedThreads) -> MakeCall:
    """Return how calls are made in this run: unheard, and within what is left of its time."""
    due = context.policy.timeout_seconds

    def call_within(runnable: Any, given: Any, config: RunnableConfig) -> Call:
        left = remaining_seconds(state, context)
        remaining = None if left is None else max(GRACE_SECONDS, left)
        unheard = merge_configs(config, {"tags": [UNHEARD]})
        asked = in_place_of(context.model, runnable, config)
        return Call(
            asked,
            given,
            unheard,
            due,
            threads,
            remaining_seconds=remaining,
            deadline_seconds=context.deadline_seconds,
        )

    return call_within


def limit_reached(state: RunState, context: Context) -> ValidationResult | None:
    """Say which limit of time or usage lets the run ask no model any more, if one does."""
    remaining = remaining_seconds(state, context)
    if remaining is not None and remaining <= 0:
        given_up = was_given_up()
        late = "nobody waits any more" if given_up else "the deadline of the request has passed"
        return failure(FailureMode.DEADLINE_EXCEEDED, late)
    why = context.used_up(calls_in(state))
    return failure(FailureMode.USAGE_LIMIT_EXCEEDED, why) if why else None


def remaining_seconds(state: PerRun, context: Context) -> float | None:
    """Return what is left of the deadline, negative once it has passed; `None` without one."""
    return seconds_until(state["deadline"], context.policy)


def seconds_until(deadline: float | None, policy: ControlPolicy) -> float | None:
    """Return what is left until a deadline, negative once it has passed; `None` without one.

    Nothing is left in a thread that was given up: it cannot be stopped, but begins nothing new.
    """
    if was_given_up():
        return 0.0
    return None if deadline is None else deadline - policy.clock()


class InTime(ContractAround):
    """A guard or a contract that is given up at the deadline of a request.

    What its plug-ins await or call is cut off then. Their sync code is not: Python cannot stop a
    function, and a thread for each would cost more than most of them take.
    """

    _contract: Any

    def __init__(self, judge: Any, deadline: float | None, policy: ControlPolicy) -> None:
        """Take whoever judges, and until when."""
        super().__init__(judge)
        self._deadline, self._policy = deadline, policy

    def judge(self, value: Any, **about: Any) -> Flow[ValidationResult]:
        """Judge a value. One that could not be judged in time does not pass."""
        judging: Flow[ValidationResult] = self._contract.judge(value, **about)
        if self._deadline is None:
            return (yield from judging)
        try:
            threads = self._policy.threads
            return (yield from _with_limited_waits(judging, self._seconds_left, threads))
        except _TooLateError:
            late = "the deadline of the request has passed while a plug-in judged"
            return failure(FailureMode.DEADLINE_EXCEEDED, late)

    def _seconds_left(self) -> float:
        return max(GRACE_SECONDS, seconds_until(self._deadline, self._policy) or 0.0)


class _TooLateError(BaseException):
    """The deadline has cut off what was awaited.

    A `BaseException`, so that no plug-in's `except Exception` takes it for a failure of its own.
    """


def _with_limited_waits(
    flow: Flow[T], seconds_left: Callable[[], float], threads: BoundedThreads
) -> Flow[T]:
    """Perform a flow in which nothing is awaited or called for longer than is left.

    Raises:
        _TooLateError: Something was.
    """
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            effect = flow.send(value) if error is None else flow.throw(error)
        except StopIteration as stop:
            result: T = stop.value
            return result
        value, error = None, None
        try:
            match effect:
                case Call():
                    limit = seconds_left()
                    value = yield effect._replace(timeout_seconds=limit, threads=threads)
                case _ if isawaitable(effect):
                    value = yield Await(effect, seconds_left())
                case _:
                    value = yield effect
        except BaseException as exc:  # noqa: BLE001  (handed to the flow, never swallowed)
            is_late = isinstance(exc, TimeoutError) and seconds_left() <= GRACE_SECONDS
            error = _TooLateError() if is_late and not gets_out(exc) else exc
