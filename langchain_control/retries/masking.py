"""What a model wrote, with what looks like personal data masked."""

from __future__ import annotations

import re

__all__ = ["MASK", "masked"]

MASK = "[masked]"
"""Stands for what looks like an address, a number or a key."""

_PRIVATE = re.compile(
    r"[\w.+-]{1,64}@[\w.-]{1,64}"  # an e-mail address
    r"|\+?\d(?:[ ./()-]{0,2}\d){6,}"  # a telephone, account or card number
    r"|(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}"  # a key or a token
)


def masked(text: str) -> str:
    """Replace e-mail addresses, long numbers and keys. Cut the text short before."""
    return _PRIVATE.sub(MASK, text)
