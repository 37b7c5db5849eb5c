"""What an application says that exceptions mean: those of an SDK of its own, which nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from langchain_control.outcomes import FailureMode

__all__ = ["FailureModes", "declared_mode"]


def _as_pairs(value: Any) -> Any:
    return tuple(value.items()) if isinstance(value, Mapping) else value


def _are_failures(pairs: FailureModes) -> FailureModes:
    if idle := [kind.__name__ for kind, mode in pairs if mode is FailureMode.NONE]:
        msg = f"`{idle[0]}` must mean a failure, and `{FailureMode.NONE}` is none"
        raise ValueError(msg)
    return pairs


FailureModes: TypeAlias = Annotated[
    tuple[tuple[type[Exception], FailureMode], ...],
    BeforeValidator(_as_pairs),
    AfterValidator(_are_failures),
]
"""Types of exceptions, and what each means; given as a mapping or as pairs."""


def declared_mode(exc: BaseException, declared: FailureModes) -> FailureMode | None:
    """Return what was said of an exception's type, or else of the nearest of its bases."""
    modes: dict[type, FailureMode] = dict(declared)
    return next((modes[kind] for kind in type(exc).__mro__ if kind in modes), None)
