"""What a model wrote, with what looks like personal data masked."""

from __future__ import annotations

import re

__all__ = ["MASK", "masked"]

MASK = "[masked]"
"""Stands for what looks like an address, a number or a key."""

_PRIVATE = re.compile(
    r"[\w.+-]{1,64}@[\w.-]{1,64}"  # an e-mail address
    r"|\+?\d(?:[ ./()-]{0,2}\d){6,}"  # a telephone, account or card number
    r"|(?<![A-Za-z0-9_-])"
    r"(?!_*[a-z]+(?:_(?:[a-z]+|\d{1,3}))+(?![\w-]))"  # no name, such as `street_and_house_no_2`
    r"(?!\d{0,3}[A-Za-z]?[a-z]*(?:[A-Z][a-z]{2,}|\d{1,3}(?![a-z\d]))+(?![\w-]))"  # nor `line2Text`
    r"(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}"  # a key or a token
    r"|\b(?:sk|pk|rk|gh[a-z]|github_pat|glpat|hf|xox[a-z])"  # a key that says what it is
    r"(?:[_-][a-z]{2,8})?[_-][A-Za-z0-9]{16,}"
)

_RUN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_UNLIKE_WORDS = re.compile(r"[A-Za-z]\d(?=[A-Za-z])|[A-Z][a-z](?=[A-Z])|[a-z][A-Z]{2,}(?=[a-z])")
"""Where letters and digits change as they do in random keys, and seldom in names and paths."""
_FEWEST, _MOST_CHARS_EACH = 3, 16


def masked(text: str) -> str:
    """Replace e-mail addresses, long numbers and keys. Cut the text short before."""
    return _PRIVATE.sub(MASK, _RUN.sub(_masked_if_random, text))


def _masked_if_random(run: re.Match[str]) -> str:
    oddities = len(_UNLIKE_WORDS.findall(run[0]))
    is_random = oddities >= max(_FEWEST, len(run[0]) / _MOST_CHARS_EACH)
    return MASK if is_random else run[0]
