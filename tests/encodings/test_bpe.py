"""Counts are tiktoken's, on any text."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_control.encodings import bpe, tokenizer_for

MEGABYTE = 1_000_000


def test_20000_random_texts_give_the_ids_of_tiktoken(name, references, random_text):
    """No token id differs from tiktoken's on 20,000 texts of mixed scripts, code and emoji."""
    rng, tokenizer = random.Random(20_000), tokenizer_for(name)
    texts = [random_text(rng, rng.randrange(40)) for _ in range(20_000)]
    reference = references[name].encode_ordinary
    assert [text for text in texts if tokenizer.encode(text) != reference(text)] == []


def test_corpora_give_the_ids_of_tiktoken(name, references):
    """Nor on source code and documents, whole or cut into chunks."""
    root = Path(__file__).parents[2]
    files = [*root.glob("langchain_control/*.py"), *root.glob("docs/**/*.md")]
    corpus = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert tokenizer_for(name).encode(corpus) == references[name].encode_ordinary(corpus)


@pytest.mark.parametrize(
    ("encoding", "text", "ids"),
    [
        ("cl100k_base", "tiktoken is great!", [83, 1609, 5963, 374, 2294, 0]),
        ("cl100k_base", "hello world", [15339, 1917]),
        ("o200k_base", "hello world", [24912, 2375]),
    ],
)
def test_known_ids(encoding, text, ids):
    """The ids documented for tiktoken come out."""
    assert tokenizer_for(encoding).encode(text) == ids


def test_special_tokens_are_text(name):
    """A text that spells a special token is counted as the characters it is made of."""
    assert tokenizer_for(name).count("<|endoftext|>") == 7


def test_lone_surrogates_are_counted(name, references):
    """Half a surrogate pair counts like U+FFFD, a whole pair like its character."""
    tokenizer, reference = tokenizer_for(name), references[name].encode_ordinary
    assert tokenizer.encode("a\ud800b") == reference("a\ufffdb")
    assert tokenizer.encode("\ud83d\ude00") == reference("😀")


@pytest.mark.parametrize("unit", [" ", " \n", "A", "中", "\ud800"])
def test_a_megabyte_without_a_word_boundary_is_counted(name, unit):
    """A megabyte of one character, blanks included, raises nothing."""
    assert tokenizer_for(name).count(unit * (MEGABYTE // len(unit)) + "x") > 7_000


def test_chunks_of_ordinary_text_count_exactly(name, references, random_text, monkeypatch):
    """Cutting a long text at word boundaries changes no token."""
    monkeypatch.setattr(bpe, "CHUNK_CHARS", 40)
    rng, tokenizer = random.Random(1), tokenizer_for(name)
    exact = 0
    for _ in range(1_000):
        # Pairs are left out: a cut between two surrogates is never a word boundary.
        text = random_text(rng, 300).encode("utf-8", "ignore").decode()
        ids, seams = tokenizer._encode(text)
        if not seams:
            exact += 1
            assert ids == references[name].encode_ordinary(text)
    assert exact > 300


def test_chunks_of_other_text_are_never_undercounted(name, references, random_text, monkeypatch):
    """Where there is no word boundary to cut at, the count is an upper bound."""
    monkeypatch.setattr(bpe, "CHUNK_CHARS", 10)
    rng, tokenizer = random.Random(2), tokenizer_for(name)
    for _ in range(2_000):
        text = "".join(rng.choices(random_text(rng, 3), k=rng.randrange(20, 200)))
        assert tokenizer.count(text) >= len(references[name].encode_ordinary(text))


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=300), limit=st.integers(0, 80))
def test_a_cut_text_is_a_prefix_that_fits(text, limit):
    """Whatever the text and the limit, cutting gives a prefix that counts at most the limit."""
    tokenizer = tokenizer_for("cl100k_base")
    cut = tokenizer.truncate(text, limit)
    assert text.startswith(cut)
    assert tokenizer.count(cut) <= limit
    assert cut == text or tokenizer.count(text) > limit


def test_a_cut_text_is_counted_again():
    """A token that ends inside a character may be worth two tokens without that character."""
    tokenizer = tokenizer_for("cl100k_base")
    text = "в раж"
    assert len(tokenizer.encode(text)) == 3
    assert tokenizer.count(text[:-1]) == 3  # what is left of the first two tokens of the text
    assert tokenizer.truncate(text, 2) == "в"


def test_a_cut_text_is_nearly_full(name, random_text):
    """From 50 tokens on, at least 98 % of the limit is used, or the next character does not fit."""
    rng, tokenizer = random.Random(3), tokenizer_for(name)
    for _ in range(400):
        limit = rng.randrange(50, 300)
        text = random_text(rng, 2_000).encode("utf-8", "ignore").decode()
        cut = tokenizer.truncate(text, limit)
        with_next = tokenizer.count(text[: len(cut) + 1])
        assert tokenizer.count(cut) >= 0.98 * limit or with_next > limit


def test_a_cut_text_is_valid_utf8(name):
    """Characters of several tokens are kept whole, and surrogates do not survive a cut."""
    tokenizer = tokenizer_for(name)
    text = "👩‍👩‍👧\ud800한국어" * 20
    for limit in range(30):
        cut = tokenizer.truncate(text, limit)
        assert tokenizer.count(cut) <= limit
        assert text.replace("\ud800", "\ufffd").startswith(cut)
        assert cut.encode().decode() == cut


def test_cutting_reads_as_much_as_the_limit_asks_not_the_whole_text(name):
    """A cut to 1,000 tokens encodes a bounded part of the text, however long that is."""
    tokenizer = tokenizer_for(name)
    sentence = "The breaker opens after five failures, waits, and lets one probe through. "

    class Watched(str):
        __slots__ = ("furthest",)

        def __getitem__(self, key):
            if isinstance(key, slice) and key.stop is not None:
                self.furthest = max(getattr(self, "furthest", 0), key.stop)
            return super().__getitem__(key)

    text = Watched(sentence * 27_000)
    assert tokenizer.truncate(text, 1_000) == tokenizer.truncate(sentence * 270, 1_000)
    assert 0 < text.furthest < len(text) / 10
