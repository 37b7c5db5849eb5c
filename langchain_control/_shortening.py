"""Texts cut short where they are only told of."""

from __future__ import annotations

__all__ = ["shortened", "shortened_inside"]


def shortened(text: str, chars: int) -> str:
    """Return at most so many characters of a text, the last one an ellipsis if any are left out."""
    return text if len(text) <= chars else text[: chars - 1] + "…"


def shortened_inside(text: str, chars: int) -> str:
    """Return at most so many characters of a text whose end tells more than its middle."""
    if len(text) <= chars:
        return text
    start = (chars - 1) // 3
    return f"{text[:start]}…{text[start + 1 - chars :]}"
