"""What counts as space, in the inside of a character class."""

from __future__ import annotations

__all__ = ["BLANK", "INVISIBLE"]

INVISIBLE = r"\ufeff\u200b-\u200f\u2060\xad"
"""Characters that nobody sees and `\\s` does not match."""

BLANK = rf"\s{INVISIBLE}"
