"""Stop calling a provider that does not answer."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Self, TypeVar

from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import Field, model_validator

from langchain_control._effects import Call, Flow, Ready, arun
from langchain_control._threads import NoFreeThread
from langchain_control.circuits import (
    CircuitState,
    CircuitView,
    Outcome,
    Permit,
    Refusal,
    StateChange,
)
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.circuits.patience import PatienceWhileClosed
from langchain_control.circuits.protection import permitted, protected
from langchain_control.components.shapes import Several, Wrapper
from langchain_control.errors import classify, retry_after_seconds
from langchain_control.errors.declared import FailureModes
from langchain_control.events import EventName, event
from langchain_control.models.fresh import is_cached
from langchain_control.outcomes import ControlResult, FailureMode
from langchain_control.stores import Changes, CircuitStore, MaybeAwaitable
from langchain_control.stores.in_memory_circuits import InMemoryCircuitStore
from langchain_control.stores.keys import joined

__all__ = ["CircuitBreaker"]

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)


class CircuitBreaker(Wrapper[Any, Any]):
    """Refuse calls at once while a provider is down.

    After `failure_threshold` failures in a row the circuit opens: calls are refused without
    waiting. After `recovery_seconds` it is half-open and admits `half_open_probes` calls; if all
    succeed it closes, if one fails or gets lost it opens again.

    A result counts only if the circuit's state has not changed since the call began. No lock is
    held while a call is under way.

    !!! example "Guard a model"

        ```python
        model = CircuitBreaker(name="gpt-4o").wrap(ChatOpenAI(model="gpt-4o", max_retries=0))
        ```

    !!! example "Guard a function"

        ```python
        @breaker.protect
        async def embed(text: str) -> list[float]: ...
        ```

    !!! example "Ask and tell by hand"

        ```python
        permit = breaker.acquire()  # raises `CircuitOpen`
        try:
            reply = call_the_provider()
            breaker.record(permit, Outcome.SUCCESS)
        except TimeoutError:
            breaker.record(permit, Outcome.FAILURE)
            raise
        finally:
            breaker.release(permit)  # no effect once recorded
        ```

    Invoked as a Runnable of its own it hands its input on, unless the circuit is open. That takes
    no permit, as nobody would give it back.
    """

    name: str = Field(default="default", min_length=1)
    """Name of the circuit. Breakers with the same name and the same store share the circuit."""
    failure_threshold: int = Field(default=5, ge=1)
    """Failures in a row that open the circuit. With a `window`, they count only if no
    call has succeeded for a while."""
    recovery_seconds: float = Field(default=30.0, gt=0)
    """How long the circuit stays open before it lets a probe through."""
    half_open_probes: int = Field(default=1, ge=1)
    """How many calls a half-open circuit admits. It closes when that many have succeeded."""
    probe_timeout_seconds: float = Field(default=60.0, gt=0)
    """Age at which a probe counts as lost, and so as failed. Must be more than a call may take."""
    recovery_multiplier: float = Field(default=1.0, ge=1, le=10)
    """Growth of the open time with each failed recovery. 1 keeps it constant."""
    max_recovery_seconds: float = Field(default=300.0, gt=0)
    """Bound of a growing open time, and of the wait a provider may ask for."""
    recovery_jitter: float = Field(default=0.0, ge=0, le=1)
    """Share of the open time that chance may add, so that many workers do not probe as one."""
    ramp_seconds: float = Field(default=0.0, ge=0)
    """How long a circuit that has closed takes to let everything through. 0: at once."""
    window: FailureWindow | None = None
    """Judge by the share of failures, not by a run of them: better where many calls run at once."""
    give_up_late_calls: bool = False
    """Give up calls that take longer than `slow_seconds` once the circuit is not closed any more.
    Useful where a fallback can answer instead."""
    counts: Several[FailureMode] = (FailureMode.TIMEOUT, FailureMode.MODEL_ERROR)
    """What is a failure. A second breaker may count broken contracts, per model and contract."""
    failure_modes: FailureModes = Field(default=(), exclude=True)
    """What exceptions of your own mean. In a policy, what the policy says, unless set here."""
    on_change: Callable[[StateChange], Any] | None = Field(default=None, repr=False, exclude=True)
    """Called after each state change, outside of any lock. What it raises is logged."""
    store: CircuitStore = Field(default_factory=InMemoryCircuitStore, repr=False, exclude=True)
    """Keeps the circuits and the time. The default knows this process only."""

    @model_validator(mode="after")
    def _bounds_agree(self) -> Self:
        asked = {"recovery_seconds", "max_recovery_seconds"} <= self.model_fields_set
        if asked and self.max_recovery_seconds < self.recovery_seconds:
            msg = (
                f"`max_recovery_seconds` ({self.max_recovery_seconds:g}) is less than "
                f"`recovery_seconds` ({self.recovery_seconds:g}), which it bounds"
            )
            raise ValueError(msg)
        if self.give_up_late_calls and (self.window is None or self.window.slow_seconds is None):
            msg = "`give_up_late_calls` needs a `window` with `slow_seconds`"
            raise ValueError(msg)
        if self.give_up_late_calls and inspect.iscoroutinefunction(self.store.view):
            msg = "`give_up_late_calls` needs a `store` that answers at once; this one is async"
            raise ValueError(msg)
        return self

    # --- around a plain function ------------------------------------------------------------------

    def protect(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return a function, or coroutine function, that calls `function` if the circuit admits it.

        For what is no Runnable: it makes no run, so that only `on_change` hears of changes.

        Raises:
            TypeError: It is a generator function, whose call says nothing yet.
        """
        return protected(function, self)

    # --- by hand ----------------------------------------------------------------------------------

    def acquire(self, key: str | None = None) -> Permit:
        """Return a permit for one call. Hand it back through `record` or `release`.

        Args:
            key: A circuit of its own under this breaker's name, such as the model's name.

        Raises:
            CircuitOpen: The circuit refuses; `retry_after` says when to ask again.
        """
        decision = self.store.acquire(self._circuit(key), self)
        if not isinstance(decision, tuple):
            raise _must_be_awaited(decision)
        if decision.changes:
            self._tell(decision.changes)
        return permitted(decision)

    async def aacquire(self, key: str | None = None) -> Permit:
        """Return a permit for one call. See `acquire`."""
        answer = self.try_acquire(key)
        return permitted(answer if isinstance(answer, tuple) else await answer)

    def try_acquire(self, key: str | None = None) -> MaybeAwaitable[Permit | Refusal]:
        """Return a permit for one call, or the refusal as a value.

        Awaitable only if the store answers asynchronously; the built-in ones answer at once.
        """
        answer = self.store.acquire(self._circuit(key), self)
        if not isinstance(answer, tuple):
            return arun(self._admitted(answer))
        if answer.changes:
            self._tell(answer.changes)
        return answer

    def record(
        self, permit: Permit, outcome: Outcome, retry_after: float | None = None
    ) -> MaybeAwaitable[Changes]:
        """Say how the call went. A permit counts once, and not after a state change.

        Args:
            permit: From `acquire` or `try_acquire`.
            outcome: The verdict on the provider.
            retry_after: Seconds the provider asked for, with `Outcome.THROTTLED`.
        """
        answer = self.store.record(permit, outcome, self, retry_after)
        if not isinstance(answer, tuple):
            return arun(self._recorded(answer))
        if answer:
            self._tell(answer)
        return answer

    def release(self, permit: Permit) -> MaybeAwaitable[Changes]:
        """Give a permit back without a verdict, as after a cancelled call."""
        return self.record(permit, Outcome.IGNORED)

    def patience(
        self, permit: Permit, changed: Callable[[Changes], object] | None = None
    ) -> Callable[[], float] | None:
        """Return how to wait for a call that may be given up, or `None` to wait for its end.

        Each time it is asked, the function returns the seconds to wait before asking again, or 0
        to give the call up. It reports a call that takes longer than `slow_seconds` while it is
        still under way, so that an outage is seen then and not only after a timeout; and it gives
        late calls up once the circuit is not closed any more.

        Args:
            permit: Of the call.
            changed: Told what such a report has changed.
        """
        slow_seconds = self.window.slow_seconds if self.window is not None else None
        if slow_seconds is None or not self.give_up_late_calls:
            return None

        def report() -> None:
            changes = _at_once(self.record(permit, Outcome.OVERDUE))
            if changed is not None:
                changed(changes)

        return PatienceWhileClosed(
            slow_seconds,
            report=report,
            is_closed=lambda: self._stands_at(permit.key) is CircuitState.CLOSED,
        )

    def outcome_of(self, failure: BaseException | FailureMode) -> Outcome:
        """Say what a failure tells about the provider."""
        mode: FailureMode | None
        if isinstance(failure, BaseException):
            mode = classify(failure, self.failure_modes)
        else:
            mode = failure
        if mode in self.counts:
            return Outcome.FAILURE
        if mode is FailureMode.RATE_LIMITED:
            return Outcome.THROTTLED
        return Outcome.IGNORED

    @property
    def needs_no_await(self) -> bool:
        """Whether a sync call does all that an async one does."""
        return not inspect.iscoroutinefunction(self.store.view)

    # --- looking and interfering, with a store that answers at once -------------------------------

    def state(self, key: str | None = None) -> CircuitState:
        """Return where a circuit stands."""
        return self._stands_at(self._circuit(key))

    def snapshot(self) -> dict[str, CircuitView]:
        r"""Describe all circuits under this breaker's name that the store knows.

        Each has its name and key before it, as in events: `default:gpt-4o`, and `team\:chat:gpt-4o`
        where the name has a colon itself.
        """
        own, prefix = self._circuit(None), self._circuit("")
        return {
            key: _at_once(self.store.view(key, self))
            for key in _at_once(self.store.keys())
            if key == own or key.startswith(prefix)
        }

    def open(self, key: str | None = None) -> None:
        """Refuse all calls until `reset`."""
        self._tell(_at_once(self.store.hold(self._circuit(key), CircuitState.OPEN)))

    def close(self, key: str | None = None) -> None:
        """Admit all calls until `reset`, whatever becomes of them."""
        self._tell(_at_once(self.store.hold(self._circuit(key), CircuitState.CLOSED)))

    def reset(self, key: str | None = None) -> None:
        """Close a circuit, forget its past, and let it move by itself again."""
        self._tell(_at_once(self.store.reset(self._circuit(key))))

    # --- in flows ---------------------------------------------------------------------------------

    def admit(self, config: RunnableConfig, key: str | None = None) -> Flow[Permit | Refusal]:
        """Ask for a permit, and announce the state changes that this has caused."""
        decision = yield from self._admitted(self.store.acquire(self._circuit(key), self))
        try:
            yield from self.announce(decision.changes, config)
        except BaseException:  # cancelled, or stopped by a listener: the call will not be made
            if isinstance(decision, Permit):
                released = self.store.record(decision, Outcome.IGNORED, self)
                yield from self._recorded(released)
            raise
        return decision

    def calling(
        self, call: Call, config: RunnableConfig, key: str | None = None
    ) -> Flow[Any | Refusal]:
        """Make a call if the circuit admits it, and record its outcome.

        Args:
            call: What to call. Waits for it no longer than `patience` does. A thread is waited
                for before the circuit is asked: that wait says nothing about the provider.
            config: Hears what the call has changed.
            key: A circuit of its own under this breaker's name.

        Returns:
            What the call gives, or the refusal.
        """
        ready = yield from self._ready(call, key)
        if isinstance(ready, Refusal):
            return ready
        try:
            return (yield from self._calling(ready, config, key))
        finally:
            ready.give_back()

    def refusal(self, key: str | None = None) -> Flow[Refusal | None]:
        """Return the refusal of an open circuit, without asking for a permit."""
        return (yield from self._refusal_in(key, CircuitState.OPEN))

    def settle(
        self,
        permit: Permit,
        outcome: Outcome,
        config: RunnableConfig,
        retry_after: float | None = None,
    ) -> Flow[None]:
        """Say how the call went, and announce what that has changed."""
        answer = self.store.record(permit, outcome, self, retry_after)
        changes = yield from self._recorded(answer)
        yield from self.announce(changes, config)

    def announce(self, changes: Changes, config: RunnableConfig) -> Flow[None]:
        """Send a `control.circuit_changed` event for each change."""
        for change in changes:
            yield event(
                EventName.CIRCUIT_CHANGED,
                config,
                component=type(self).__name__,
                key=change.key,
                status=change.after.value,
                message=f"{change.before.value} to {change.after.value}: {change.reason}",
            )

    def _around(self, bound: Runnable[Any, Any], value: Any, config: RunnableConfig) -> Flow[Any]:
        answer = yield from self.calling(Call(bound, value, config), config)
        if isinstance(answer, Refusal):
            raise answer.error()
        return answer

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:  # noqa: ARG002
        if (refusal := (yield from self.refusal())) is not None:
            raise refusal.error()
        return value

    def _ready(self, call: Call, key: str | None) -> Flow[Call | Refusal]:
        """Return the call in its thread, for which only a closed circuit lets it wait."""
        try:
            ready: Call = yield Ready(call, may_wait=False)
        except NoFreeThread:
            refusal = yield from self._refusal_in(key, CircuitState.OPEN, CircuitState.HALF_OPEN)
            if refusal is not None:
                return refusal
            ready = yield Ready(call)
        return ready

    def _refusal_in(self, key: str | None, *states: CircuitState) -> Flow[Refusal | None]:
        circuit = self._circuit(key)
        view: CircuitView = yield self.store.view(circuit, self)
        state = CircuitState(view["state"])
        return Refusal(circuit, state, view["retry_after"]) if state in states else None

    def _calling(self, call: Call, config: RunnableConfig, key: str | None) -> Flow[Any | Refusal]:
        permit = yield from self.admit(config, key)
        if isinstance(permit, Refusal):
            return permit
        outcome, retry_after = Outcome.IGNORED, None
        while_under_way: list[StateChange] = []
        patience = self.patience(permit, while_under_way.extend)
        try:
            answer = yield call if patience is None else call._replace(patience=patience)
            outcome = self._outcome_with(answer)
            retry_after = answer.retry_after if isinstance(answer, ControlResult) else None
        except Exception as exc:
            retry_after = retry_after_seconds(exc)
            if call.is_fair or not isinstance(exc, TimeoutError):
                outcome = self.outcome_of(exc)
            raise
        finally:  # also when cancelled: a lost permit would keep a half-open circuit shut
            try:
                yield from self.announce(tuple(while_under_way), config)
            finally:
                yield from self.settle(permit, outcome, config, retry_after)
        return answer

    def _outcome_with(self, answer: Any) -> Outcome:
        if isinstance(answer, ControlResult) and not answer.passed:
            return self.outcome_of(answer.failure_mode)
        return Outcome.IGNORED if is_cached(answer) else Outcome.SUCCESS

    def _admitted(self, answer: MaybeAwaitable[Permit | Refusal]) -> Flow[Permit | Refusal]:
        """Wait for the store's decision, and tell the listener."""
        decision: Permit | Refusal = yield answer
        self._tell(decision.changes)
        return decision

    def _recorded(self, answer: MaybeAwaitable[Changes]) -> Flow[Changes]:
        """Wait for what the store has changed, and tell the listener."""
        changes: Changes = yield answer
        self._tell(changes)
        return changes

    def _stands_at(self, circuit: str) -> CircuitState:
        return CircuitState(_at_once(self.store.view(circuit, self))["state"])

    def _circuit(self, key: str | None) -> str:
        return joined(self.name, key)

    def _tell(self, changes: Changes) -> None:
        if self.on_change is None:
            return
        for change in changes:
            try:
                self.on_change(change)
            except Exception:  # a listener must not decide about the call it hears of
                logger.exception("`on_change` of circuit `%s` failed", change.key)


def _at_once(answer: MaybeAwaitable[T]) -> T:
    """Return the store's answer to a sync caller, who cannot await one."""
    if inspect.isawaitable(answer):
        raise _must_be_awaited(answer)
    return answer


def _must_be_awaited(answer: Awaitable[Any]) -> TypeError:
    if inspect.iscoroutine(answer):
        answer.close()
    msg = "this needs a `store` that answers at once; its answer has to be awaited"
    return TypeError(msg)
