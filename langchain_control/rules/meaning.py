"""What an answer must say in other words, as far as an embedding model can tell."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar, Protocol, runtime_checkable

from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer

__all__ = ["Embedder", "Expresses"]

MAX_SENTENCES, SENTENCE_CHARS = 64, 500
"""How much of an answer is embedded: embedding is the expensive part."""

_SENTENCE = re.compile(r"[^.!?\n\u3002\uff01\uff1f]+")


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors. Every `Embeddings` of LangChain is one."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector for each text, all of the same length."""


@dataclass(frozen=True)
class Expresses:
    """Compare an answer with what it should say by meaning instead of wording.

    By default it rejects nothing, and its score stands in the verdict as `scores.meaning`. The best
    embedding models that run on a CPU are right about "the same meaning" roughly two times in
    three, and none sees a negation: "we refund" and "we do not refund" are neighbors. Give
    `min_score` to reject nevertheless.
    """

    failure_mode: ClassVar[FailureMode] = FailureMode.HALLUCINATION

    statements: Sequence[str]
    embedder: Embedder
    min_similarity: float = 0.75
    """Cosine from which a sentence counts as saying a statement. Depends on the model."""
    min_score: float | None = None
    """Share of the statements that must be said for the answer to pass. Unset, none need be."""

    @property
    def ranks(self) -> bool:
        """Whether it only ranks answers, and rejects none."""
        return self.min_score is None

    def similarities(self, answer: Answer) -> list[float]:
        """Return for every statement the cosine of the sentence that comes nearest."""
        found = (match[0].strip()[:SENTENCE_CHARS] for match in _SENTENCE.finditer(answer.prose))
        sentences = list(islice(filter(None, found), MAX_SENTENCES))
        if not sentences:
            return [0.0] * len(self.statements)
        vectors = self.embedder.embed_documents([*self.statements, *sentences])
        wanted, said = vectors[: len(self.statements)], vectors[len(self.statements) :]
        return [max(_cosine(vector, other) for other in said) for vector in wanted]

    def score(self, answer: Answer) -> float:
        """Return the share of the statements that the answer makes, from 0 to 1."""
        similarities = self.similarities(answer)
        return sum(s >= self.min_similarity for s in similarities) / len(similarities)

    def check(self, answer: Answer) -> Violation | None:
        """Compare the share with `min_score`, if one was given."""
        if self.min_score is None:
            return None
        score = self.score(answer)
        if score >= self.min_score:
            return None
        expected = f"at least {self.min_score:.0%} of {len(self.statements)} statements"
        return Violation(rule="expresses", expected=expected, found=f"{score:.0%}")

    def __post_init__(self) -> None:
        """Refuse an empty list, of which no share can be taken."""
        if not self.statements:
            msg = "`statements` must not be empty"
            raise ValueError(msg)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    norms = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / norms if norms else 0.0
