"""Let through so much per minute."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Self

from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import RunnableConfig
from pydantic import Field, model_validator

from langchain_control._effects import Emit, Flow, Sleep, arun, run
from langchain_control._waiting import MAX_SECONDS
from langchain_control.components.shapes import Gate
from langchain_control.encodings.chat import message_tokens
from langchain_control.encodings.estimate import estimate
from langchain_control.errors import ControlError, RateLimited, rejection
from langchain_control.events import EventName, blocked, event
from langchain_control.outcomes import FailureMode, ValidationResult, failure, passed
from langchain_control.stores import MaybeAwaitable, RateStore
from langchain_control.stores.in_memory_rates import InMemoryRateStore
from langchain_control.stores.keys import joined
from langchain_control.stores.rates import Demand, Denial, Grant

__all__ = ["RateLimiter", "Reservation", "approximate_tokens"]

SECONDS_PER_MINUTE = 60.0

MOST_TOKENS = 10**12
"""More than any request takes. What is settled beyond it would hold a key for good."""


def approximate_tokens(value: Any) -> int:
    """Estimate the tokens of a text, a prompt, messages, or a mapping or list of these."""
    parts: Iterable[Any] = (value,)
    if isinstance(value, PromptValue):
        parts = value.to_messages()
    elif isinstance(value, Mapping):
        parts = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    return sum(_tokens_of(part) for part in parts)


def _tokens_of(part: Any) -> int:
    if isinstance(part, str):
        return estimate(part)
    return message_tokens(part, estimate) if isinstance(part, BaseMessage) else 0


def _possible(name: str, tokens: float) -> float:
    if not 0 <= tokens <= MOST_TOKENS:
        msg = f"`{name}` must be between 0 and {MOST_TOKENS}"
        raise ValueError(msg)
    return tokens


class _Room(NamedTuple):
    key: str
    requests: float
    tokens: float
    wait_seconds: float
    """How long the request has to wait for its turn."""
    turn: float = 0.0
    """When that is by the store's own time, where there is a wait."""


class Reservation(_Room):
    """Room that was taken for one request. Settle or refund it.

    It counts once: what is settled or refunded after that has no effect. A copy that was
    rebuilt from its values, as after a checkpoint, does not know of it.
    """

    def hand_back(self) -> bool:
        """Return whether this is the first time."""
        mine = object()
        return vars(self).setdefault("_handed_back", mine) is mine


