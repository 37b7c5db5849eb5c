"""What models are called, by those who choose them and by those who serve them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from langchain_core.messages import AIMessage

__all__ = ["name_behind", "named_in"]

_DATES = (
    r"\d{4}(-\d\d){0,2}",  # 2024-08-06, 2024-08, 0613, 2411
    r"\d\d-\d\d(\d\d)?",  # 05-20, 08-2024
    r"\d{6}(\d\d)?",  # 240806, 20240806
)
_MOST_CHARS = 500
_SNAPSHOT = re.compile(f"[-@:]({'|'.join(_DATES)})")


def name_behind(answer: AIMessage | None) -> str | None:
    """Return what the provider of an answer calls its model, if it says so.

    It is told in logs and in the trail: what takes more than a line is no name.
    """
    name = answer.response_metadata.get("model_name") if answer is not None else None
    is_name = isinstance(name, str) and 0 < len(name) <= _MOST_CHARS and name.isprintable()
    return name if is_name else None


def named_in(name: str, names: Iterable[str]) -> str | None:
    """Return which of some names stands for a model, or `None`.

    A provider answers under the name of a dated snapshot: `gpt-4o-2024-08-06` is a `gpt-4o`, and
    `gpt-4o-mini` is none. What stands before the date is a part of the name:
    `claude-opus-4-1-20250805` is no `claude-opus-4`.
    """
    known = [*names]
    if name in known:
        return name
    fitting = (n for n in known if name.startswith(n) and _SNAPSHOT.fullmatch(name[len(n) :]))
    return max(fitting, key=len, default=None)
