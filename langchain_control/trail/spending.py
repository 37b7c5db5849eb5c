"""What attempts and fallbacks took, none of it counted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from langchain_control._eviction import evict_oldest
from langchain_control.events import EventName
from langchain_control.trail.nesting import depth_of, part_of
from langchain_control.trail.numbers import number_in

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord

__all__ = ["Spent", "SpentOnce"]

_TELLS_OF: dict[str, str] = {EventName.ATTEMPT: "call", EventName.FALLBACK: "fallback"}
"""The part of a request that a record tells the whole of."""
_MOST_REQUESTS = 10_000


class Spent(NamedTuple):
    """Tokens and cost."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    """`None` if no price is known."""

    def plus(self, other: Spent) -> Spent:
        """Add what others took."""
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        tokens = self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        return Spent(*tokens, sum(costs) if costs else None)

    def at_least(self, other: Spent) -> Spent:
        """Return the larger of two accounts of the same calls."""
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Spent(
            max(self.input_tokens, other.input_tokens),
            max(self.output_tokens, other.output_tokens),
            max(costs, default=None),
        )

    def beyond(self, other: Spent) -> Spent:
        """Return what is more than a smaller account has."""
        cost = None if self.cost is None else self.cost - (other.cost or 0.0)
        return Spent(
            self.input_tokens - other.input_tokens, self.output_tokens - other.output_tokens, cost
        )


class SpentOnce:
    """Counts what calls took, once.

    A run within a request tells of its own calls. The request around it tells of them once more
    where it knows of them: all with a controlled model as a strategy, the last answer alone with
    one inside of a chain, and nothing of a call that it has given up. Of its record, only what is
    more than the records within it have told counts.
    """

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._told_within: dict[tuple[str, int, str], Spent] = {}

    def of(self, record: AuditRecord) -> Spent:
        """Return what a record adds."""
        if (part := _TELLS_OF.get(record["event"])) is None:
            return Spent()
        request_id, depth, around = record.get("request_id", ""), depth_of(record), part_of(record)
        within = self._told_within.pop((request_id, depth + 1, part), Spent())
        told = _told_by(record).at_least(within)
        if around in _TELLS_OF.values():
            place = request_id, depth, around
            self._told_within[place] = self._told_within.get(place, Spent()).plus(told)
            evict_oldest(self._told_within, _MOST_REQUESTS)
        return told.beyond(within)


def _told_by(record: AuditRecord) -> Spent:
    return Spent(
        int(number_in(record, "input_tokens")),
        int(number_in(record, "output_tokens")),
        number_in(record, "cost") if "cost" in record else None,
    )
