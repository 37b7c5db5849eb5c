"""What Runnables are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import Runnable
from pydantic import BaseModel

__all__ = ["asks_a_model", "names_parts", "parts_of"]


def names_parts(runnable: Any) -> bool:
    """Whether a Runnable says what it is made of, as `parts`: it does what they do, no more.

    Asked of the class, as a binding has the attributes of what is bound in it.
    """
    return hasattr(type(runnable), "parts")


def parts_of(runnable: Any) -> Iterator[Runnable[Any, Any]]:
    """Yield the Runnables that a Runnable is made of; what a function calls is not seen."""
    if names_parts(runnable):
        yield from _runnables_in(runnable.parts)
    elif isinstance(runnable, Runnable) and isinstance(runnable, BaseModel):
        for name in type(runnable).model_fields:
            yield from _runnables_in(getattr(runnable, name))


def asks_a_model(runnable: Any) -> bool:
    """Whether a Runnable is a language model, or is made of one among others."""
    is_model = isinstance(runnable, BaseLanguageModel)
    return is_model or any(asks_a_model(part) for part in parts_of(runnable))


def _runnables_in(value: Any) -> Iterator[Runnable[Any, Any]]:
    match value:
        case Runnable():
            yield value
        case list() | tuple():
            for member in value:
                yield from _runnables_in(member)
        case dict():
            yield from _runnables_in(list(value.values()))
