"""Imports point down, components do not know each other, and importing costs next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "langchain_control"

LAYERS = [
    {"outcomes", "_threads", "_waiting", "_json", "_per_process", "_at_fork", "_enclosing"}
    | {"_eviction", "_lazy_attributes", "_least", "_overriding", "_printable", "_shared"}
    | {"_shortening", "_steady_clock"},
    {"errors", "parts", "sync_only", "_effects", "events"},
    {"circuits", "conversation", "encodings", "fences", "logging_setup", "models"},
    {"retries"},
    {"detectors", "rules", "parsing", "contracts", "strategies", "stores", "sinks", "trail"},
    {"components"},
    {"policy"},
    {"runs"},
    {"steps"},
    {"door", "structured", "drawing", "graph", "runnable", "middleware", "handoff", "testing"},
    {"demo", "commands", "console", "cli", "__main__"},
]  # fmt: skip
"""From what happened up to who shows it. A module may import its own layer and those before it."""

IMPORTERS = {
    "langgraph": {"graph", "middleware", "handoff"},
    "langchain": {"middleware"},
}
"""Where a framework is imported along with the module, and not inside a function."""


def modules():
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path, *, at_import_time: bool) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in _executed(tree) if at_import_time else ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module, *(f"{node.module}.{a.name}" for a in node.names)})
    return found


def _executed(tree: ast.Module):
    """Walk what runs on import: no function bodies, no `TYPE_CHECKING` blocks."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending.extend(node.orelse)
            continue
        yield node
        pending.extend(ast.iter_child_nodes(node))


def level(part: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if part in layer)


def test_every_module_has_one_layer():
    """No module escapes the rule, and the list names no module that is gone."""
    listed = [part for layer in LAYERS for part in layer]

    assert sorted(listed) == sorted({part_of(path) for path in modules()})


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path):
    """A module imports only its own layer and the layers under it."""
    own = part_of(path)
    for name in imports(path, at_import_time=True):
        if name.startswith("langchain_control."):
            other = name.split(".")[1]
            if (PACKAGE / other).is_dir() or (PACKAGE / f"{other}.py").is_file():
                assert level(other) <= level(own), f"{own} imports {name}"


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "components").glob("*.py")), ids=lambda p: p.stem
)
def test_components_do_not_import_each_other(path):
    """A component stands alone, apart from the shapes they share."""
    siblings = {
        name.split(".")[2]
        for name in imports(path, at_import_time=False)
        if name.startswith("langchain_control.components.")
    }
    allowed = {"shapes"} | ({"budget"} if path.stem == "prompt" else set())

    assert siblings <= allowed


@pytest.mark.parametrize(("framework", "expected"), IMPORTERS.items())
def test_heavy_frameworks_stay_at_the_doors(framework, expected):
    """Only the doors import LangGraph, and only the middleware imports LangChain's agents."""
    importers = {
        part_of(path)
        for path in modules()
        for name in imports(path, at_import_time=True)
        if name.split(".")[0] == framework
    }

    assert importers == expected


def _python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.strip()


def test_importing_the_package_loads_nothing():
    """`import langchain_control` loads neither LangGraph nor LangChain, and few modules at all."""
    code = (
        "import sys; before = set(sys.modules); import langchain_control\n"
        "new = set(sys.modules) - before\n"
        "print(len(new), any(n.split('.')[0] in ('langgraph', 'langchain_core') for n in new))"
    )
    count, heavy = _python(code).split()

    assert heavy == "False"
    assert int(count) <= 60


@pytest.mark.parametrize(
    "name", ["InputGuard", "TokenBudget", "CircuitBreaker", "RetryEngine", "ResponseValidator"]
)
def test_a_component_works_without_langgraph(name):
    """Using one component does not load LangGraph."""
    code = (
        f"import sys; from langchain_control import {name}; {name}()\n"
        "print('langgraph' in sys.modules)"
    )

    assert _python(code) == "False"


def test_importing_configures_nothing():
    """Importing everything leaves logging, structlog and the environment as they were."""
    code = (
        "import logging, os, structlog\n"
        "before = (len(logging.root.handlers), structlog.is_configured(), dict(os.environ))\n"
        "import langchain_control\n"
        "[getattr(langchain_control, n) for n in langchain_control._MODULE_OF]\n"
        "print(before == (len(logging.root.handlers), structlog.is_configured(), dict(os.environ)))"
    )
    assert _python(code) == "True"
