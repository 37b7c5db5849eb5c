"""Tier 3: adapters for models that judge meaning. None is shipped and none is downloaded.

Such a model is slow compared with the other tiers, so the guard asks it only when those are in
doubt (`InputGuard(second_opinion=…)`). It can also stand among the `detectors` and be asked always.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from langchain_control.outcomes import Finding

__all__ = ["OnnxDetector", "ScoreDetector"]

MEDIUM, HIGH = 0.5, 0.95


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
                severity="high"
                if probability >= HIGH
                else "medium"
                if probability >= MEDIUM
                else "low",
                score=probability,
                tier="semantic",
            )
        ]

    def __repr__(self) -> str:
        """Show the name."""
        return f"{type(self).__name__}({self.name!r})"


class OnnxDetector(ScoreDetector):
    """Ask a text classifier in ONNX format, on the CPU. Needs the extra `[semantic]`.

    Takes any sequence classifier with a `tokenizers` vocabulary: a fine-tuned MiniLM, DeBERTa or
    Prompt Guard, exported with the usual tools. The files are read on the first call.
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
            max_tokens: Longer texts are cut to what the model was trained for.
            name: Findings carry `semantic.<name>` as their rule.

        Raises:
            FileNotFoundError: One of the files does not exist.
        """
        super().__init__(self._probability, name=name)
        for path in (model, tokenizer):
            if not Path(path).is_file():
                msg = f"no such file: {path}"
                raise FileNotFoundError(msg)
        self.settings = (str(model), str(tokenizer), attack_label, max_tokens, name)
        self._lock = Lock()
        self._loaded: tuple[Any, Any] | None = None

    def _probability(self, text: str) -> float:
        import numpy as np  # noqa: PLC0415  (comes with onnxruntime)

        _, _, attack_label, _, _ = self.settings
        session, tokenizer = self._ready()
        encoded = tokenizer.encode(text)
        offered = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        wanted = {given.name for given in session.get_inputs()}
        feed = {name: np.array([ids], np.int64) for name, ids in offered.items() if name in wanted}
        logits = np.asarray(session.run(None, feed)[0][0], np.float64).ravel()
        if logits.size == 1:
            return float(1 / (1 + np.exp(-logits[0])))
        odds = np.exp(logits - logits.max())
        return float(odds[attack_label] / odds.sum())

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
        model, vocabulary, _, max_tokens, _ = self.settings
        tokenizer = Tokenizer.from_file(vocabulary)
        tokenizer.enable_truncation(max_tokens)
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        return session, tokenizer

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings; the files are read again where they are used."""
        return _onnx_detector, self.settings


def _onnx_detector(
    model: str, tokenizer: str, attack_label: int, max_tokens: int, name: str
) -> OnnxDetector:
    return OnnxDetector(
        model, tokenizer, attack_label=attack_label, max_tokens=max_tokens, name=name
    )
