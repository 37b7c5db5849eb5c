"""Tables come out aligned, with rich and without."""

from __future__ import annotations

import io

import pytest

from langchain_control.console import Console, Table

TABLE = Table(
    ("who", "share"), [("control [bold]layer[/bold]", "98.0%"), ("single", "4.0%")], "Shares"
)


def printed(table: Table, *, rich: bool | None) -> list[str]:
    out = io.StringIO()
    Console(out, rich=rich).table(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_plain_columns_line_up_and_figures_stand_on_the_right():
    """Readable without any package."""
    assert printed(TABLE, rich=False) == [
        "",
        "Shares",
        "who                         share",
        "--------------------------  -----",
        "control [bold]layer[/bold]  98.0%",
        "single                       4.0%",
    ]


@pytest.mark.parametrize("rich", [False, None])
def test_no_cell_is_read_as_markup(rich):
    """Cells may hold what users and models wrote."""
    assert any("[bold]layer[/bold]" in line for line in printed(TABLE, rich=rich))


@pytest.mark.parametrize("columns", [80, 30])
def test_nothing_is_cut_off_in_a_narrow_terminal(monkeypatch, columns):
    """What rows are called by is whole where there is room for it, and else goes on below."""
    monkeypatch.setattr("langchain_control.console.WIDTH_WITHOUT_TERMINAL", columns)
    name = "override.ignore-earlier-instructions"
    table = Table(("rule", "tier", "place", "beginning"), [(name, "rules", "0-32", "word " * 9)])

    lines = printed(table, rich=None)

    assert "…" not in "".join(lines)
    assert any(name in line for line in lines) == (columns == 80)
    assert name in "".join(line.split("  ")[0].strip() for line in lines)


def test_a_table_without_rows_still_has_its_head():
    """Nothing found is a result."""
    assert printed(Table(("rule", "score"), []), rich=False) == ["rule  score", "----  -----"]


def test_a_column_with_words_is_not_numeric():
    """A dash stands for a missing figure; a word does not."""
    table = Table(("a", "b"), [("1", "1"), ("-", "none")])

    assert (table.is_numeric(0), table.is_numeric(1)) == (True, False)


def test_headings_are_underlined():
    """They are found again in a log."""
    out = io.StringIO()

    Console(out, rich=False).heading("demo")

    assert out.getvalue() == "\ndemo\n====\n"
