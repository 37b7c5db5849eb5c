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

    path, request, trail = arguments.path, arguments.request, FileTrail(arguments.path)
    try:
        is_there = path.is_file() or rotated_files(path.absolute())
        told = str(trail.summary()) if request is None else trail.story(request)
    except OSError as exc:
        msg = f"cannot read {path}: {exc}"
        raise UsageError(msg) from exc
    if not is_there:
        msg = f"there is no file {path}"
        raise UsageError(msg)
    console.line(told)
    is_empty_story = request is not None and len(told.splitlines()) == 1  # that names the request
    return FOUND if is_empty_story else OK
