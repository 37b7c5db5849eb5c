"""Strings that UTF-8 can express."""

from __future__ import annotations

__all__ = ["well_formed"]


def well_formed(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates by U+FFFD, as `tiktoken` does to count."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
