"""Adapters for models that judge meaning."""

from __future__ import annotations

import asyncio
import pickle
import sys
import types

import pytest

from langchain_control import InputGuard
from langchain_control.detectors.semantic import OnnxDetector, ScoreDetector


def test_a_function_of_the_text_becomes_a_detector():
    """Its number is the score, kept between 0 and 1."""
    detector = ScoreDetector(lambda text: 1.7 if "evil" in text else -1, name="judge")

    [finding] = detector.detect("evil")
    assert (finding.rule, finding.score, finding.severity) == ("semantic.judge", 1.0, "high")
    assert finding.tier == "semantic"
    assert detector.detect("good")[0].score == 0


def test_the_function_may_be_async():
    """A judge behind a network is awaited."""

    async def judge(text):
        return 0.9

    guard = InputGuard(detectors=(ScoreDetector(judge),))

    assert not asyncio.run(guard.ainspect("text")).passed


@pytest.fixture
def files(tmp_path):
    """Two files that exist."""
    paths = (tmp_path / "model.onnx", tmp_path / "tokenizer.json")
    for path in paths:
        path.write_bytes(b"")
    return paths


def test_files_are_looked_for_at_construction(files, tmp_path):
    """A wrong path is named before the first request, and the files are read at the first."""
    with pytest.raises(FileNotFoundError, match=r"missing\.onnx"):
        OnnxDetector(tmp_path / "missing.onnx", files[1])
    detector = OnnxDetector(*files)
    assert pickle.loads(pickle.dumps(detector)).settings == detector.settings


def test_without_the_extra_the_error_names_it(files, monkeypatch):
    """Whoever has not installed the extra is told which one."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(ImportError, match=r"\[semantic\]"):
        OnnxDetector(*files).detect("text")


@pytest.mark.parametrize(("logits", "probability"), [([0.0, 0.0], 0.5), ([0.0], 0.5), ([9, -9], 0)])
def test_the_outputs_of_a_classifier_become_a_probability(files, monkeypatch, logits, probability):
    """Two outputs are weighed against each other, a single one is the log-odds."""

    class Session:
        def __init__(self, path, providers):
            self.path = path

        def get_inputs(self):
            return [types.SimpleNamespace(name="input_ids")]

        def run(self, names, feed):
            assert list(feed) == ["input_ids"]
            return [[logits]]

    class Tokenizer:
        @classmethod
        def from_file(cls, path):
            return cls()

        def enable_truncation(self, tokens):
            self.tokens = tokens

        def encode(self, text):
            return types.SimpleNamespace(ids=[1], attention_mask=[1], type_ids=[0])

    for name, members in (
        ("onnxruntime", {"InferenceSession": Session}),
        ("tokenizers", {"Tokenizer": Tokenizer}),
    ):
        monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(**members))

    [finding] = OnnxDetector(*files).detect("text")

    assert finding.score == pytest.approx(probability, abs=1e-6)
