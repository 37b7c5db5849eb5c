"""Exact counting with an encoding's own vocabulary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tiktoken
import tiktoken.registry

from langchain_control.encodings.definitions import DEFINITIONS
from langchain_control.encodings.surrogates import well_formed
from langchain_control.encodings.vocabulary import read

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BpeTokenizer", "load_bpe"]

CHUNK_CHARS = 100_000
"""Texts up to twice this length are encoded whole, longer ones in chunks of about this length.

The pattern of an encoding backtracks over a run of white space, and `tiktoken` panics (with a
`BaseException`) when it does so a million times; merging one long run also takes more than linear
time.
"""

SEAM_TOKENS = 4
"""Added to a count for each cut that is not certain to lie between two tokens."""

_TOKEN_BOUNDARY = re.compile(r"\S(?=[ \t])|[^\W_](?=[\r\n,.;!?\u3001\u3002\uff0c\uff01\uff1f])")
"""Where every pattern ends one match and begins the next, whatever stands on either side.

No alternative of a pattern continues from a visible character into a blank, nor from a letter or
digit into a line break or one of these marks; so both sides are encoded as they would be together.
"""

_GUESSED_CHARS_PER_TOKEN = 5
_MOST_CHARS_PER_TOKEN = 10
"""Only runs of blanks or dashes have more, and nobody misses those. A bound, because a tokenizer
takes long over them: a thousand tokens of blanks are 128,000 characters and 70 ms."""


def load_bpe(encoding: str) -> BpeTokenizer:
    """Load an encoding from this package, or take it from `tiktoken`'s memory.

    Raises:
        LookupError: The encoding is in neither.
        OSError: Its file is missing.
        ValueError: Its file is damaged.
    """
    definition = DEFINITIONS.get(encoding)
    if definition is None:
        return BpeTokenizer(tiktoken.registry.ENCODINGS[encoding])
    return BpeTokenizer(
        tiktoken.Encoding(
            definition.name,
            pat_str=definition.pattern,
            mergeable_ranks=read(definition.name),
            special_tokens=dict(definition.special_tokens),
        )
    )


class BpeTokenizer:
    """Count and cut with a `tiktoken.Encoding`, on any text.

    Text that spells a special token, such as `<|endoftext|>`, is counted as the text it is.
    """

    exact = True

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        """Use `encoding`, which may be shared between threads."""
        self.name = encoding.name
        self._encoding = encoding

    def encode(self, text: str) -> list[int]:
        """Return the token ids, for texts of any length and content.

        They are `tiktoken`'s own. Only a text of more than 200,000 characters without a word
        boundary in 100,000 of them may be split differently at one place in each 200,000.
        """
        return self._encode(text)[0]

    def count(self, text: str) -> int:
        """Return the number of tokens, or an upper bound where `encode` may differ."""
        ids, seams = self._encode(text)
        return len(ids) + seams * SEAM_TOKENS

    def truncate(self, text: str, max_tokens: int) -> str:
        """Return a prefix of at most `max_tokens`, in time that depends on `max_tokens` only.

        The prefix has at most ten characters a token; only runs of blanks would have more.
        """
        if max_tokens <= 0:
            return ""
        head, ids = self._head(text, max_tokens)
        if ids is None:
            return head
        for kept in range(max_tokens, 0, -1):
            # A cut inside a character leaves an incomplete sequence at the end: drop it.
            prefix = self._encoding.decode_bytes(ids[:kept]).decode("utf-8", "ignore")
            if self.count(prefix) <= max_tokens:
                return prefix
        return ""

    def _head(self, text: str, max_tokens: int) -> tuple[str, list[int] | None]:
        """Encode the start of a text until there are too many tokens; no ids if there never are."""
        for chars_per_token in (_GUESSED_CHARS_PER_TOKEN, _MOST_CHARS_PER_TOKEN):
            length = (max_tokens + 1) * chars_per_token
            head = well_formed(text[:length])
            ids, seams = self._encode(head)
            if len(ids) + seams * SEAM_TOKENS > max_tokens:
                return head, ids
            if length >= len(text):
                break
        return head, None

    def _encode(self, text: str) -> tuple[list[int], int]:
        """Return token ids and the number of cuts that may not lie between two tokens."""
        if len(text) <= 2 * CHUNK_CHARS:
            return self._encoding.encode_ordinary(text), 0
        ids: list[int] = []
        seams = 0
        for chunk, is_certain in _chunks(text):
            ids += self._encoding.encode_ordinary(chunk)
            seams += not is_certain
        return ids, seams


def _chunks(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a long text into chunks; say of each whether it certainly ends between two tokens."""
    start = 0
    while len(text) - start > 2 * CHUNK_CHARS:
        boundary = _TOKEN_BOUNDARY.search(text, start + CHUNK_CHARS, start + 2 * CHUNK_CHARS)
        end = boundary.end() if boundary else start + 2 * CHUNK_CHARS
        yield text[start:end], boundary is not None
        start = end
    yield text[start:], True
