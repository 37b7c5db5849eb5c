"""Finding many words in one pass."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from langchain_control.detectors.anchors import HEAD, Anchors


def test_every_word_that_begins_in_a_place_is_found():
    """Words that begin alike, or inside of one another, do not hide one another."""
    anchors = Anchors(["tell me", "tell", "me what", "tell mother"])

    assert list(anchors.find("tell me what")) == [(0, "tell me"), (0, "tell"), (5, "me what")]


def test_a_character_before_can_be_asked_for():
    """Of the places of a word only those behind such a character count."""
    anchors = Anchors(["act"], after=r"\W")

    assert list(anchors.find(" act, react (act)")) == [(1, "act"), (13, "act")]


def test_without_words_nothing_is_found():
    """A detector may have rules of one kind only."""
    assert not list(Anchors([]).find("anything"))


SHORT = st.text("ab.", min_size=1, max_size=HEAD + 2)


@given(st.lists(SHORT, unique=True, max_size=12), st.text("ab. ", max_size=40))
def test_it_finds_what_looking_for_each_word_finds(words, text):
    """The arrangement of the words changes the time it takes and nothing else."""
    found = [
        (place, word)
        for place in range(1, len(text))
        for word in words
        if text.startswith(word, place) and re.match(r"\W", text[place - 1])
    ]

    assert list(Anchors(words, after=r"\W").find(text)) == found
