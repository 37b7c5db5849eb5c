"""The benchmark as a picture."""

from __future__ import annotations

import sys

from langchain_control.demo.benchmark import measure
from langchain_control.demo.figure import draw


def test_the_picture_is_written(tmp_path):
    """In a folder that need not exist yet."""
    path = tmp_path / "out" / "benchmark.png"

    assert str(path) in draw(measure(2), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    """A demonstration must not fail for want of a picture."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    assert "langchain-control[plot]" in draw(measure(1), tmp_path / "benchmark.png")
    assert list(tmp_path.iterdir()) == []
