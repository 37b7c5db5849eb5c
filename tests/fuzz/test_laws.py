"""The laws hold for the texts the search begins with, and can be broken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_control.components.guard import InputGuard
from langchain_control.outcomes import Finding
from tests.fuzz import laws
from tests.fuzz.__main__ import repeat, text_of
from tests.fuzz.laws import LAWS
from tests.fuzz.seeds import seeds


@pytest.mark.parametrize("part", LAWS)
def test_the_laws_hold_for_our_own_texts(part):
    """Every literal of the tests, and every line of the benchmarks' texts."""
    texts = seeds(part)

    assert len(texts) > 100
    for text in texts:
        LAWS[part](text)


@pytest.mark.parametrize("part", LAWS)
@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=120))
def test_the_laws_hold_for_any_bytes(part, data):
    """Bytes that are not UTF-8 are lone surrogates, and those are texts, too."""
    LAWS[part](text_of(data))


def test_a_broken_law_is_noticed(monkeypatch, tmp_path):
    """A text that was found is judged again from its file."""
    nowhere = InputGuard(mode="observe", detectors=[lambda text: [Finding("x", "y", span=(1, 99))]])
    monkeypatch.setattr(laws, "OBSERVING", nowhere)
    found = tmp_path / "crash"
    found.write_bytes(b"\xff")

    with pytest.raises(AssertionError):
        repeat("guard", [found])
