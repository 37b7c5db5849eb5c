"""`audit`: figures and stories of an audit file."""

from __future__ import annotations

import argparse
from pathlib import Path

from langchain_control.commands import FOUND, OK, UsageError
from langchain_control.console import Console

__all__ = ["declare", "run"]


def declare(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "path", type=Path, help="the audit file; what it was rotated into is read, too"
    )
    parser.add_argument("--request", metavar="ID", help="tell the story of this request")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the summary, or one request's story. The exit code is 1 if it has none."""
    from langchain_control.trail import FileTrail  # noqa: PLC0415  (`--help` is quick)
    from langchain_control.trail.rotated import rotated_files  # noqa: PLC0415

    if not arguments.path.is_file() and not rotated_files(arguments.path.absolute()):
        msg = f"there is no file {arguments.path}"
        raise UsageError(msg)
    trail = FileTrail(arguments.path)
    if arguments.request is None:
        console.line(str(trail.summary()))
        return OK
    told = trail.story(arguments.request)
    console.line(told)
    return OK if len(told.splitlines()) > 1 else FOUND  # the first line names the request
