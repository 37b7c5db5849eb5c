"""A control layer around LLM calls, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Any

from langchain_control._printable import printable
from langchain_control.commands import COMMANDS, USAGE, UsageError
from langchain_control.console import Console

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):  # what a terminal cannot show is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        code: int = _module(arguments.command).run(arguments, _console(plain=arguments.plain))
    except (UsageError, OSError) as exc:
        told = "\n".join(map(printable, str(exc).split("\n")))
        with suppress(AttributeError, OSError):  # nobody is there to read it
            sys.stderr.write(f"{parser.prog} {arguments.command}: {told}\n")
        return USAGE
    return code


def _console(*, plain: bool) -> Console:
    if sys.stdout is None:
        msg = "standard output is closed"
        raise UsageError(msg)
    return Console(rich=False if plain else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="langchain-control", description=__doc__)
    _declare_plain(parser, default=False)
    parser.add_argument("--version", action=_Version, help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        _declare_plain(command, default=argparse.SUPPRESS)  # what stands before the command holds
        _module(name).declare(command)
    return parser


def _declare_plain(parser: argparse.ArgumentParser, *, default: Any) -> None:
    told = "plain text, even where rich is there"
    parser.add_argument("--plain", action="store_true", default=default, help=told)


class _Version(argparse.Action):
    """Print the version, looked up where it is asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(nargs=0, **settings)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        import langchain_control  # noqa: PLC0415  (`--help` is quick)

        sys.stdout.write(f"{parser.prog} {langchain_control.__version__}\n")
        parser.exit()


def _module(command: str) -> Any:
    return import_module(f"langchain_control.commands.{command}")
