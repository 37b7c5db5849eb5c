"""Fill the tables and drawings of the documentation from the code: `python -m docs.tables`.

A page marks the place with an HTML comment such as `defaults: module:Class`. What is made from the
code stands under it: a table, or a fenced drawing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from inspect import cleandoc, signature
from operator import attrgetter
from pathlib import Path
from typing import Any

from langchain_core.language_models import FakeListChatModel
from pydantic_core import PydanticUndefined

__all__ = ["FILLERS", "MARKER", "filled"]

MARKER = re.compile(r"<!-- (\w+): ([\w.:]+) -->")
_PLACE = re.compile(
    r"(<!-- (\w+): ([\w.:]+) -->\n)"
    r"(?:\n?(?:(?:\|[^\n]*\n)+|```mermaid\n.*?```\n))?",
    re.DOTALL,
)


MAX_SHOWN_CHARS = 40
"""A default longer than this is shown by its type."""


def filled(page: str) -> str:
    """Return a page with every generated table as the code has it."""
    return _PLACE.sub(lambda m: f"{m[1]}\n{FILLERS[m[2]](m[3])}\n", page)


def defaults(target: str) -> str:
    """Make the table of a component's settings: name, default, meaning."""
    component = _load(target)
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    if not hasattr(component, "model_fields"):
        return "\n".join([*rows, *_parameters(component)])
    for name, field in component.model_fields.items():
        if name == "name" and component.__module__.split(".")[-1] != "breaker":
            continue  # LangChain's own field, on every Runnable
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{name}` | {_default(field)} | {meaning} |")
    return "\n".join(rows)


def _parameters(kind: type) -> Iterator[str]:
    """Make the rows of a plain class, from its signature and the `Args` of its constructor."""
    described = cleandoc(kind.__init__.__doc__ or "").partition("Args:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", described, re.MULTILINE)
    meanings = {name: " ".join(text.split()) for name, text in entries}
    for name, parameter in signature(kind).parameters.items():
        yield f"| `{name}` | `{parameter.default!r}` | {meanings[name]} |"


def table(target: str) -> str:
    """Make the table that a callable of the package returns as Markdown."""
    made: str = _load(target)()
    return made.strip()


def drawing(target: str) -> str:
    """Make the drawing of a graph that a callable of the package builds around a model."""
    graph = _load(target)(FakeListChatModel(responses=[]))
    lines = graph.get_graph().draw_mermaid().strip()
    return f"```mermaid\n{lines}\n```"


FILLERS: dict[str, Callable[[str], str]] = {
    "defaults": defaults,
    "drawing": drawing,
    "table": table,
}


def _load(target: str) -> Any:
    module, name = target.split(":")
    return attrgetter(name)(import_module(module))


def _default(field: Any) -> str:
    if field.default is not PydanticUndefined:
        return f"`{_shown(field.default)}`"
    if field.default_factory is None:
        return "required"
    made = field.default_factory()
    shown = _shown(made)
    is_readable = len(shown) <= MAX_SHOWN_CHARS and " at 0x" not in shown
    return f"`{shown if is_readable else type(made).__name__}`"


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, Enum) else repr(value)


if __name__ == "__main__":
    for path in (Path("README.md"), *Path("docs").rglob("*.md")):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
