"""The constants of an encoding are those of the installed tiktoken."""

from langchain_control.encodings.definitions import DEFINITIONS
from langchain_control.encodings.vocabulary import read


def test_pattern_and_special_tokens_are_those_of_tiktoken(name, public):
    """What defines an encoding besides its ranks agrees with `tiktoken_ext.openai_public`."""
    assert DEFINITIONS[name].pattern == public[name]["pat_str"]
    assert dict(DEFINITIONS[name].special_tokens) == public[name]["special_tokens"]


def test_checksum_is_that_of_tiktoken(name, public):
    """A file that passes our check also passes the one in tiktoken's source, and is whole."""
    assert public[name]["mergeable_ranks"] == read(name)
