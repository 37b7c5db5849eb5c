"""An estimate of token counts for when there is no vocabulary.

A linear model over classes of characters, fitted by non-negative least squares to the exact counts
of books in English, German, Russian, Chinese and Japanese, of Python code and of JSON. "Four
characters a token", the usual rule of thumb, reads Chinese at a third of its size.
"""

from __future__ import annotations

import re
from functools import partial
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from langchain_control.encodings.counting import CountingTokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["estimate", "estimating"]


class Cost(NamedTuple):
    """Tokens of a run of characters of one class."""

    per_run: float
    per_char: float


_CLASSES = re.compile(
    r"""
      (?P<word>    [A-Za-z]+ )
    | (?P<number>  \d{1,3} )
    | (?P<kana>    [\u3040-\u30ff]+ )
    | (?P<han>     [\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+ )
    | (?P<script>  (?:(?![\d_A-Za-z\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])\w)+ )
    | (?P<newline> [\r\n]+ )
    | (?P<blanks>  [^\S\r\n]{2,} )
    | (?P<astral>  [\U00010000-\U0010ffff]+ )
    | (?P<mark>    (?:[^\w\s\U00010000-\U0010ffff]|_)+ )
    """,  # noqa: E501  (the character class is that of the two lines above it)
    re.VERBOSE,
)
"""Runs of a class. A single blank costs nothing: it is part of the token after it."""

_FREE_CHARS: Mapping[str | None, int] = MappingProxyType({"word": 5})
"""A Latin word up to this length is mostly one token; only the rest costs by the character."""

_CL100K: Mapping[str | None, Cost] = MappingProxyType(
    {
        "word": Cost(0.991, 0.145),
        "number": Cost(1.327, 0.0),
        "kana": Cost(0.383, 0.826),
        "han": Cost(0.0, 1.206),
        "script": Cost(0.0, 0.458),
        "newline": Cost(0.695, 0.0),
        "blanks": Cost(0.787, 0.0),
        "astral": Cost(0.638, 2.751),
        "mark": Cost(0.634, 0.061),
    }
)
_O200K: Mapping[str | None, Cost] = MappingProxyType(
    {
        "word": Cost(0.972, 0.120),
        "number": Cost(1.369, 0.0),
        "kana": Cost(0.146, 0.589),
        "han": Cost(0.0, 0.795),
        "script": Cost(0.0, 0.263),
        "newline": Cost(0.515, 0.0),
        "blanks": Cost(0.940, 0.0),
        "astral": Cost(0.359, 1.940),
        "mark": Cost(0.604, 0.129),
    }
)


def estimating(encoding: str) -> CountingTokenizer:
    """Return a tokenizer that estimates, like `o200k_base` or, to be safe, like `cl100k_base`."""
    costs = _O200K if encoding.startswith("o200k") else _CL100K
    return CountingTokenizer(partial(estimate, costs=costs), name=encoding, exact=False)


def estimate(text: str, costs: Mapping[str | None, Cost] = _CL100K) -> int:
    """Return roughly how many tokens a text has: at least 1 unless it is empty."""
    tokens = 0.0
    for match in _CLASSES.finditer(text):
        cost = costs[match.lastgroup]
        length = match.end() - match.start() - _FREE_CHARS.get(match.lastgroup, 0)
        tokens += cost.per_run + cost.per_char * max(0, length)
    return max(ceil(tokens), 1) if text else 0
