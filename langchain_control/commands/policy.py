"""`policy`: the table of remedies."""

from __future__ import annotations

import argparse

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
            name if value is True else f"{name} {value:g}"
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
