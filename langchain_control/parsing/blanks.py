"""What counts as space."""

from __future__ import annotations

__all__ = ["BLANK", "COMMON_BLANKS", "INVISIBLE"]

INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\xad"
"""Characters that nobody sees and `\\s` does not match."""

BLANK = rf"\s{INVISIBLE}"
"""All of it, for the inside of a character class."""

COMMON_BLANKS = f" \t\n\r\f\v\xa0\u2028\u2029\u3000{INVISIBLE}"
"""What the lenient parser takes for the beginning of space. It runs on over any `BLANK`."""
