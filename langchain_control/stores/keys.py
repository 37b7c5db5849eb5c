"""The names under which stores keep what belongs to somebody."""

from __future__ import annotations

__all__ = ["joined"]

_ESCAPES = str.maketrans({"\\": r"\\", ":": r"\:"})


def joined(owner: str, key: str | None) -> str:
    """Return the name of a key of an owner, or of the owner alone: no two have the same.

    An owner's own colons have a backslash before them, so that the first one without ends it. Keys
    stay as they are.
    """
    escaped = owner.translate(_ESCAPES)
    return escaped if key is None else f"{escaped}:{key}"
