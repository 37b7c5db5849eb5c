"""Names in stores: one for each key of each owner."""

from hypothesis import given
from hypothesis import strategies as st

from langchain_control.stores.keys import joined

PARTS = st.text("a:\\", max_size=6)
KEYS = st.tuples(PARTS, st.none() | PARTS)


@given(KEYS, KEYS)
def test_no_two_keys_share_a_name(one, other):
    """Whatever is in them."""
    assert (joined(*one) == joined(*other)) == (one == other)


def test_ordinary_names_are_readable():
    """A key may have a tag, as models of Ollama do, and a name its share of percent signs."""
    assert joined("rate", "ann") == "rate:ann"
    assert joined("model", "llama3:8b") == "model:llama3:8b"
    assert joined("model", None) == "model"
    assert joined("50%", "ann") == "50%:ann"
    assert joined("team:chat", "ann") == r"team\:chat:ann"
