"""The compact form of a vocabulary, and the original it must reproduce.

Ranks of the public encodings count from 0 without gaps and no token is longer than 255 bytes, so a
list of tokens says everything: the number of tokens (32 bits, little-endian), one length byte per
token, then all tokens end to end. It is half the size of the original and loads faster.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from importlib.resources import files
from itertools import accumulate, pairwise

__all__ = ["from_tiktoken", "pack", "read", "unpack"]

_COUNT = struct.Struct("<I")


def read(name: str) -> dict[bytes, int]:
    """Return the ranks of a shipped encoding.

    Raises:
        OSError: The file is not there.
        ValueError: The file is damaged.
    """
    return unpack((files(__package__) / f"{name}.bin").read_bytes())


def pack(ranks: dict[bytes, int]) -> bytes:
    """Return the compact form.

    Raises:
        ValueError: Ranks have gaps, or a token is longer than 255 bytes.
    """
    tokens = sorted(ranks, key=ranks.__getitem__)
    if [ranks[token] for token in tokens] != list(range(len(tokens))):
        msg = "ranks must count from 0 without gaps"
        raise ValueError(msg)
    return _COUNT.pack(len(tokens)) + bytes(map(len, tokens)) + b"".join(tokens)


def unpack(packed: bytes) -> dict[bytes, int]:
    """Return the ranks in a compact form.

    Raises:
        ValueError: The form is cut short, too long, or repeats a token.
    """
    if len(packed) < _COUNT.size:
        msg = "vocabulary is cut short"
        raise ValueError(msg)
    (count,) = _COUNT.unpack_from(packed)
    start = _COUNT.size + count
    ends = list(accumulate(packed[_COUNT.size : start], initial=start))
    ranks = {packed[a:b]: rank for rank, (a, b) in enumerate(pairwise(ends))}
    if ends[-1] != len(packed) or len(ranks) != count:
        msg = f"vocabulary of {count} tokens does not match its {len(packed)} bytes"
        raise ValueError(msg)
    return ranks


def from_tiktoken(original: bytes, sha256: str) -> dict[bytes, int]:
    """Return the ranks in an original `.tiktoken` file.

    Raises:
        ValueError: The file is not the one with this checksum.
    """
    found = hashlib.sha256(original).hexdigest()
    if found != sha256:
        msg = f"expected a file with SHA-256 {sha256}, found {found}"
        raise ValueError(msg)
    pairs = (line.split() for line in original.splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}
