"""What an answer must say in other words, as far as an embedding model can tell."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, NamedTuple, Protocol, cast, runtime_checkable

from langchain_core.embeddings import Embeddings

from langchain_control._effects import Call
from langchain_control._threads import BoundedThreads
from langchain_control._waiting import MAX_SECONDS
from langchain_control.errors import classify
from langchain_control.outcomes import FailureMode, Violation
from langchain_control.rules.answer import Answer
from langchain_control.rules.several import refuse_one_text

__all__ = ["Embedder", "Expresses", "Measured"]

MAX_SENTENCES, SENTENCE_CHARS = 64, 500
"""How much of an answer is embedded: embedding is the expensive part."""

_THREADS = BoundedThreads()
"""Where embedders without async run: those that hang would fill the event loop's own executor."""

_IN_THE_LOOPS_EXECUTOR = Embeddings.aembed_documents

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
    """What the answer should say, a sentence each."""
    embedder: Embedder
    """Turns texts into vectors: any `Embeddings` of LangChain, such as `LocalEmbedder`."""
    min_similarity: float = 0.75
    """Cosine from which a sentence counts as saying a statement. Depends on the model."""
    min_score: float | None = None
    """Share of the statements that must be said for the answer to pass. Unset, none need be.

    If the embedder fails as providers do, with a timeout perhaps, an answer that is only ranked
    passes without a score; one that must pass fails like a model call. Other errors are raised.
    """

    @property
    def ranks(self) -> bool:
        """Whether it only ranks answers, and rejects none."""
        return self.min_score is None

    def similarities(self, answer: Answer) -> list[float]:
        """Return for every statement the cosine of the sentence that comes nearest."""
        texts = self._texts(answer)
        return self._nearest(self.embedder.embed_documents(texts) if texts else [])

    def score(self, answer: Answer) -> float:
        """Return the share of the statements that the answer makes, from 0 to 1."""
        return self._share(self.similarities(answer))

    async def ascore(self, answer: Answer) -> float:
        """Return the same by the embedder's `aembed_documents`, or in a thread."""
        texts = self._texts(answer)
        return self._share(self._nearest(await _aembed(self.embedder, texts) if texts else []))

    def measuring(self, answer: Answer) -> Call:
        """Return the effect of taking the score, which gives a `Measured`."""
        return Call(cast("Any", _Measuring(self)), answer, None)

    def check(self, answer: Answer) -> Violation | None:
        """Compare the share with `min_score`, if one was given."""
        return None if self.min_score is None else self.verdict_on(self.score(answer))

    def verdict_on(self, score: float) -> Violation | None:
        """Compare a score with `min_score`, if one was given."""
        if self.min_score is None or score >= self.min_score:
            return None
        expected = f"at least {self.min_score:.0%} of {len(self.statements)} statements"
        return Violation(rule="expresses", expected=expected, found=f"{score:.0%}")

    def _texts(self, answer: Answer) -> list[str]:
        """List what is to be embedded: the statements, then the sentences, if there are any."""
        said = "\n".join(answer.said)
        found = (match[0].strip()[:SENTENCE_CHARS] for match in _SENTENCE.finditer(said))
        sentences = list(islice(filter(None, found), MAX_SENTENCES))
        return [*self.statements, *sentences] if sentences else []

    def _nearest(self, vectors: Sequence[Sequence[float]]) -> list[float]:
        wanted, said = vectors[: len(self.statements)], vectors[len(self.statements) :]
        if not said:
            return [0.0] * len(self.statements)
        return [max(_cosine(vector, other) for other in said) for vector in wanted]

    def _share(self, similarities: Sequence[float]) -> float:
        return sum(s >= self.min_similarity for s in similarities) / len(similarities)

    def __post_init__(self) -> None:
        """Refuse one text, and an empty list, of which no share can be taken."""
        refuse_one_text("statements", self.statements)
        if not self.statements:
            msg = "`statements` must not be empty"
            raise ValueError(msg)


class Measured(NamedTuple):
    """A score, or why there is none."""

    score: float | None
    failure_mode: FailureMode = FailureMode.NONE


class _Measuring:
    """Takes a score, sync or async; called as a Runnable is, without a run of its own."""

    def __init__(self, rule: Expresses) -> None:
        self._rule = rule

    def invoke(self, answer: Answer, config: object = None) -> Measured:  # noqa: ARG002
        try:
            return Measured(self._rule.score(answer))
        except Exception as exc:
            if (mode := classify(exc)) is None:
                raise
            return Measured(None, mode)

    async def ainvoke(self, answer: Answer, config: object = None) -> Measured:  # noqa: ARG002
        try:
            return Measured(await self._rule.ascore(answer))
        except Exception as exc:
            if (mode := classify(exc)) is None:
                raise
            return Measured(None, mode)


async def _aembed(embedder: Any, texts: list[str]) -> list[list[float]]:
    aembed = getattr(embedder, "aembed_documents", None)
    if aembed is not None and getattr(aembed, "__func__", None) is not _IN_THE_LOOPS_EXECUTOR:
        return await aembed(texts)  # type: ignore[no-any-return]
    thread = await _THREADS.atake(MAX_SECONDS)
    return await thread.arun(lambda: embedder.embed_documents(texts), MAX_SECONDS)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    norms = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / norms if norms else 0.0
