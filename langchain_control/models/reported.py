"""The tokens that a provider reports beside an answer."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage

from langchain_control.errors.codes import dig

__all__ = ["MOST_TOKENS", "reported_tokens"]

MOST_TOKENS = 10**8
"""Ten times the largest window of any model on offer: no one call takes more."""


def reported_tokens(answer: AIMessage, name: str) -> int:
    """Return how many tokens a provider reports, or 0 where it reports none.

    Reports come as they were sent: a count that is negative, infinite, no whole number or beyond
    `MOST_TOKENS` would switch limits off, or use them up for good. It counts as none.

    Args:
        answer: What the provider sent.
        name: Which tokens, such as `input_tokens`.
    """
    count: Any = dig(answer.usage_metadata, name)
    is_count = isinstance(count, int | float) and 0 <= count <= MOST_TOKENS and count % 1 == 0
    return int(count) if is_count else 0
