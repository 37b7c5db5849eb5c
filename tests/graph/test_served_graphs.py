"""The graphs that `langgraph.json` names can be served as they are."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVED = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))["graphs"]


def load(target: str):
    path, name = target.split(":")
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.mark.parametrize("name", SERVED)
def test_a_served_graph_answers_offline(name, monkeypatch):
    """Each graph compiles without a key and answers, and leaves the checkpointer to the server."""
    monkeypatch.delenv("CONTROL_MODEL", raising=False)
    graph = load(SERVED[name])

    state = graph.invoke({"messages": [("user", "Which city?")]})

    assert graph.checkpointer is None
    assert state["messages"][-1].type == "ai"


@pytest.mark.parametrize("path", sorted((ROOT / "graphs").glob("*.py")), ids=lambda p: p.stem)
def test_a_served_graph_defines_no_class(path):
    """`graphs/` chooses and compiles; what it compiles lives in the package."""
    assert "\nclass " not in path.read_text(encoding="utf-8")
