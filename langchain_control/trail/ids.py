"""Ids as the trail keeps them, and as it is asked for them."""

from __future__ import annotations

import hashlib

__all__ = ["LONGEST_ID_CHARS", "as_text", "kept_id"]

LONGEST_ID_CHARS = 128
"""Longer ids are shortened when they are written, and not taken from a file: ids are kept in
memory."""

_HASH_CHARS = 16


def kept_id(value: object) -> str:
    """Return an id as text. A long one is its beginning and a hash, so that two stay two."""
    text = as_text(str(value))
    if len(text) <= LONGEST_ID_CHARS:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARS]
    return f"{text[: LONGEST_ID_CHARS - 1 - _HASH_CHARS]}~{digest}"


def as_text(value: str) -> str:
    """Return a string that can be written as UTF-8."""
    return str(value) if value.isascii() else value.encode(errors="replace").decode()
