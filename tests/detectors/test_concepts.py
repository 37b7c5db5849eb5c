"""Concepts: the same in every language, whole words where stems would say too much."""

from __future__ import annotations

import pytest

from langchain_control.detectors.concepts import concept_of, concepts_of, names


def concept(name: str) -> int:
    return names().index(name) + 1


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("instructions", "rules"),
        ("anweisungen", "rules"),
        ("ignoriere", "drop"),
        ("забудь", "drop"),
        ("contrasena", "password"),
        ("पासवर्ड", "password"),
    ],
)
def test_a_word_has_a_concept_in_any_of_its_forms(word, name):
    """A stem stands for the words that begin with it."""
    assert concept_of(word) == concept(name)


@pytest.mark.parametrize("word", ["pasta", "method", "version", "weather", "", "a"])
def test_words_that_only_begin_alike_have_none(word):
    """Short words count only as a whole: `past` is no `pasta`."""
    assert concept_of(word) == 0


def test_two_words_make_one_concept():
    """Where words are written in syllables, the last one has the concept."""
    assert concepts_of(["mat", "khau"], [0, 0]) == [0, concept("password")]


def test_characters_make_one_concept():
    """Where there are no blanks, the first character has it, and the longest match counts."""
    assert concepts_of(["密", "码"], [0, 0]) == [concept("password"), 0]


def test_every_concept_can_be_stored_in_a_byte():
    """Pairs are hashed as two bytes."""
    assert 0 < len(names()) < 256
