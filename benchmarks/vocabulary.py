"""Gather the words the guard recognizes disguised words by: `python -m benchmarks.vocabulary`.

They come from the texts that were written for this project, in all their languages, and are stored
with the package, those that stand in most lines first.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from benchmarks.guard_corpus import TEXTS
from langchain_control.detectors.disguises import COMMON_DISGUISED
from langchain_control.detectors.folding import fold
from langchain_control.detectors.vocabulary import WORDS_FILE

__all__ = ["main"]

MIN_LINES = 3
"""Lines in which a word stands: what stands in fewer is a name or a misspelling as often as not."""
MAX_LETTERS = 20


def _lines() -> Iterator[str]:
    for file in sorted(TEXTS.iterdir()):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["text"] if file.suffix == ".jsonl" else line


def main() -> None:
    """Write the file."""
    lines = Counter[str]()
    for line in _lines():
        lines.update(set(re.findall(r"[a-z]+", fold(line).lower())))
    often = [
        word
        for word in lines.keys() - COMMON_DISGUISED
        if lines[word] >= MIN_LINES and len(word) <= MAX_LETTERS
    ]
    often.sort(key=lambda word: (-lines[word], word))
    WORDS_FILE.write_text("\n".join(often) + "\n", encoding="ascii")
    print(f"{len(often)} words")


if __name__ == "__main__":
    main()
