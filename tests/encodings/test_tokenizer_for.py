"""A name leads to the right tokenizer, loaded once."""

import subprocess
import sys
import threading
import warnings

import pytest
import tiktoken
import tiktoken.registry

from langchain_control import encodings
from langchain_control.encodings import TokenCountWarning, bpe, encoding_name, tokenizer_for


@pytest.fixture
def unloaded(monkeypatch):
    """A process that has not loaded a tokenizer yet."""
    monkeypatch.setattr(encodings, "_loaded", {})


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("cl100k_base", "cl100k_base"),
        ("o200k_base", "o200k_base"),
        ("gpt-4o", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("openai:gpt-4o-mini", "o200k_base"),
        ("openai/o1", "o200k_base"),
        ("openrouter/openai/gpt-4o", "o200k_base"),
        ("ft:gpt-4o:acme::id", "o200k_base"),
        ("gpt-oss-20b", "o200k_harmony"),
        ("anthropic:claude", "anthropic:claude"),
        ("", ""),
        ("::/", "::/"),
    ],
)
def test_models_lead_to_their_encoding(name, encoding):
    """Encodings and models are known, with or without a provider; other names stay as they are."""
    assert encoding_name(name) == encoding


def test_shipped_encodings_are_exact(name):
    """The shipped encodings count exactly, under their own name."""
    assert tokenizer_for(name).exact
    assert tokenizer_for(name).name == name


def test_a_tokenizer_is_loaded_once():
    """A model and its encoding share one tokenizer."""
    assert tokenizer_for("gpt-4o") is tokenizer_for("o200k_base") is tokenizer_for("o200k_base")


@pytest.mark.usefixtures("unloaded")
def test_threads_share_one_load():
    """Threads that count for the first time at the same moment load the vocabulary once."""
    found = []
    barrier = threading.Barrier(8)

    def count():
        barrier.wait()
        found.append(tokenizer_for("cl100k_base"))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


@pytest.mark.usefixtures("unloaded")
def test_an_unknown_encoding_warns_once():
    """An unknown name is estimated, with one warning in the life of the process."""
    with pytest.warns(TokenCountWarning, match="no vocabulary is known for `acme`"):
        tokenizer = tokenizer_for("acme")
    assert not tokenizer.exact
    assert tokenizer_for("acme").count("hello world") == 2  # a warning would be an error here


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("trouble", [FileNotFoundError, ValueError])
def test_a_missing_vocabulary_warns_once(trouble, monkeypatch):
    """A vocabulary that is not there or damaged is replaced by an estimate and one warning."""

    def read(name):
        raise trouble(name)

    monkeypatch.setattr(bpe, "read", read)
    with pytest.warns(TokenCountWarning, match="`o200k_base` is missing or damaged"):
        tokenizer = tokenizer_for("gpt-4o")
    assert not tokenizer.exact
    assert tokenizer_for("o200k_base") is tokenizer


@pytest.mark.usefixtures("unloaded")
def test_a_warning_made_an_error_is_raised_once():
    """Where warnings are errors the first count says so; later ones are not disturbed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TokenCountWarning):
            tokenizer_for("acme")
        assert tokenizer_for("acme").count("hello world") == 2


@pytest.mark.usefixtures("unloaded")
def test_encodings_loaded_by_the_application_are_used(monkeypatch):
    """An encoding that tiktoken already holds in memory counts exactly."""
    encoding = tiktoken.Encoding(
        "acme",
        pat_str=r"\S+|\s+",
        mergeable_ranks={bytes([b]): b for b in range(256)},
        special_tokens={},
    )
    monkeypatch.setitem(tiktoken.registry.ENCODINGS, "acme", encoding)
    assert tokenizer_for("acme").exact
    assert tokenizer_for("acme").count("abc") == 3


def test_nothing_is_registered_and_no_variable_is_set():
    """Counting leaves tiktoken's registry and the environment as they were."""
    code = (
        "import os; before = dict(os.environ)\n"
        "from langchain_control.encodings import tokenizer_for\n"
        "assert tokenizer_for('gpt-4o').count('x') == 1\n"
        "import tiktoken.registry as registry\n"
        "assert not registry.ENCODINGS and registry.ENCODING_CONSTRUCTORS is None\n"
        "assert dict(os.environ) == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_loads_nothing():
    """Importing the package loads neither tiktoken nor a vocabulary."""
    code = "import sys, langchain_control.encodings; assert 'tiktoken' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
