"""Short demonstrations that need no model, no key and no network.

`python -m langchain_control demo` runs them all, `demo NAME` one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_control.components.audit import AuditLogger
    from langchain_control.console import Console

__all__ = ["DEMOS", "ON_REQUEST", "Stage", "show"]

DEMOS: Mapping[str, str] = MappingProxyType(
    {
        "guard": "What the guard stops costs no model call",
        "schema": "Damaged structured output, corrected",
        "limits": "Too long, then a forbidden phrase, then right",
        "fallback": "No attempt succeeds, and the application still has an answer",
        "agent": "An agent whose model, tools and users go wrong",
        "benchmark": "Four ways to get a structured answer, from the same prompt",
    }
)
"""The demonstrations and what each shows, in the order they are given; each is a module here."""

ON_REQUEST = frozenset({"agent"})
"""Those that need an extra and are given only by name."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a demonstration is given."""

    console: Console
    audit: AuditLogger
    out: Path | None = None
    """Folder for figures. `None` writes none."""
    queries: int = 500
    """Length of the benchmark."""


def show(name: str, stage: Stage) -> None:
    """Give one demonstration.

    Raises:
        KeyError: There is none of that name.
    """
    stage.console.heading(f"{name}: {DEMOS[name]}")
    demo: Callable[[Stage], None] = import_module(f"{__name__}.{name}").show
    demo(stage)
