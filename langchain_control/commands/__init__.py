"""The commands of the command line: one module each, with `declare` and `run`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

__all__ = ["COMMANDS", "FOUND", "OK", "USAGE", "UsageError", "text_in"]

OK, FOUND, USAGE = 0, 1, 2
"""Exit codes: as usual; something was found; a mistake in the usage, as `argparse` has it."""

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "give the demonstrations; they need no model, key or network",
        "guard": "say what the input guard thinks of a text, or of many",
        "audit": "sum up an audit file, or tell one request",
        "tokens": "count the tokens of a text",
        "policy": "check a policy, and print what is done about each failure mode",
        "doctor": "look at what is installed, and whether it will do",
    }
)
"""The commands and what each does; each is a module here."""


class UsageError(Exception):
    """What was asked for cannot be done; the message is for the person who asked."""


def text_in(file: str) -> str:
    """Read a text file, or standard input for `-`; a byte order mark is none of its text.

    Raises:
        UsageError: It cannot be read.
    """
    if file == "-" and sys.stdin is None:
        msg = "cannot read -: standard input is closed"
        raise UsageError(msg)
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        msg = f"cannot read {file}: {exc}"
        raise UsageError(msg) from exc
