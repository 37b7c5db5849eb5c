"""Where the weights of `langchain_control.detectors.semantic.MiniLMDetector` lie."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MAX_TOKENS", "MODEL", "TOKENIZER"]

MODEL = Path(__file__).with_name("model.onnx")
"""Token numbers and a mask to the log-odds of an attack."""

TOKENIZER = Path(__file__).with_name("tokenizer.json")

MAX_TOKENS = 128
"""The longest text the model was trained on."""
