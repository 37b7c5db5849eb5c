"""Tables and lines for a terminal: drawn by rich where it is installed, else as aligned text."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

__all__ = ["Console", "Table"]

WIDTH_WITHOUT_TERMINAL = 120
"""Columns to draw in where the output is a file or a pipe."""

_WHOLE_UP_TO = 2 / 3
"""Share of the width up to which the first column, by which rows are called, is not broken."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""

    def texts(self) -> list[list[str]]:
        """Return the cells as they are shown."""
        return [[str(cell) for cell in row] for row in self.rows]

    def width(self, column: int) -> int:
        """Return how many characters the widest cell of a column has, its heading included."""
        return max(len(row[column]) for row in (self.columns, *self.texts()))

    def is_numeric(self, column: int) -> bool:
        """Say whether a column holds figures, which line up on the right."""
        cells = [row[column] for row in self.texts()]
        return bool(cells) and all(cell[:1].isdigit() or cell in ("", "-") for cell in cells)


class Console:
    """Where commands print."""

    def __init__(self, out: TextIO | None = None, *, rich: bool | None = None) -> None:
        """Print to `out`, by default standard output; `rich=False` forces plain text."""
        self._out = out or sys.stdout
        self._rich = _rich_console(self._out) if rich is not False else None

    def line(self, text: str = "") -> None:
        """Print a line as it is. What the reader, such as `head`, does not want is not an error.

        Raises:
            OSError: It cannot be written.
        """
        try:
            self._out.write(f"{text}\n")
            self._out.flush()
        except OSError as exc:
            # The rest, and what Python flushes at exit, goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
            if not isinstance(exc, BrokenPipeError):
                raise

    def heading(self, text: str) -> None:
        """Open a section."""
        self.line(f"\n{text}\n{'=' * len(text)}")

    def table(self, table: Table) -> None:
        """Print a table."""
        if table.title:
            self.line(f"\n{table.title}")
        self.line(_aligned(table) if self._rich is None else _drawn(self._rich, table))


def _rich_console(out: TextIO) -> RichConsole | None:
    try:
        from rich.console import Console as RichConsole  # noqa: PLC0415  (optional)
    except ImportError:
        return None
    return RichConsole(file=out, width=None if out.isatty() else WIDTH_WITHOUT_TERMINAL)


def _drawn(console: RichConsole, table: Table) -> str:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415  (optional)
    from rich.table import Table as RichTable  # noqa: PLC0415  (optional)
    from rich.text import Text  # noqa: PLC0415  (optional)

    drawn = RichTable(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(table.columns):
        justify: Literal["right", "left"] = "right" if table.is_numeric(position) else "left"
        is_whole = position == 0 and table.width(0) <= console.width * _WHOLE_UP_TO
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=is_whole)
    for row in table.texts():
        drawn.add_row(*map(Text, row))
    with console.capture() as captured:
        console.print(drawn)
    return captured.get().removesuffix("\n")


def _aligned(table: Table) -> str:
    rows = [list(table.columns), *table.texts()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    right = [table.is_numeric(position) for position in range(len(widths))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    )
