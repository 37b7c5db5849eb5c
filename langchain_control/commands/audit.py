"""`audit`: figures and stories of an audit file."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from itertools import islice
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


SQLITE = b"SQLite format 3\0"
"""What the file of a `SqliteSink` begins with."""

LOOKED_AT = 1000
"""Lines of a file in which a record must be, if there are lines."""


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the summary, or one request's story. The exit code is 1 if it has none.

    Raises:
        UsageError: There is no such file, or it is no audit file.
    """
    from langchain_control.trail import FileTrail  # noqa: PLC0415  (`--help` is quick)
    from langchain_control.trail.rotated import rotated_files  # noqa: PLC0415

    path, request, trail = arguments.path, arguments.request, FileTrail(arguments.path)
    try:
        is_there = path.is_file() or rotated_files(path.absolute())
        _refuse_what_is_no_trail(path)
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


def _refuse_what_is_no_trail(path: Path) -> None:
    """Refuse a file that has lines and no record in the first of them, such as a database.

    Its pages may hold whole records beside the halves of others.
    """
    from langchain_control.trail.lines import lines, parsed  # noqa: PLC0415  (`--help` is quick)
    from langchain_control.trail.rotated import opened  # noqa: PLC0415

    with opened(path) or nullcontext() as file:
        looked_at = [line for line, _ in islice(lines(file), LOOKED_AT)] if file else []
    if looked_at and looked_at[0].startswith(SQLITE):
        msg = f"{path} is an SQLite file; ask it in SQL, or name the file of JSON Lines"
        raise UsageError(msg)
    whole = [line for line in looked_at if line.endswith(b"\n") and not line.isspace()]
    if whole and not any(parsed(line)[0] for line in whole):
        msg = f"{path} is no audit file: there is no record in it"
        raise UsageError(msg)