class RateLimiter(Gate[Any]):
    """Let through a number of requests and of tokens per minute, for each key.

    Unused room gathers for `burst_seconds`, so a quiet key may spend a minute's worth at once.
    Tokens are estimated when a request arrives; `settle` corrects the estimate, `refund` takes
    back a request that was never made.

    !!! example "Ten requests a minute for each user"

        ```python
        def user(config):
            return config["configurable"]["user_id"]

        chain = RateLimiter(requests_per_minute=10, key=user) | prompt | model
        ```

    !!! example "Slow a model down instead"

        ```python
        pace = RateLimiter(requests_per_minute=500, burst_seconds=1, on_limit="wait")
        model = ChatOpenAI(rate_limiter=pace.for_model())
        ```
    """

    _error: ClassVar[type[ControlError]] = RateLimited

    requests_per_minute: float | None = Field(default=None, gt=0)
    """Requests that come back per minute. `None` does not count requests."""
    tokens_per_minute: float | None = Field(default=None, gt=0)
    """Tokens that come back per minute. `None` does not count tokens."""
    burst_seconds: float = Field(default=60.0, gt=0)
    """How much room may gather, in seconds of the rate. Less is smoother."""
    key: str | Callable[[RunnableConfig], str] = "default"
    """Whose limit it is: a fixed name for all, or a function of the config, such as its user."""
    namespace: str = Field(default="rate", min_length=1)
    """Keeps limiters apart that share a store."""
    on_limit: Literal["reject", "wait"] = "reject"
    """Whether a request without room is turned away or waits for its turn."""
    max_wait_seconds: float = Field(default=60.0, gt=0, le=MAX_SECONDS)
    """The longest wait, with `on_limit="wait"`. Beyond, a request is turned away."""
    answer_tokens: int = Field(default=0, ge=0)
    """Tokens to reserve for the answer, on top of the estimate for the input."""
    estimate_tokens: Callable[[Any], int] | None = Field(default=None, repr=False, exclude=True)
    """Estimates the tokens of an input, cheaply. `None` goes by the kinds of characters."""
    store: RateStore = Field(default_factory=InMemoryRateStore, repr=False, exclude=True)
    """Keeps what was taken. The default knows this process only."""

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.requests_per_minute is None and self.tokens_per_minute is None:
            msg = "set `requests_per_minute` or `tokens_per_minute`, or both"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _admits_something(self) -> Self:
        rate = self.tokens_per_minute
        if rate is None:
            return self
        wait_seconds = (self.answer_tokens - self._burst(rate)) / rate * SECONDS_PER_MINUTE
        if wait_seconds > self._patience_seconds():
            msg = (
                f"no request ever fits: `answer_tokens` ({self.answer_tokens}) is more than "
                f"`tokens_per_minute` ({rate:g}) gathers in `burst_seconds` "
                f"({self.burst_seconds:g}), and in `max_wait_seconds` with `on_limit='wait'`"
            )
            raise ValueError(msg)
        return self

    # --- in flows ---------------------------------------------------------------------------------

    def admit(
        self, config: RunnableConfig, value: Any = None, max_wait_seconds: float | None = None
    ) -> Flow[ValidationResult]:
        """Take room for one request, and wait for its turn if it has to.

        Args:
            config: Names the key; hears of the wait.
            value: The input, for its tokens.
            max_wait_seconds: What is left of a deadline; bounds the wait further.

        Returns:
            A verdict whose `value` is the `Reservation`, or a failure with `retry_after`.
        """
        patience = self._patience_seconds()
        if max_wait_seconds is not None:
            patience = min(patience, max(0.0, max_wait_seconds))
        verdict = yield from self.take(config, value, patience)
        if verdict.passed and verdict.value.wait_seconds:
            yield from self.wait(verdict.value, config)
        return verdict

    def take(
        self, config: RunnableConfig, value: Any, max_wait_seconds: float
    ) -> Flow[ValidationResult]:
        """Take room as `admit` does, and leave the waiting to the caller."""
        key, tokens = self._key(config), self._tokens(value)
        answer: Grant | Denial = yield self.store.take(
            key, self._demands(1, tokens), max_wait_seconds
        )
        if isinstance(answer, Denial):
            return self._turned_away(answer)
        return passed(Reservation(key, 1, tokens, answer.wait_seconds, answer.turn))

    def wait(self, reservation: Reservation, config: RunnableConfig | None = None) -> Flow[None]:
        """Wait for the turn of a reservation that was taken; refund it if that is interrupted.

        Args:
            reservation: From `take`.
            config: Hears of the wait. Without it, nobody does.
        """
        try:
            if config is not None:
                yield self._waited(reservation, config)
            yield Sleep(reservation.wait_seconds)
        except BaseException:  # cancelled while waiting: who comes next may have this turn
            yield self.refund(reservation)
            raise

    def _waited(self, reservation: Reservation, config: RunnableConfig) -> Emit | None:
        seconds = round(reservation.wait_seconds, 6)
        name = type(self).__name__
        return event(EventName.WAITED, config, component=name, delay_seconds=seconds)

    # --- by hand ----------------------------------------------------------------------------------

    def acquire(self, value: Any = None, config: RunnableConfig | None = None) -> Reservation:
        """Take room for one request, waiting for it if the limiter waits.

        Raises:
            RateLimited: There is no room; `retry_after` says when there is.
        """
        return run(self._acquire(value, config or {}))

    async def aacquire(
        self, value: Any = None, config: RunnableConfig | None = None
    ) -> Reservation:
        """Take room for one request. See `acquire`."""
        return await arun(self._acquire(value, config or {}))

    def settle(self, reservation: Reservation, tokens: float) -> MaybeAwaitable[None]:
        """Replace the estimated tokens of a reservation by those that were used.

        No effect if it was settled or refunded before. Awaitable only if the store answers
        asynchronously; the built-in ones answer at once.

        Raises:
            ValueError: `tokens` is negative, no number, or beyond what any request takes.
        """
        used = _possible("tokens", tokens)
        return self._give_back(reservation, 0, reservation.tokens - used)

    def refund(self, reservation: Reservation) -> MaybeAwaitable[None]:
        """Give a reservation back whole, as when no call was made. See `settle`.

        While others wait behind it, its room is lost instead: they have their turns already, and
        who came next would share the last of these.
        """
        return self._give_back(
            reservation, reservation.requests, reservation.tokens, turn=reservation.turn
        )

    def _give_back(
        self,
        reservation: Reservation,
        requests: float,
        tokens: float,
        *,
        turn: float | None = None,
    ) -> MaybeAwaitable[None]:
        demands = self._demands(requests, tokens) if reservation.hand_back() else ()
        return self.store.give_back(reservation.key, demands, turn)

    def for_model(self, key: str | None = None) -> BaseRateLimiter:
        """Return this limit as LangChain's `rate_limiter=` of a chat model expects it.

        Such a limiter sees no input, so it takes `answer_tokens` for each request and settles
        nothing. It waits without bound, as its interface asks. It is for models that are not under
        control: there the wait is within the time limit of a call and may look like an outage.

        Args:
            key: Whose limit it is; needed if the limiter's own is a function of the config.

        Raises:
            TypeError: There is no fixed key.
        """
        if key is None and not isinstance(self.key, str):
            msg = (
                "`key` is a function of the config, which a model's limiter does not see; name one"
            )
            raise TypeError(msg)
        return _ModelRateLimiter(self if key is None else self.override(key=key))

    # --- as a gate --------------------------------------------------------------------------------

    def judge(self, value: Any) -> Flow[ValidationResult]:
        """Say whether there is room at this moment. Needs a fixed `key`.

        Takes room and gives it back at once, so that others may be turned away meanwhile.
        """
        verdict = yield from self.take({}, value, 0.0)
        if not verdict.passed:
            return verdict
        yield self.refund(verdict.value)
        return passed(value)

    def _flow(self, value: Any, config: RunnableConfig) -> Flow[Any]:
        verdict = yield from self.admit(config, value)
        if not verdict.passed:
            yield blocked(type(self).__name__, verdict, config)
            raise rejection(verdict, self._error)
        return value

    def _acquire(self, value: Any, config: RunnableConfig) -> Flow[Reservation]:
        verdict = yield from self.admit(config, value)
        if not verdict.passed:
            raise rejection(verdict, self._error)
        reservation: Reservation = verdict.value
        return reservation

    def _key(self, config: RunnableConfig) -> str:
        key = self.key if isinstance(self.key, str) else self.key(config)
        return joined(self.namespace, key)

    def _tokens(self, value: Any) -> float:
        if self.tokens_per_minute is None:
            return 0
        estimated = self.estimate_tokens or approximate_tokens
        return self.answer_tokens + _possible("estimate_tokens", estimated(value))

    def _demands(self, requests: float, tokens: float) -> tuple[Demand, ...]:
        wanted = (
            ("requests", requests, self.requests_per_minute),
            ("tokens", tokens, self.tokens_per_minute),
        )
        return tuple(
            Demand(name, amount, rate / SECONDS_PER_MINUTE, self._burst(rate))
            for name, amount, rate in wanted
            if rate is not None and amount
        )

    def _patience_seconds(self) -> float:
        return self.max_wait_seconds if self.on_limit == "wait" else 0.0

    def _burst(self, per_minute: float) -> float:
        """At least one request must fit, however low the rate."""
        return max(1.0, per_minute * self.burst_seconds / SECONDS_PER_MINUTE)

    def _turned_away(self, denial: Denial) -> ValidationResult:
        rate = getattr(self, f"{denial.name}_per_minute")
        limit = f"the limit of {rate:g} {denial.name} per minute"
        if denial.retry_after is None:
            message = f"the request needs more {denial.name} than {limit} ever holds"
        else:
            message = f"{limit} is used up; try again in {denial.retry_after:.3g} s"
        return failure(FailureMode.RATE_LIMITED, message, retry_after=denial.retry_after)


class _ModelRateLimiter(BaseRateLimiter):
    """A limiter in the interface that chat models ask before each call."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    def acquire(self, *, blocking: bool = True) -> bool:
        return run(self._admitted(blocking=blocking))

    async def aacquire(self, *, blocking: bool = True) -> bool:
        return await arun(self._admitted(blocking=blocking))

    def _admitted(self, *, blocking: bool) -> Flow[bool]:
        verdict = yield from self._limiter.take({}, None, math.inf if blocking else 0.0)
        if not verdict.passed:
            return False
        yield from self._limiter.wait(verdict.value)
        return True
