"""`audit`: figures and stories of an audit file."""

from __future__ import annotations

import argparse
from pathlib import Path

from langchain_control.commands import OK, UsageError
from langchain_control.console import Console

__all__ = ["declare", "run"]


def declare(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("path", type=Path, help="the audit file")
    parser.add_argument("--request", metavar="ID", help="tell the story of this request")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the summary, or one request's story."""
    from langchain_control.components.audit import AuditLogger  # noqa: PLC0415  (`--help` is quick)

    if not arguments.path.is_file():
        msg = f"there is no file {arguments.path}"
        raise UsageError(msg)
    audit = AuditLogger(arguments.path)
    told = audit.story(arguments.request) if arguments.request else str(audit.summary())
    console.line(told)
    return OK
