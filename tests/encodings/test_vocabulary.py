"""The shipped vocabularies are the public ones, in less space."""

import hashlib
import zlib
from importlib.resources import files

import pytest

from langchain_control.encodings.definitions import DEFINITIONS
from langchain_control.encodings.vocabulary import from_tiktoken, pack, read, unpack
from tests.encodings.tiktoken_files import as_tiktoken

RANKS = {b"a": 0, b"b": 1, b"ab": 2}


def test_shipped_vocabulary_is_the_public_one(name):
    """The file rebuilt from the shipped vocabulary has the checksum that tiktoken demands."""
    rebuilt = as_tiktoken(read(name))
    assert hashlib.sha256(rebuilt).hexdigest() == DEFINITIONS[name].sha256


def test_vocabularies_add_little_to_the_wheel():
    """Both files together take at most 1.6 MB in a wheel."""
    shipped = [
        path for path in files("langchain_control.encodings").iterdir() if path.name[-4:] == ".bin"
    ]
    assert len(shipped) == 2
    assert sum(len(zlib.compress(path.read_bytes())) for path in shipped) <= 1_600_000


def test_packing_loses_nothing():
    """What was packed is unpacked, ranks and all."""
    assert unpack(pack(RANKS)) == RANKS


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\x01", pack(RANKS)[:-1], pack(RANKS) + b"x", pack(RANKS)[:5], b"\x02\0\0\0\x01\x01aa"],
    ids=["empty", "no count", "cut", "too long", "no tokens", "repeated token"],
)
def test_damaged_vocabulary_is_refused(damaged):
    """A vocabulary that is cut short, too long or inconsistent is never counted with."""
    with pytest.raises(ValueError, match="vocabulary"):
        unpack(damaged)


def test_ranks_with_gaps_are_refused():
    """The compact form has no place for a rank, so ranks must have no gaps."""
    with pytest.raises(ValueError, match="gaps"):
        pack({b"a": 0, b"b": 2})


def test_original_with_other_content_is_refused():
    """A file that is not the public one cannot become a vocabulary."""
    with pytest.raises(ValueError, match="expected a file with SHA-256 00"):
        from_tiktoken(as_tiktoken(RANKS), "00")
