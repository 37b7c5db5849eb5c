"""The words that disguised words are recognized by."""

from __future__ import annotations

from langchain_control.detectors import vocabulary
from langchain_control.detectors.vocabulary import WORDS_FILE


def test_the_file_is_small_and_in_order():
    """Each word stands once, in the letters that remain when a text is normalized."""
    words = WORDS_FILE.read_text(encoding="ascii").split()

    assert WORDS_FILE.stat().st_size <= 100_000
    assert len(words) == len(set(words)) > 5_000
    assert all(word.isalpha() and word.islower() for word in words)


def test_no_disguise_is_a_word():
    """A word that is another one backwards says nothing of how a text is to be read."""
    assert {"live", "evil", "raw", "war"} <= vocabulary.known()
    assert not vocabulary.known() & (vocabulary.backwards() | vocabulary.in_rot13())


def test_of_words_of_one_shape_the_more_frequent_is_meant():
    """Both are made of the same letters, with the same ones at the ends."""
    words = WORDS_FILE.read_text(encoding="ascii").split()
    shape = vocabulary.shape_of("form")

    assert shape == vocabulary.shape_of("from")
    assert vocabulary.by_shape("f")[shape] == min(("form", "from"), key=words.index)
