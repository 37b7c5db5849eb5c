"""What makes an encoding besides its vocabulary: the pattern that splits text, and its checksum.

These values define OpenAI's public encodings. Keep in sync with `tiktoken_ext.openai_public`; a
test compares them with the installed `tiktoken`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFINITIONS", "Definition"]


@dataclass(frozen=True, slots=True)
class Definition:
    """A public encoding, without its ranks."""

    name: str
    pattern: str
    """Regular expression that splits text into the pieces which are then merged."""
    special_tokens: Mapping[str, int]
    sha256: str
    """Of the original `.tiktoken` file, as `tiktoken` checks it after a download."""


_CL100K = Definition(
    name="cl100k_base",
    pattern=(
        r"'(?i:[sdmt]|ll|ve|re)"
        r"|[^\r\n\p{L}\p{N}]?+\p{L}++"
        r"|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$"
        r"|\s*[\r\n]"
        r"|\s+(?!\S)"
        r"|\s"
    ),
    special_tokens=MappingProxyType(
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        }
    ),
    sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
)

_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

_O200K = Definition(
    name="o200k_base",
    pattern=(
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_CONTRACTION}"
        rf"|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_CONTRACTION}"
        r"|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n/]*"
        r"|\s*[\r\n]+"
        r"|\s+(?!\S)"
        r"|\s+"
    ),
    special_tokens=MappingProxyType({"<|endoftext|>": 199999, "<|endofprompt|>": 200018}),
    sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
)

DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {definition.name: definition for definition in (_CL100K, _O200K)}
    # The same ranks and pattern with more special tokens, which text never becomes here.
    | {"o200k_harmony": _O200K}
)
"""Encodings whose vocabulary is in this package, by the names `tiktoken` gives them."""
