"""What one request may use up: tokens, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum
from typing import Self, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict  # pydantic builds no schema of typing's before 3.12

from langchain_control._overriding import OverridableModel
from langchain_control.models.names import named_in
from langchain_control.outcomes import Attempt, FallbackTry

__all__ = ["Spent", "TokenPrices", "UsageLimits", "cost_of", "spent_in"]

PER_MILLION = 1e-6


class Spent(TypedDict):
    """What the calls within one call took."""

    input_tokens: int
    output_tokens: int
    cost: float | None
    """`None` if no price is known."""


class TokenPrices(BaseModel):
    """What a provider asks for the tokens of a model, in any currency."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input_per_million: float = Field(ge=0)
    """Price of a million tokens of prompts."""
    output_per_million: float = Field(ge=0)
    """Price of a million tokens of answers."""


class UsageLimits(OverridableModel):
    """What one request may use up, all its attempts and fallbacks together.

    No attempt is begun once a limit is reached; the one that reaches it may go beyond, as nobody
    knows the length of an answer before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_total_tokens: int | None = Field(default=None, gt=0)
    """Tokens of prompts and answers together. `None` sets no limit."""
    max_cost: float | None = Field(default=None, gt=0)
    """In the currency of `prices`. `None` sets no limit."""
    prices: Mapping[str, TokenPrices] = Field(default_factory=dict)
    """By name of the model. The package knows none, as they change; a name also stands for its
    dated snapshots. Discounts for cached prompts are not counted."""

    @model_validator(mode="after")
    def _cost_has_prices(self) -> Self:
        if self.max_cost is not None and not self.prices:
            msg = "`max_cost` needs `prices`: without them nothing has a cost"
            raise ValueError(msg)
        return self

    def cost(self, names: Iterable[str], input_tokens: int, output_tokens: int) -> float | None:
        """Return what a call cost, or `None` if the model has no price.

        Args:
            names: What the model is called, by its provider and by the policy; the first with a
                price counts.
            input_tokens: Those of the prompt.
            output_tokens: Those of the answer.
        """
        known = next(filter(None, (named_in(name, self.prices) for name in names)), None)
        if known is None:
            return None
        price = self.prices[known]
        spent = input_tokens * price.input_per_million + output_tokens * price.output_per_million
        return spent * PER_MILLION

    def reached_by(self, calls: Iterable[Attempt | FallbackTry]) -> str | None:
        """Say which limit the calls have reached, or `None` if there is room for another.

        With a `max_cost`, the limit counts as reached once a call has no known cost.
        """
        made = list(calls)
        tokens = sum(call["input_tokens"] + call["output_tokens"] for call in made)
        if self.max_total_tokens is not None and tokens >= self.max_total_tokens:
            return f"{tokens} of {self.max_total_tokens} tokens are used up"
        if self.max_cost is None:
            return None
        unpriced = next((c["model"] for c in made if _was_paid(c) and c.get("cost") is None), None)
        if unpriced is not None:
            return f"`{unpriced}` has no price, so its cost cannot be held to a limit"
        spent = cost_of(made) or 0.0
        return f"{spent:g} of {self.max_cost:g} is spent" if spent >= self.max_cost else None

    def __repr_args__(self) -> list[tuple[str | None, object]]:
        """Show the limits that are set, and whose prices are known."""
        limits = [("max_total_tokens", self.max_total_tokens), ("max_cost", self.max_cost)]
        shown: list[tuple[str | None, object]] = [(n, v) for n, v in limits if v is not None]
        return [*shown, ("prices", [*self.prices])] if self.prices else shown


def cost_of(calls: Iterable[Attempt | FallbackTry]) -> float | None:
    """Add up what calls cost, or return `None` if that is not known of all that were paid."""
    costs = [call.get("cost") for call in calls if _was_paid(call)]
    known = [cost for cost in costs if cost is not None]
    return fsum(known) if known and len(known) == len(costs) else None


def spent_in(calls: Sequence[Attempt | FallbackTry], cost: Callable[..., float | None]) -> Spent:
    """Add up what calls took, at the prices known here, or else at those known there."""
    priced = [_priced(call, cost) for call in calls]
    return Spent(
        input_tokens=sum(call["input_tokens"] for call in priced),
        output_tokens=sum(call["output_tokens"] for call in priced),
        cost=cost_of(priced),
    )


def _priced(
    call: Attempt | FallbackTry, price: Callable[..., float | None]
) -> Attempt | FallbackTry:
    names = [name for name in (call.get("snapshot"), call["model"]) if isinstance(name, str)]
    cost = price(names, call["input_tokens"], call["output_tokens"])
    priced = {**call, "cost": call.get("cost") if cost is None else cost}
    return cast("Attempt | FallbackTry", priced)


def _was_paid(call: Attempt | FallbackTry) -> bool:
    return bool(call["input_tokens"] or call["output_tokens"])
