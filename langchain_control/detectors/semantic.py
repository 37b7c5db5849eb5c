"""Tier 3: models that judge meaning. Nothing is downloaded.

`MiniLMDetector` is a small one, whose weights are a package of their own. The others are adapters
for what you bring. Such a model is slow compared with the other tiers, so the guard asks it only
when those are in doubt (`InputGuard(second_opinion=…)`). It can also stand among the `detectors`
and be asked always.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from langchain_control._at_fork import ForkSafeLock
from langchain_control.detectors.model import both_ends
from langchain_control.detectors.normalize import normalize
from langchain_control.detectors.severity import severity_of
from langchain_control.outcomes import Finding

__all__ = ["MiniLMDetector", "OnnxDetector", "ScoreDetector"]

MEDIUM, HIGH = 0.5, 0.95

OVERLAP = 4
"""Pieces of a text share one token in so many with the piece before."""

MAX_PIECES = 16
"""Of a text in more pieces the first and the last half of so many are judged, to bound the work."""

CHARS_OF_A_TOKEN = 8
"""Hardly a text has more: longer ones are cut in the middle before they are split into tokens."""


class ScoreDetector:
    """Make a detector of a function that returns the probability of an attack.

    For Prompt Guard, Lakera, an LLM as judge, or anything else that answers with a number. The
    function may be async; then the guard has to be called with `ainvoke` or `ainspect`.

    !!! example "An LLM as judge"

        ```python
        async def judge(text: str) -> float:
            answer = await (prompt | model).ainvoke({"text": text})
            return 1.0 if "attack" in answer.text else 0.0

        guard = InputGuard(second_opinion=ScoreDetector(judge, name="judge"))
        ```
    """

    def __init__(
        self,
        score: Callable[[str], float | Awaitable[float]],
        *,
        name: str = "score",
        category: str = "LLM01",
    ) -> None:
        """Keep the function; findings carry `semantic.<name>` as their rule."""
        self.score = score
        self.name = name
        self.category = category

    def detect(self, text: str) -> Sequence[Finding] | Awaitable[Sequence[Finding]]:
        """Return one finding with the score, whatever it is: the threshold is the guard's."""
        score = self.score(text)
        if inspect.isawaitable(score):
            return self._awaited(score)
        return self._findings(score)

    async def _awaited(self, score: Awaitable[float]) -> Sequence[Finding]:
        return self._findings(await score)

    def _findings(self, score: float) -> Sequence[Finding]:
        probability = min(1.0, max(0.0, float(score)))
        return [
            Finding(
                rule=f"semantic.{self.name}",
                category=self.category,
                severity=severity_of(probability, medium=MEDIUM, high=HIGH),
                score=probability,
                tier="semantic",
            )
        ]

    def __repr__(self) -> str:
        """Show the name."""
        return f"{type(self).__name__}({self.name!r})"


class _Settings(NamedTuple):
    """What an `OnnxDetector` was made with."""

    model: str
    tokenizer: str
    attack_label: int
    max_tokens: int
    name: str


class OnnxDetector(ScoreDetector):
    """Ask a text classifier in ONNX format, on the CPU. Needs the extra `[semantic]`.

    Takes any sequence classifier with a `tokenizers` vocabulary: a fine-tuned MiniLM, DeBERTa or
    Prompt Guard, exported with the usual tools. A text longer than `max_tokens` is judged in
    overlapping pieces, of which the worst counts. The files are read on the first call.
    """

    def __init__(
        self,
        model: str | Path,
        tokenizer: str | Path,
        *,
        attack_label: int = 1,
        max_tokens: int = 512,
        name: str = "onnx",
    ) -> None:
        """Name the files.

        Args:
            model: The ONNX file.
            tokenizer: The `tokenizer.json` that goes with it.
            attack_label: Which of the model's outputs means an attack. For a model with a single
                output it is ignored: that output is the log-odds of an attack.
            max_tokens: The length of a piece: what the model was trained for.
            name: Findings carry `semantic.<name>` as their rule.

        Raises:
            FileNotFoundError: One of the files does not exist.
        """
        super().__init__(self._probability, name=name)
        for path in (model, tokenizer):
            if not Path(path).is_file():
                msg = f"no such file: {path}"
                raise FileNotFoundError(msg)
        self.settings = _Settings(str(model), str(tokenizer), attack_label, max_tokens, name)
        self._lock = ForkSafeLock()
        self._loaded: tuple[Any, Any] | None = None

    def _probability(self, text: str) -> float:
        session, tokenizer = self._ready()
        shown = both_ends(text, MAX_PIECES * self.settings.max_tokens * CHARS_OF_A_TOKEN)
        encoded = tokenizer.encode(shown)
        pieces = [encoded, *encoded.overflowing]
        if len(pieces) > MAX_PIECES:
            pieces = pieces[: MAX_PIECES // 2] + pieces[-MAX_PIECES // 2 :]
        return max(self._probability_of(piece, session) for piece in pieces)

    def _probability_of(self, piece: Any, session: Any) -> float:
        import numpy as np  # noqa: PLC0415  (comes with onnxruntime)

        offered = {
            "input_ids": piece.ids,
            "attention_mask": piece.attention_mask,
            "token_type_ids": piece.type_ids,
        }
        wanted = {given.name for given in session.get_inputs()}
        feed = {name: np.array([ids], np.int64) for name, ids in offered.items() if name in wanted}
        logits = np.asarray(session.run(None, feed)[0][0], np.float64).ravel()
        if logits.size == 1:
            return float(1 / (1 + np.exp(-logits[0])))
        odds = np.exp(logits - logits.max())
        return float(odds[self.settings.attack_label] / odds.sum())

    def _ready(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> tuple[Any, Any]:
        try:
            import onnxruntime  # noqa: PLC0415  (an extra)
            from tokenizers import Tokenizer  # noqa: PLC0415  (an extra)
        except ImportError as exc:
            msg = "`OnnxDetector` needs onnxruntime and tokenizers: install the extra `[semantic]`"
            raise ImportError(msg) from exc
        max_tokens = self.settings.max_tokens
        tokenizer = Tokenizer.from_file(self.settings.tokenizer)
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens, stride=max_tokens // OVERLAP)
        session = onnxruntime.InferenceSession(
            self.settings.model, providers=["CPUExecutionProvider"]
        )
        return session, tokenizer

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings; the files are read again where they are used."""
        return partial(OnnxDetector, **self.settings._asdict()), ()


class MiniLMDetector(OnnxDetector):
    """Ask the small transformer that was fine-tuned for this package, on the CPU.

    Its weights are the package `langchain-control-semantic`, in the folder `semantic` of the
    repository: 23 MB, five to thirty milliseconds for a text. It reads texts as the built-in tiers
    do, without their disguise, and understands English best.

    !!! example "Asked where the built-in model is in doubt"

        ```python
        guard = InputGuard(second_opinion=MiniLMDetector())
        ```
    """

    def __init__(self) -> None:
        """Find the files.

        Raises:
            ImportError: The package with the weights is not installed.
        """
        try:
            from langchain_control_semantic import MAX_TOKENS, MODEL, TOKENIZER  # noqa: PLC0415
        except ImportError as exc:
            msg = (
                "`MiniLMDetector` needs `langchain-control-semantic`: "
                "`pip install ./semantic` in a clone of langchain-control"
            )
            raise ImportError(msg) from exc
        super().__init__(MODEL, TOKENIZER, max_tokens=MAX_TOKENS, name="minilm")

    def _probability(self, text: str) -> float:
        return super()._probability(normalize(text).canonical)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by name: the files are found again where they are used."""
        return MiniLMDetector, ()
