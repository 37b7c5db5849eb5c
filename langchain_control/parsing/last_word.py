"""Whether what a model said later is said in the place of what it said before."""

from __future__ import annotations

from typing import Any

__all__ = ["takes_back"]


def takes_back(later: Any, earlier: Any) -> bool:
    """Tell an answer that replaces an earlier one from something else that is spoken of.

    It says something about the same keys, also inside a wrapping; or it says that there is no
    answer.
    """
    if not later or (isinstance(later, dict) and not _NO_ANSWER.isdisjoint(later)):
        return True
    if isinstance(later, list) and isinstance(earlier, list):
        return True
    inside = later.values() if isinstance(later, dict) else ()
    keys = _keys(later).union(*map(_keys, inside))
    return not keys.isdisjoint(_keys(earlier))


def _keys(value: Any) -> set[str]:
    """Return the keys of an object, or of all objects of an array."""
    if isinstance(value, dict):
        return set(value)
    items = value if isinstance(value, list) else ()
    return {key for item in items if isinstance(item, dict) for key in item}


_NO_ANSWER = frozenset(["error", "errors", "exception", "refusal"])
"""Keys of an object that says why there is no answer."""
