"""The command ends well, whatever is missing."""

from __future__ import annotations

import importlib
import io
from typing import Any

from benchmarks.local_model import NoLocalModelError
from benchmarks.real_model.trials import Record
from langchain_control.console import Console
from langchain_control.demo.contest import Trial

command = importlib.import_module("benchmarks.real_model.__main__")


def test_without_a_model_it_says_so_and_goes_on(monkeypatch, capsys):
    """`make demo` must end well where there is no wheel."""

    def no_model() -> Any:
        msg = "no local language model on this platform"
        raise NoLocalModelError(msg)

    monkeypatch.setattr(command, "local_model", no_model)

    assert command.main([]) == 0
    assert "Skipped: no local language model on this platform." in capsys.readouterr().out


def test_it_prints_the_tables_and_how_they_came_about():
    """With the number of trials beside each."""
    trial = Trial(
        is_met=True, is_right=False, is_fallback=False,
        calls=2, input_tokens=100, output_tokens=30, seconds=0.5,
    )  # fmt: skip
    out = io.StringIO()

    command.show([Record("single call", "plain", "city", 1, trial)], Console(out, rich=False))

    lines = out.getvalue().splitlines()
    rows = [line.split() for line in lines if line.startswith("single call")]
    assert "seeds 1, 2, 3" in lines[0]
    assert rows[0][2:] == ["1/1", "21-100", "%", "0/1", "0-79", "%", "1", "0", "0"]
    assert rows[1][2:] == ["2", "100", "30", "100", "30", "-", "0.50"]
