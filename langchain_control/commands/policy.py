"""`policy`: a policy that is checked, and its table of remedies."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from langchain_control.commands import OK, UsageError
from langchain_control.console import Console, Table

if TYPE_CHECKING:
    from langchain_control.policy import ControlPolicy

__all__ = ["declare", "run"]


def declare(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("file", nargs="?", help="a policy as YAML; the default policy without it")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print what a policy does about each failure mode."""
    from langchain_control.retries.remedies import Remedy  # noqa: PLC0415  (`--help` is quick)

    rows = []
    for mode, remedy in _policy(arguments.file).retry.policies.root.items():
        changes = [
            _told(name, value)
            for name, value in remedy
            if name not in ("retry", "correction") and value != Remedy.model_fields[name].default
        ]
        rows.append(
            (
                mode.value,
                "yes" if remedy.retry else "no",
                ", ".join(changes),
                remedy.correction or "",
            )
        )
    console.table(Table(("failure", "retried", "and", "the next prompt says"), rows))
    return OK


def _policy(file: str | None) -> ControlPolicy:
    from langchain_control.policy import ControlPolicy  # noqa: PLC0415  (`--help` is quick)

    try:
        return ControlPolicy() if file is None else ControlPolicy.from_yaml(file)
    except (OSError, ValueError, RecursionError) as exc:
        msg = f"{file or 'a file without a name'} is no policy: {_what_is_wrong(exc)}"
        raise UsageError(msg) from exc


def _what_is_wrong(exc: Exception) -> str:
    """Name the fields of a policy that are wrong, without pydantic's links."""
    from pydantic import ValidationError  # noqa: PLC0415  (`--help` is quick)

    if not isinstance(exc, ValidationError):
        return str(exc)
    found = exc.errors(include_url=False, include_input=False, include_context=False)
    named = ((".".join(map(str, error["loc"])), error["msg"]) for error in found)
    return "; ".join(": ".join(filter(None, pair)) for pair in named)


def _told(name: str, value: Any) -> str:
    match value:
        case True:
            return name
        case tuple():
            return f"{name} {' > '.join(value)}"
    return f"{name} {value:g}"
