"""`tokens`: exact counts without a network."""

from __future__ import annotations

import argparse

from langchain_control.commands import OK, UsageError, text_in
from langchain_control.console import Console

__all__ = ["declare", "run"]


def declare(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("file", help="a text file, or - for standard input")
    parser.add_argument("--encoding", default="cl100k_base", help="an encoding, or a model's name")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the number of tokens, and whether it is exact."""
    from langchain_control.components.budget import TokenBudget  # noqa: PLC0415  (`--help` is quick)

    if not arguments.encoding:
        msg = "`--encoding` must name an encoding or a model"
        raise UsageError(msg)
    budget = TokenBudget(encoding=arguments.encoding)
    count = budget.count(text_in(arguments.file))
    kind = "exact" if budget.exact else "estimated"
    console.line(f"{count} tokens ({arguments.encoding}, {kind})")
    return OK
