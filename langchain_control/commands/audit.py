"""`audit`: figures and stories of an audit file."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from itertools import chain
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

RECORD = b'{"id":"'
"""What a record begins with."""


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
    """Refuse a file that has lines and no record in them, and a database.

    Its pages may hold whole records beside the halves of others.
    """
    from langchain_control.trail.lines import lines, parsed  # noqa: PLC0415  (`--help` is quick)
    from langchain_control.trail.rotated import opened  # noqa: PLC0415

    with opened(path) or nullcontext() as file:
        found = lines(file) if file else iter(())
        first = next(found, None)
        if first is not None and first[0].startswith(SQLITE):
            msg = f"{path} is an SQLite file; ask it in SQL, or name the file of JSON Lines"
            raise UsageError(msg)
        written = (line for line, _ in chain([first] if first else [], found) if _is_whole(line))
        if (some := next(written, None)) is None:
            return
        has_records = any(parsed(line)[0] for line in chain([some], written))
    if not has_records:
        msg = f"{path} is no audit file: there is no record in it"
        raise UsageError(msg)


def _is_whole(line: bytes) -> bool:
    """Whether a line is more than a blank, or the half of a record that is being written."""
    is_half = line.startswith(RECORD) and not line.endswith(b"\n")
    return not (line.isspace() or is_half)
