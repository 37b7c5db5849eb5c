"""`policy`: the table of remedies."""

from __future__ import annotations

import argparse
from typing import Any

from langchain_control.commands import OK
from langchain_control.console import Console, Table

__all__ = ["declare", "run"]


def declare(parser: argparse.ArgumentParser) -> None:
    """Name the arguments: there are none."""


def run(arguments: argparse.Namespace, console: Console) -> int:  # noqa: ARG001  (as all commands)
    """Print what a policy does about each failure mode, unless told otherwise."""
    from langchain_control.retries.remedies import Remedy, RemedyTable  # noqa: PLC0415  (`--help` is quick)

    rows = []
    for mode, remedy in RemedyTable().root.items():
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


def _told(name: str, value: Any) -> str:
    match value:
        case True:
            return name
        case tuple():
            return f"{name} {' > '.join(value)}"
    return f"{name} {value:g}"
