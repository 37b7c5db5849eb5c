"""`demo`: the demonstrations."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from langchain_control.commands import OK, UsageError
from langchain_control.console import Console
from langchain_control.demo import DEMOS, ON_REQUEST, Stage, show

__all__ = ["declare", "run"]


def declare(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    alone = parser.add_mutually_exclusive_group()
    alone.add_argument("name", nargs="?", choices=list(DEMOS), help="give this one alone")
    alone.add_argument("--only", choices=list(DEMOS), help="the same, as an option")
    parser.add_argument("--out", type=Path, help="folder for the figure and the audit file")
    parser.add_argument("--queries", type=int, default=500, help="tickets per row of the benchmark")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Give the demonstrations, and let the audit trail sum them up."""
    from langchain_control.components.audit import AuditLogger  # noqa: PLC0415  (`--help` is quick)
    from langchain_control.sinks import JsonlSink  # noqa: PLC0415

    if arguments.queries < 1:
        msg = f"`--queries` must be at least 1, got {arguments.queries}"
        raise UsageError(msg)
    out: Path | None = arguments.out
    if out is not None:
        _prepare(out)
    kept = [] if out is None else [JsonlSink(out / "audit.jsonl")]
    with AuditLogger(None, sinks=kept) as audit:  # the file may hold other runs; it is a trail
        stage = Stage(console, audit, out, arguments.queries)
        only = arguments.name or arguments.only
        for name in [only] if only else [name for name in DEMOS if name not in ON_REQUEST]:
            show(name, stage)
        summary = audit.summary()
        if summary.requests:
            console.heading("audit: what the trail says about these demonstrations")
            console.line(str(summary))
    return OK


def _prepare(folder: Path) -> None:
    """Make a folder to write into: a trail that cannot be written is no error of a request."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        msg = f"cannot write to {folder}: {exc}"
        raise UsageError(msg) from exc
    if not os.access(folder, os.W_OK):
        msg = f"cannot write to {folder}"
        raise UsageError(msg)
