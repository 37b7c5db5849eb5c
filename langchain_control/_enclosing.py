"""The runs that a run is made in: a rule, a model's chain or a fallback may ask a controlled model.

A context variable, as a rule is handed no config. Threads and tasks of calls copy it.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Part", "as_part", "is_left_over", "parts_around", "parts_under_way"]

T = TypeVar("T")


@dataclass(slots=True)
class Part:
    """A part of a run."""

    request_id: str
    name: str
    """A step's, or `tool` or `end`, of an agent's run."""
    is_over: bool = False
    """Tasks and threads that outlive it keep it in their context."""


_ENTERED: ContextVar[tuple[Part, ...]] = ContextVar("langchain_control_parts", default=())


def parts_under_way() -> tuple[Part, ...]:
    """Return the parts that the code is in: the last is of the innermost run."""
    return tuple(part for part in _ENTERED.get() if not part.is_over)


def is_left_over(request_id: str) -> bool:
    """Whether an id is that of a part which is over, and which a task was begun in."""
    return any(part.is_over and part.request_id == request_id for part in _ENTERED.get())


def parts_around() -> list[Part]:
    """Return what the innermost run is within, itself within what follows; none for a request.

    They may be over by now: a thread that was given up goes on.
    """
    parts = [*reversed(_ENTERED.get())]
    return [*takewhile(lambda part: part.request_id == parts[0].request_id, parts[1:])]


def as_part(flow: Generator[Any, Any, T], request_id: str, name: str) -> Generator[Any, Any, T]:
    """Perform a part of a run such that runs in it can tell what they are within."""
    around, part = _ENTERED.get(), Part(request_id, name)
    _ENTERED.set((*around, part))
    try:
        result = yield from flow
    except GeneratorExit:  # nobody performs this flow any more: this may be another context
        raise
    except BaseException:
        _ENTERED.set(around)
        raise
    finally:
        part.is_over = True
    _ENTERED.set(around)
    return result
