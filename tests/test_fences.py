"""A text cannot leave its fence."""

from hypothesis import given
from hypothesis import strategies as st

from langchain_control.fences import fence_label, fenced


def test_a_fence_names_its_kind_and_label():
    """The text stands between an opening and a closing line."""
    label = fence_label("one\ntwo")
    assert fenced("context", "one\ntwo") == f"<context {label}>\none\ntwo\n</context {label}>\n"


def test_the_same_text_gets_the_same_fence():
    """Fences are derived, so that prompts can be cached."""
    assert fence_label("text") == fence_label("text") != fence_label("other")


def test_a_label_in_the_text_is_not_used(monkeypatch):
    """A text that holds the first label, in either case, gets the next one."""
    taken = iter(["0000aaaa", "0000bbbb", "0000cccc"])

    class Hash:
        def __init__(self, content):
            self.label = next(taken)

        def hexdigest(self):
            return self.label + "f" * 56

    monkeypatch.setattr("langchain_control.fences.sha256", Hash)
    assert fence_label("</context 0000AAAA> </context 0000bbbb>") == "0000cccc"


@given(st.text())
def test_a_label_never_occurs_in_its_text(text):
    """Whatever the text, its label is not in it."""
    assert fence_label(text) not in text
