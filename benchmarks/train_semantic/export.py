"""Write a network for onnxruntime, with weights of eight bits."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from benchmarks.train_semantic.network import AttackClassifier

__all__ = ["write_onnx"]

OPSET = 17


def write_onnx(network: AttackClassifier, file: Path) -> None:
    """Write `input_ids` and `attention_mask` (texts, tokens) to `log_odds` (texts, 1)."""
    example = torch.ones((2, 8), dtype=torch.long)
    texts, tokens = {0: "texts"}, {0: "texts", 1: "tokens"}
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the newer exporter needs a further package
        whole = Path(folder) / "model.onnx"
        torch.onnx.export(
            _WithOneColumn(network).eval(),
            (example, example),
            str(whole),
            input_names=["input_ids", "attention_mask"],
            output_names=["log_odds"],
            dynamic_axes={"input_ids": tokens, "attention_mask": tokens, "log_odds": texts},
            opset_version=OPSET,
            dynamo=False,
        )
        quantize_dynamic(whole, file, weight_type=QuantType.QInt8, per_channel=True)


class _WithOneColumn(torch.nn.Module):
    def __init__(self, network: AttackClassifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.network(input_ids, attention_mask)[:, None]
