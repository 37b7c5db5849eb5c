"""Fill the tables of the documentation from the code: `python -m docs.tables`.

A page marks the place: an HTML comment such as `defaults: module:Class`, under which the table
stands until the next blank line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

__all__ = ["FILLERS", "MARKER", "filled"]

MARKER = re.compile(r"<!-- (\w+): ([\w.:]+) -->")
_PLACE = re.compile(r"(<!-- (\w+): ([\w.:]+) -->\n)((?:\n?\|[^\n]*\n(?:\|[^\n]*\n)*)?)")


def filled(page: str) -> str:
    """Return a page with every generated table as the code has it."""
    return _PLACE.sub(lambda m: f"{m[1]}\n{FILLERS[m[2]](m[3])}\n", page)


def defaults(target: str) -> str:
    """Make the table of a component's settings: name, default, meaning."""
    component = _load(target)
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in component.model_fields.items():
        if name == "name" and component.__module__.split(".")[-1] != "breaker":
            continue  # LangChain's own field, on every Runnable
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{name}` | {_default(field)} | {meaning} |")
    return "\n".join(rows)


def table(target: str) -> str:
    """Make the table that a callable of the package returns as Markdown."""
    made: str = _load(target)()
    return made.strip()


FILLERS: dict[str, Callable[[str], str]] = {"defaults": defaults, "table": table}


def _load(target: str) -> Any:
    module, name = target.split(":")
    return getattr(import_module(module), name)


def _default(field: Any) -> str:
    if field.default is not PydanticUndefined:
        return f"`{field.default!r}`"
    if field.default_factory is None:
        return "required"
    made = field.default_factory()
    shown = repr(made)
    return f"`{shown}`" if len(shown) <= 40 and " at 0x" not in shown else f"`{type(made).__name__}`"


if __name__ == "__main__":
    for path in (Path("README.md"), *Path("docs").rglob("*.md")):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
