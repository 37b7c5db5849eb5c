"""The texts that the guard's models learn from: public sources, and those written for this project.

A source is a JSON Lines file of `{"text", "label"}` (1 = attack). What was written for this project
stands in `guard_texts`: whole texts (`*.jsonl`, `short.txt` and so on), and patterns
in which braces hold alternatives, spelled out in several ways.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["OWN", "WRITTEN_OUT", "Sample", "own_samples", "public_samples", "variants"]

TEXTS = Path(__file__).parent / "guard_texts"
OWN = "guard_texts/"
VARIANTS, VARIANTS_PER_LANGUAGE = 12, 8
"""How often each pattern is spelled out."""
WRITTEN_OUT = 2.0
"""Weight of texts that were written one by one: no two are alike, as turns of one game are."""
WEIGHTS = {"planted": 0.5, "within": 0.5, "brief": 1.0, "formats": 1.0}
"""Those of texts in which most words are harmless though they hold an attack, and of short ones."""
TWINS = 20
"""Texts of a file that are held out together."""


class Sample(NamedTuple):
    """A labeled text."""

    source: str
    attack: bool
    text: str
    pattern: int = 0
    """What samples share that were spelled out of one pattern or written one after the other, as
    an attack and its harmless twin were; own texts only."""
    weight: float = 1.0
    """How much it counts in training."""

    @property
    def own(self) -> bool:
        """Whether it was written for this project."""
        return self.source.startswith(OWN)


def public_samples(folder: Path) -> Iterator[Sample]:
    """Read every JSON Lines file of a folder."""
    for file in sorted(folder.glob("*.jsonl")):
        for row in _rows(file):
            yield Sample(file.stem, bool(row["label"]), row["text"])


def own_samples() -> Iterator[Sample]:
    """Read the texts written for this project."""
    rng = random.Random(7)
    for name, attack in (("attacks", True), ("harmless", False)):
        patterns = _lines(f"{name}.txt")
        yield from _samples(name, (variants(p, VARIANTS, rng) for p in patterns), attack=attack)
    for name in ("hard_negatives", "short"):
        yield from _samples(name, ([line] for line in _lines(f"{name}.txt")))
    yield from _samples("roles", (role_prompts(*line.split("|")) for line in _lines("roles.txt")))
    code = (TEXTS / "code.txt").read_text(encoding="utf-8")
    yield from _samples("code", ([text] for text in code.split("\n===\n")))
    for number, line in enumerate(_lines("multilingual.tsv")):
        _, label, pattern = line.split("\t")
        for text in variants(pattern, VARIANTS_PER_LANGUAGE, rng):
            yield Sample(f"{OWN}multilingual", label == "1", text, number)
    for file in sorted(TEXTS.glob("*.jsonl")):
        for number, row in enumerate(_rows(file)):
            attack, written_together = bool(row["label"]), number // TWINS
            weight = WEIGHTS.get(file.stem, WRITTEN_OUT)
            yield Sample(OWN + file.stem, attack, row["text"], written_together, weight)


def _samples(
    name: str, spelled_out: Iterable[list[str]], *, attack: bool = False
) -> Iterator[Sample]:
    for number, texts in enumerate(spelled_out):
        for text in texts:
            yield Sample(OWN + name, attack, text, number)


def _lines(name: str) -> list[str]:
    return (TEXTS / name).read_text(encoding="utf-8").splitlines()


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def spell_out(pattern: str, rng: random.Random) -> str:
    """Choose one of the alternatives in each pair of braces."""
    return re.sub(r"\{([^{}]*)\}", lambda choices: rng.choice(choices[1].split("|")), pattern)


def variants(pattern: str, most: int, rng: random.Random) -> list[str]:
    """Spell a pattern out in up to so many ways."""
    return sorted({spell_out(pattern, rng) for _ in range(most)})


def role_prompts(role: str, task: str, request: str) -> list[str]:
    """Phrase an ordinary role play in the ways people do."""
    return [
        f"I want you to act as {role}. You will {task}. My first request is: {request}",
        f"Act as {role}. I give you input and you {task}. Reply only with the result. '{request}'",
        f"You are {role}. From now on {task} whenever I write something. {request}",
        f"Imagine you are {role} and {task}.",
    ]
