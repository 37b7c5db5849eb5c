"""Fill the tables and drawings of the documentation from the code: `python -m docs.tables`.

A page marks the place with an HTML comment such as `defaults: module:Class`. What is made from the
code stands under it: a table, or a fenced drawing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from inspect import cleandoc, getsource, signature
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from textwrap import dedent
from typing import Any

from langchain_core.language_models import FakeListChatModel
from pydantic_core import PydanticUndefined

from langchain_control.errors import error_for
from langchain_control.outcomes import ControlResult, FailureMode, Status
from langchain_control.retries.remedies import DEFAULT_REMEDIES

__all__ = ["FILLERS", "MARKER", "attribute_docstrings", "filled"]

MARKER = re.compile(r"<!-- (\w+): ([\w.:]+) -->")
_PLACE = re.compile(
    r"(<!-- (\w+): ([\w.:]+) -->\n)"
    r"(?:\n?(?:(?:\|[^\n]*\n)+(?:\nInjected, [^\n]*\n)?|```mermaid\n.*?```\n))?",
    re.DOTALL,
)

MAX_SHOWN_CHARS = 40
"""A default longer than this is shown by its type."""


def filled(page: str) -> str:
    """Return a page with every generated table as the code has it."""
    return _PLACE.sub(lambda m: f"{m[1]}\n{FILLERS[m[2]](m[3])}\n", page)


def defaults(target: str) -> str:
    """Make the table of a component's settings, and name the collaborators it is given below."""
    component = _load(target)
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    if not hasattr(component, "model_fields"):
        return "\n".join([*rows, *_parameters(component)])
    injected = [name for name, f in component.model_fields.items() if _is_collaborator(f)]
    meanings = attribute_docstrings(component)
    for name, field in component.model_fields.items():
        if name in injected or (name == "name" and name not in meanings):
            continue  # without a docstring, `name` is LangChain's own, on every Runnable
        meaning = meanings.get(name, "").replace("|", "\\|")
        rows.append(f"| `{name}` | {_default(field)} | {meaning} |")
    if injected:
        names = ", ".join(f"`{name}`" for name in injected)
        rows += ["", f"Injected, for tests and for sharing: {names}."]
    return "\n".join(rows)


def _is_collaborator(field: Any) -> bool:
    """Tell what changes at run time, or tells the time, from what a user decides."""
    return bool(field.exclude) and (field.default_factory is not None or callable(field.default))


def _parameters(kind: type) -> Iterator[str]:
    """Make the rows of a plain class, from its signature and the `Args` of its constructor."""
    documented = cleandoc(vars(kind)["__init__"].__doc__ or "")
    described = documented.partition("Args:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", described, re.MULTILINE)
    meanings = {name: " ".join(text.split()) for name, text in entries}
    for name, parameter in signature(kind).parameters.items():
        default = "required" if parameter.default is parameter.empty else f"`{parameter.default!r}`"
        yield f"| `{name}` | {default} | {meanings[name]} |"


def members(target: str) -> str:
    """Make the table of an enum: its values, and the docstrings under them in the source."""
    kind, meanings = _load(target), attribute_docstrings(_load(target))
    if missing := [member.name for member in kind if member.name not in meanings]:
        msg = f"`{kind.__name__}.{missing[0]}` needs a docstring"
        raise ValueError(msg)
    rows = [f"| `{member.value}` | {meanings[member.name]} |" for member in kind]
    return "\n".join(["| value | meaning |", "|---|---|", *rows])


def attribute_docstrings(kind: type) -> dict[str, str]:
    """Read the docstrings under a class's attributes, its own and inherited, from the source.

    Pydantic could do so when the class is made; that costs every user a fifth of a second.
    """
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        is_parametrized = "[" in base.__name__  # made by pydantic, without a source of its own
        if base.__module__.startswith("langchain_control") and not is_parametrized:
            found.update(_docstrings_in(ast.parse(dedent(getsource(base))).body[0]))
    return found


def _docstrings_in(definition: ast.AST) -> Iterator[tuple[str, str]]:
    for attribute, below in pairwise(getattr(definition, "body", ())):
        match attribute, below:
            case (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                yield name, " ".join(text.split())


def failures(target: str) -> str:
    """Make the table of all failure modes, from what is known of each and what the code says."""
    known, meanings = _load(target), attribute_docstrings(FailureMode)
    rows = ["| failure mode | meaning | retried | raised (after which step) | what to do |"]
    rows.append("|---|---|---|---|---|")
    for mode in FailureMode:
        if mode is not FailureMode.NONE:
            steps, action = known[mode]
            retried = "yes" if DEFAULT_REMEDIES[mode].retry else "no"
            raised = _raised(mode, steps.split()) or "nothing"
            rows.append(f"| `{mode}` | {meanings[mode.name]} | {retried} | {raised} | {action} |")
    return "\n".join(rows)


def _raised(mode: FailureMode, steps: list[str]) -> str:
    steps_of: dict[str, list[str]] = {}
    for step in steps:
        status: Status = "rejected" if step in ("guard", "build") else "exhausted"
        error = error_for(ControlResult(status, failure_mode=mode, step=step))
        steps_of.setdefault(type(error).__name__, []).append(step)
    return ", ".join(f"`{error}` ({', '.join(names)})" for error, names in steps_of.items())


def table(target: str) -> str:
    """Make the table that a callable of the package returns as Markdown."""
    made: str = _load(target)()
    return made.strip()


def metrics(target: str) -> str:
    """Make the table of the metrics that measures of records add up to."""
    rows = {
        measure.name: (
            f"| `langchain_control.{measure.name}` | {measure.unit.strip('{}')} "
            f"| {', '.join(f'`{name}`' for name in measure.attribute_names())} "
            f"| {measure.description} |"
        )
        for measures in _load(target).values()
        for measure in measures
    }
    return "\n".join(["| metric | unit | attributes | what |", "|---|---|---|---|", *rows.values()])


def drawing(target: str) -> str:
    """Make the drawing of a graph that a callable of the package builds around a model."""
    graph = _load(target)(FakeListChatModel(responses=[]))
    lines = graph.get_graph().draw_mermaid().strip()
    return f"```mermaid\n{lines}\n```"


FILLERS: dict[str, Callable[[str], str]] = {
    "defaults": defaults,
    "drawing": drawing,
    "failures": failures,
    "members": members,
    "metrics": metrics,
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
    return f"`{shown if is_readable else _kinds(made)}`"


def _kinds(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_kinds, value))})"
    return type(value).__name__


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))})"
    return str(value) if isinstance(value, Enum) else repr(value)


if __name__ == "__main__":
    for path in (Path("README.md"), *Path("docs").rglob("*.md")):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
