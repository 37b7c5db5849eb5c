"""What a turn of a strategy has used."""

from __future__ import annotations

from typing import Any, NamedTuple

from langchain_core.runnables import Runnable

from langchain_control.models.names import name_behind, named_in
from langchain_control.models.variants import name_of
from langchain_control.outcomes import Attempt, ControlResult, FallbackTry
from langchain_control.parts import asks_a_model
from langchain_control.retries.usage_limits import spent_in
from langchain_control.strategies.asking import Calls, JudgedReply
from langchain_control.strategies.other_model import OtherModel

__all__ = ["Used", "used_by"]


class Used(NamedTuple):
    """The model that was asked, and what it took."""

    model: str | None
    """`None` if no model was asked, or none that has a name."""
    input_tokens: int
    output_tokens: int
    cost: float | None
    """`None` if no price is known."""


def used_by(strategy: Any, asked: JudgedReply, calls: Calls) -> Used:
    """Return what asking a strategy took. A controlled model tells it of all its own calls."""
    said, of_run = name_behind(asked.reply), _calls_in(asked.run)
    last = next((c["model"] for c in reversed(of_run) if c["model"]), None)
    asked_for = _model_of(strategy)
    names = [name for name in (said, last, asked_for) if name]
    model = next((named_in(name, names[-1:]) or name for name in names), None)
    if of_run:
        return Used(model, **spent_in(of_run, calls.cost))
    tokens = calls.tokens(asked.reply) if _has_used_tokens(strategy, asked) else (0, 0)
    return Used(model, *tokens, calls.cost(names, *tokens))


def _calls_in(run: ControlResult | None) -> list[Attempt | FallbackTry]:
    return [*run.attempts, *run.fallbacks] if run is not None else []


def _has_used_tokens(strategy: Any, asked: JudgedReply) -> bool:
    """Whether the answer took tokens: a model's did, another's only if it reports usage."""
    has_answered = asked.outcome in ("answered", "rejected") and asks_a_model(strategy)
    return has_answered or asked.reply.usage_metadata is not None


def _model_of(strategy: Any) -> str | None:
    if not isinstance(strategy, Runnable):
        return None
    return name_of(strategy.bound if isinstance(strategy, OtherModel) else strategy)
