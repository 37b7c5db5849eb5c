"""Any function can count."""

from hypothesis import given
from hypothesis import strategies as st

from langchain_control.encodings.counting import CountingTokenizer

WORDS = CountingTokenizer(lambda text: len(text.split()), name="words", exact=True)


def test_the_function_counts():
    """The count is what the function says."""
    assert WORDS.count("one two three") == 3


def test_the_function_never_sees_lone_surrogates():
    """What UTF-8 cannot express is replaced before the function is asked."""
    seen = []
    CountingTokenizer(lambda text: seen.append(text) or 1, name="spy", exact=True).count("a\ud800")
    assert seen == ["a\ufffd"]


@given(text=st.text(alphabet="ab \ud800", max_size=200), limit=st.integers(0, 30))
def test_a_cut_text_fits(text, limit):
    """A cut text counts at most the limit and comes back whole if it did so before."""
    cut = WORDS.truncate(text, limit)
    assert WORDS.count(cut) <= limit
    assert text.replace("\ud800", "\ufffd").startswith(cut)
    if limit and WORDS.count(text) <= limit:
        assert len(cut) == len(text)


def test_a_cut_text_is_full():
    """As much of the text is kept as the function allows."""
    assert WORDS.truncate("word " * 10_000, 100).split() == ["word"] * 100
