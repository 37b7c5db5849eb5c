"""Whether a type reads the same object twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["same"]


def same(one: Any, other: Any) -> bool:
    """Return whether two objects were read from the same values.

    Of models, the fields that were given count: a default may be another one each time.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    given, given_other = _given(one), _given(other)
    if given is None or given_other is None:
        return bool(one == other)
    return same(given, given_other)


def _given(read: Any) -> dict[str, Any] | None:
    """Return what was given of a model of either pydantic; `None` if it is no model."""
    names = getattr(read, "__pydantic_fields_set__", None)
    names = getattr(read, "__fields_set__", None) if names is None else names
    return {name: getattr(read, name) for name in names} if isinstance(names, set) else None
