"""An answer from another model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.runnables.base import coerce_to_runnable

from langchain_control._effects import Call, Flow, arun, run
from langchain_control.circuits import Refusal
from langchain_control.errors import CircuitOpen, RateLimited, rejection
from langchain_control.models.fresh import is_cached
from langchain_control.models.reported import reported_tokens
from langchain_control.models.variants import name_of
from langchain_control.outcomes import ControlResult

if TYPE_CHECKING:
    from langchain_control.outcomes import ValidationResult

__all__ = ["Breaker", "Limiter", "OtherModel", "as_asked", "other_model"]


class Breaker(Protocol):
    """What stands between a model and its calls, as a `CircuitBreaker` does."""

    def calling(
        self, call: Call, config: RunnableConfig, key: str | None = None
    ) -> Flow[Any | Refusal]:
        """Make a call if the circuit admits it. See `CircuitBreaker.calling`."""

    def refusal(self, key: str | None = None) -> Flow[Refusal | None]:
        """Return the refusal of an open circuit. See `CircuitBreaker.refusal`."""


class Limiter(Protocol):
    """What bounds the calls per minute, as a `RateLimiter` does."""

    def admit(
        self, config: RunnableConfig, value: Any = None, max_wait_seconds: float | None = None
    ) -> Flow[ValidationResult]:
        """Take room for one request. See `RateLimiter.admit`."""

    def settle(self, reservation: Any, tokens: float) -> Any:
        """Replace the estimate by what was used. See `RateLimiter.settle`."""

    def refund(self, reservation: Any) -> Any:
        """Give the room back, as no call was made. See `RateLimiter.refund`."""


def other_model(
    model: Any, *, breaker: Breaker | None = None, limiter: Limiter | None = None
) -> OtherModel:
    """Return a model as a strategy, behind a circuit and a limit of its own.

    A fallback fails, too: without a circuit every request of an outage would wait for its timeout.
    In a policy a model without one is behind the policy's own breaker, on a circuit of its own.

    !!! example "A smaller model, at most once a second"

        ```python
        spare = other_model(small, limiter=RateLimiter(requests_per_minute=60, burst_seconds=1))
        router = FallbackRouter(strategies=[("small model", spare)])
        ```

    Args:
        model: A chat model or any Runnable that takes messages. It gets the prompt that the first
            model got last.
        breaker: A `CircuitBreaker`. One shared with the first model would be open already.
        limiter: A `RateLimiter`, asked before each call and told the tokens of each answer.
    """
    return OtherModel(coerce_to_runnable(model), breaker=breaker, limiter=limiter)


def as_asked(name: str, strategy: Any, breaker: Breaker | None) -> Any:
    """Return a strategy in the form that a router asks.

    A model stands behind a circuit, its own or one under its name with the router's breaker, and a
    controlled model tells with its answer all that it has used. Anything else stays as it is.
    """
    strategy = _giving_result(strategy)
    if breaker is None or not isinstance(strategy, Runnable):
        return strategy
    model = strategy if isinstance(strategy, OtherModel) else OtherModel(strategy)
    return model.behind(breaker, key=f"fallback:{name}:{name_of(model.bound)}")


class OtherModel(Runnable[Any, Any]):
    """Another model, behind a circuit and a limit of its own. Made by `other_model`."""

    def __init__(
        self,
        model: Runnable[Any, Any],
        *,
        breaker: Breaker | None = None,
        limiter: Limiter | None = None,
        key: str | None = None,
    ) -> None:
        """Take a model and what stands before it. `key` names its circuit under the breaker's."""
        self.bound = model
        self.breaker = breaker
        self.limiter = limiter
        self._key = key

    @property
    def parts(self) -> tuple[Any, ...]:
        """What it is made of, for `parts_of`."""
        return self.bound, self.breaker, self.limiter

    def behind(self, breaker: Breaker, key: str) -> OtherModel:
        """Return the model with a circuit: its own, or else one under this breaker's name."""
        if self.breaker is not None:
            return self
        return OtherModel(self.bound, breaker=breaker, limiter=self.limiter, key=key)

    def around(self, other: Runnable[Any, Any]) -> OtherModel:
        """Return another model behind the same circuit and limit."""
        return OtherModel(other, breaker=self.breaker, limiter=self.limiter, key=self._key)

    def called(
        self,
        given: Any,
        config: RunnableConfig,
        make_call: Callable[[Runnable[Any, Any], Any, RunnableConfig], Call] = Call,
    ) -> Flow[Any]:
        """Call the model if its limit and its circuit allow it.

        The time limit of a call stands inside of the circuit, which sees what it cuts off.

        Args:
            given: What the model is asked.
            config: The run that it is called under.
            make_call: Makes the call; give one that sets a time limit.

        Raises:
            RateLimited: Its limit is used up. No call was made.
            CircuitOpen: Its circuit refuses. No call was made.
        """
        if self.limiter is None:
            return (yield from self._guarded(given, config, make_call))
        if (refusal := (yield from self._refusal())) is not None:
            raise refusal.error()  # before the limit: no room is taken, and no turn is waited for
        patience = make_call(self.bound, given, config).limit_seconds
        admitted = yield from self.limiter.admit(config, given, patience)
        if not admitted.passed:
            raise rejection(admitted, RateLimited)
        taken = admitted.value
        settle: Callable[[], Any] = partial(self.limiter.settle, taken, 0)
        try:
            answer = yield from self._guarded(given, config, make_call)
            tokens = _tokens_of(answer)
            settle = partial(self.limiter.settle, taken, tokens) if tokens is not None else _kept
        except CircuitOpen:
            settle = partial(self.limiter.refund, taken)
            raise
        finally:  # also when cancelled
            yield settle()
        return answer

    def _guarded(self, given: Any, config: RunnableConfig, make_call: Any) -> Flow[Any]:
        call = make_call(self.bound, given, config)
        if self.breaker is None:
            return (yield call)
        answer = yield from self.breaker.calling(call, config, self._key)
        if isinstance(answer, Refusal):
            raise answer.error()
        return answer

    def _refusal(self) -> Flow[Refusal | None]:
        if self.breaker is None:
            return None
        return (yield from self.breaker.refusal(self._key))

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Call the model synchronously."""

        def call(given: Any, run_manager: Any, config: RunnableConfig) -> Any:  # noqa: ARG001
            return run(self._bound_to(kwargs).called(given, config))

        return self._call_with_config(call, input, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Call the model asynchronously."""

        async def call(given: Any, run_manager: Any, config: RunnableConfig) -> Any:  # noqa: ARG001
            return await arun(self._bound_to(kwargs).called(given, config))

        return await self._acall_with_config(call, input, config)

    def _bound_to(self, arguments: dict[str, Any]) -> OtherModel:
        if not arguments:
            return self
        return self.around(self.bound.bind(**arguments))

    def __repr__(self) -> str:
        """Name the model; its own repr may hold keys and addresses."""
        return f"other_model({self.bound.get_name()})"


def _giving_result(strategy: Any) -> Any:
    if isinstance(strategy, OtherModel):
        return strategy.around(_giving_result(strategy.bound))
    if type(strategy) is RunnableBinding:
        return strategy.model_copy(update={"bound": _giving_result(strategy.bound)})
    has_results = "include_result" in getattr(type(strategy), "model_fields", {})
    return strategy.model_copy(update={"include_result": True}) if has_results else strategy


def _kept() -> None:
    """Leave an estimate as it is."""


def _tokens_of(answer: Any) -> int | None:
    """Return the tokens that an answer took, or `None` if nothing reports them, as of a text."""
    if isinstance(answer, ControlResult):
        return answer.usage.get("total_tokens", 0)
    if is_cached(answer):
        return 0
    reported = reported_tokens(answer, "total_tokens") if isinstance(answer, AIMessage) else 0
    return reported or None
