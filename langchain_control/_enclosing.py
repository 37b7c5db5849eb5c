"""The runs that a run is made in: a rule, a model's chain or a fallback may ask a controlled model.

A context variable, as a rule is handed no config. Threads and tasks of calls copy it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Part", "as_part", "part_around", "parts_under_way"]

T = TypeVar("T")


class Part(NamedTuple):
    """A part of a run that is under way."""

    request_id: str
    name: str
    """A step's, or `tool` or `end`, of an agent's run."""


_UNDER_WAY: ContextVar[tuple[Part, ...]] = ContextVar("langchain_control_parts", default=())


def parts_under_way() -> tuple[Part, ...]:
    """Return the parts that the code is in: the last is of the innermost run."""
    return _UNDER_WAY.get()


def part_around() -> Part | None:
    """Return what the innermost run is within; `None` if that is a request of its own."""
    around = _UNDER_WAY.get()[:-1]
    return around[-1] if around else None


def as_part(flow: Generator[Any, Any, T], request_id: str, name: str) -> Generator[Any, Any, T]:
    """Perform a part of a run such that runs in it can tell what they are within."""
    around = _UNDER_WAY.get()
    _UNDER_WAY.set((*around, Part(request_id, name)))
    try:
        result = yield from flow
    except GeneratorExit:  # nobody performs this flow any more: this may be another context
        raise
    except BaseException:
        _UNDER_WAY.set(around)
        raise
    _UNDER_WAY.set(around)
    return result
