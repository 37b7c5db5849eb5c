"""What is certain about JSON of which only the beginning has arrived."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import from_json

from langchain_control.parsing.read import MAX_CHARS
from langchain_control.parsing.reasoning import after_reasoning

__all__ = ["value_so_far"]

_START = re.compile(r"\s*(?:```\w*\s*)?(?=[\[{])")
_MAY_GO_ON = "0123456789+-.eE"


def value_so_far(text: str) -> Any:
    """Return the members of an unfinished JSON text that are complete already.

    Returns:
        The outermost object or array without the member that is still being written; `None` if
        nothing is certain: prose comes first, the JSON is damaged, or it is finished.
    """
    if len(text) > MAX_CHARS:
        return None
    answer = after_reasoning(text)
    start = _START.match(answer) if answer is not None else None
    if answer is None or start is None:
        return None
    arrived = answer[start.end() :]
    if _is_finished(arrived):
        return None
    try:
        # A number at the very end may get more digits.
        return from_json(
            arrived.rstrip(_MAY_GO_ON), allow_partial=True, allow_inf_nan=False, cache_strings=False
        )
    except ValueError:
        return None


def _is_finished(text: str) -> bool:
    """Whether the value has ended, well or badly."""
    try:
        from_json(text, allow_inf_nan=False, cache_strings=False)
    except ValueError as exc:
        return not str(exc).startswith("EOF while parsing")
    return True
