"""`guard`: verdicts of the input guard."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from langchain_control._shortening import shortened
from langchain_control.commands import FOUND, OK, UsageError, text_in
from langchain_control.console import Console, Table

if TYPE_CHECKING:
    from langchain_control.outcomes import ValidationResult

__all__ = ["declare", "run"]

EXCERPT_CHARS = 48

_BLANK = re.compile(r"[\s\x00]")
_SEPARATOR_OR_SUFFIX = re.compile(r"[/\\]|\.[A-Za-z][A-Za-z0-9]*$")


def declare(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "text",
        help='a text, a file that holds one, a file of {"text": ...} lines named *.jsonl, or - for '
        "standard input",
    )
    parser.add_argument("more", nargs="*", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Judge one text in detail, or many in a table. The exit code is 1 if any is blocked."""
    if arguments.more:
        msg = "there is more than one text or file: quote the text"
        raise UsageError(msg)
    from langchain_control.components.guard import InputGuard  # noqa: PLC0415  (`--help` is quick)

    guard = InputGuard()
    given: str = arguments.text
    is_file = _names_a_file(given)
    if not (is_file and given.endswith(".jsonl")):
        return _explain(guard.inspect(text_in(given) if is_file else given), console)
    texts = list(_texts(given))
    return _list(texts, [guard.inspect(text) for text in texts], console)


def _names_a_file(given: str) -> bool:
    """Whether a file has that name, or was probably meant by it.

    A mistyped file name must not be judged as a text: it would pass, whatever the file holds. So a
    single word with a separator or a suffix counts as a file name; pass such a text by standard
    input.
    """
    if given == "-" or os.path.exists(given):  # noqa: PTH110  (`Path` raises for long texts)
        return True
    return not _BLANK.search(given) and bool(_SEPARATOR_OR_SUFFIX.search(given))


def _explain(verdict: ValidationResult, console: Console) -> int:
    console.line("passed" if verdict.passed else f"blocked: {verdict.message}")
    if verdict.findings:
        rows = [
            (
                f.rule,
                f.tier,
                f.category,
                f.severity,
                f"{f.score:.2f}",
                "-".join(map(str, f.span or ())),
            )
            for f in verdict.findings
        ]
        columns = ("rule", "tier", "category", "severity", "score", "characters")
        console.table(Table(columns, rows))
    return OK if verdict.passed else FOUND


def _list(texts: Sequence[str], verdicts: Sequence[ValidationResult], console: Console) -> int:
    rows = [
        (number, verdict.failure_mode.value, _rules(verdict), _excerpt(text))
        for number, (text, verdict) in enumerate(zip(texts, verdicts, strict=True), 1)
        if not verdict.passed
    ]
    if rows:
        console.table(Table(("text", "failure", "rules", "beginning"), rows))
    console.line(f"{len(rows)} of {len(texts)} blocked")
    return FOUND if rows else OK


def _rules(verdict: ValidationResult) -> str:
    return ", ".join(dict.fromkeys(finding.rule for finding in verdict.findings))


def _texts(path: str) -> Iterator[str]:
    # Not `splitlines`: a JSON string may hold U+2028, which that takes for the end of a line.
    for number, line in enumerate(text_in(path).split("\n"), 1):
        if not line.strip():
            continue
        match _parsed(line):
            case {"text": str() as text}:
                yield text
            case _:
                msg = f'line {number} of {path} is no JSON object with a "text"'
                raise UsageError(msg)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _excerpt(text: str) -> str:
    """Return the beginning of a text on one line that can do nothing to a terminal."""
    return shortened(text[:EXCERPT_CHARS].encode("unicode_escape").decode(), EXCERPT_CHARS)
