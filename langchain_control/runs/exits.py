"""What becomes of a run without an answer: a message that says so, or an exception."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from langchain_control.runs.notices import WITHOUT_ANSWER

__all__ = ["ExitBehavior", "exit_behavior_of", "has_to_raise"]

ExitBehavior = Literal["end", "error"]
"""`end` ends the run with a message that names the failure; `error` raises the `ControlError`."""


def exit_behavior_of(given: str) -> ExitBehavior:
    """Return what a door was asked for.

    Raises:
        ValueError: There is no such behavior.
    """
    if given not in get_args(ExitBehavior):
        msg = f"`exit_behavior` is `end` or `error`, got {given!r}"
        raise ValueError(msg)
    return cast("ExitBehavior", given)


def has_to_raise(run: Mapping[str, Any], behavior: ExitBehavior) -> bool:
    """Say whether a run, or an update of one, is an end without an answer that is to be raised."""
    return behavior == "error" and run.get("status") in WITHOUT_ANSWER
