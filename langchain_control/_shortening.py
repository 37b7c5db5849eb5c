"""Texts cut short where they are only told of."""

from __future__ import annotations

__all__ = ["shortened"]


def shortened(text: str, chars: int) -> str:
    """Return at most so many characters of a text, the last one an ellipsis if any are left out."""
    return text if len(text) <= chars else text[: chars - 1] + "…"
