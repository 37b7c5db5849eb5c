"""Texts to begin with: those that the tests and the benchmarks are made of."""

from __future__ import annotations

import ast
from pathlib import Path

__all__ = ["seeds"]

ROOT = Path(__file__).parents[2]
TESTS = {
    "guard": ["tests/detectors", "tests/components/test_guard*.py"],
    "json": ["tests/parsing"],
}
TEXTS = {"guard": ["benchmarks/guard_texts/*.t*"], "json": []}


def seeds(part: str) -> list[str]:
    """Return the different texts for a part, from literals in tests and lines of text files."""
    found: dict[str, None] = {}
    for module in _files(TESTS[part], "*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        literals = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        found |= dict.fromkeys(text for text in literals if isinstance(text, str))
    for file in _files(TEXTS[part], "*"):
        found |= dict.fromkeys(file.read_text(encoding="utf-8").splitlines())
    return sorted(found)


def _files(patterns: list[str], inside: str) -> list[Path]:
    found = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return sorted(
        file for path in found for file in (path.glob(inside) if path.is_dir() else [path])
    )
