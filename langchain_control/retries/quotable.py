"""What a model wrote, fit to be quoted: nothing hides in it, and nothing in it closes a fence."""

from __future__ import annotations

import unicodedata

__all__ = ["is_hidden", "without_tags"]

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LOOKALIKES = str.maketrans("<>", "\u2039\u203a")


def is_hidden(character: str) -> bool:
    """Say whether nobody sees a character, line breaks and tabs included."""
    return unicodedata.category(character) in _HIDDEN


def without_tags(text: str) -> str:
    """Replace angle brackets by lookalikes that open and close nothing."""
    return text.translate(_LOOKALIKES)
