"""Quotation marks, of JSON and of people."""

from __future__ import annotations

__all__ = ["ANY_QUOTE", "CLOSING", "DOUBLE_QUOTES", "JSON_STRING", "OPENING_QUOTES", "QUOTES"]

CLOSING = {
    '"': '"',
    "'": "'",
    "`": "`",
    "\u201c": '\u201d\u201c"',
    "\u201d": '\u201d"',
    "\u2018": "\u2019\u2018'",
    "\u2019": "\u2019'",
    "\u201e": "\u201c\u201d",
    "\u00ab": "\u00bb",
    "\uff02": "\uff02",
    "\u00b4": "\u00b4'",
}
"""Opening quotes, and what may close each of them."""

OPENING_QUOTES = frozenset(CLOSING)

DOUBLE_QUOTES = frozenset('"\u201c\u201d\u201e\u00ab\u00bb\uff02')

QUOTES = "\"'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\uff02\u00b4"
ANY_QUOTE = f"[{QUOTES}]"

JSON_STRING = r'"[^"\\\x00-\x1f]*+(?>(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*)"'
"""The pattern of a string as JSON has it."""
