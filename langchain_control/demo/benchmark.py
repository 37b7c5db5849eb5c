"""The benchmark: the same tickets, prompt and contract for everybody, and what each costs."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from langchain_control.console import Table
from langchain_control.demo import Stage, article, figure
from langchain_control.demo.contest import Score
from langchain_control.demo.desk import BLIND, CONTESTANTS, CONTROL, SINGLE, score
from langchain_control.demo.tickets import Clerk

__all__ = ["FAILURE_RATES", "HINT_FACTORS", "Cell", "measure", "show"]

FAILURE_RATES = (0.0, article.FAILURE_RATE, 0.75)
HINT_FACTORS: Mapping[str, float] = MappingProxyType(
    {"hints help": article.HINT_FACTOR, "hints do nothing": 1.0}
)
"""What a correction in the prompt multiplies the failure rate by."""

A_MODEL_CALL_MICROS = 1e6
WORTH_A_PROCESS = 100
"""Tickets per run from which on processes of their own save time."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A contestant's score in one setting."""

    contestant: str
    failure_rate: float
    hints: str
    score: Score


class _Run(NamedTuple):
    """One contestant with one clerk."""

    contestant: str
    failure_rate: float
    hint_factor: float


def measure(queries: int, seed: int = 0, workers: int = 1) -> list[Cell]:
    """Run every contestant in every setting, on as many processes as there are workers."""
    settings = list(itertools.product(HINT_FACTORS, FAILURE_RATES, CONTESTANTS))
    runs = list(dict.fromkeys(_run_of(*setting) for setting in settings))
    score_of = partial(_score_of, queries, seed)
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            longest_first = runs[::-1]
            scores = dict(zip(longest_first, pool.map(score_of, longest_first), strict=True))
    else:
        scores = {run: score_of(run) for run in runs}
    return [
        Cell(contestant, rate, hints, scores[_run_of(hints, rate, contestant)])
        for hints, rate, contestant in settings
    ]


def _run_of(hints: str, rate: float, contestant: str) -> _Run:
    # Hints are lost on whoever never changes a prompt: one run will do for both settings.
    is_sensitive = contestant == CONTROL and rate > 0
    return _Run(contestant, rate, HINT_FACTORS[hints] if is_sensitive else 1.0)


def _score_of(queries: int, seed: int, run: _Run) -> Score:
    asyncio.run(score(run.contestant, Clerk(0.0), 1))  # what is done only once is not measured
    clerk = Clerk(run.failure_rate, run.hint_factor, seed=seed)
    return asyncio.run(score(run.contestant, clerk, queries))


def show(stage: Stage) -> None:
    """Print the tables, the price, and the article's own table with its explanation."""
    workers = os.cpu_count() or 1
    cells = measure(stage.queries, workers=workers if stage.queries >= WORTH_A_PROCESS else 1)
    for hints, factor in HINT_FACTORS.items():
        title = (
            f"{hints}: a correction multiplies the failure rate by {factor:g} "
            f"({stage.queries} tickets per row)"
        )
        rows = [_row(cell) for cell in cells if cell.hints == hints]
        stage.console.table(Table(_COLUMNS, rows, title))
    for line in _READING:
        stage.console.line(line)
    _show_price(stage, cells)
    like_the_article = [
        cell
        for cell in cells
        if cell.failure_rate == article.FAILURE_RATE and cell.hints == "hints help"
    ]
    article.show(stage, {cell.contestant: cell.score for cell in like_the_article})
    if stage.out is not None:
        stage.console.line(figure.draw(cells, stage.out / "benchmark.png"))


_COLUMNS = (
    "fails at first",
    "contestant",
    "right",
    "damaged",
    "fallback",
    "nothing",
    "calls each",
    "tokens each",
)
_READING = (
    "right: the model's answer met the contract and is the one the ticket calls for.",
    "damaged: an answer was passed on that is not: its end was missing and had been made up.",
    "fallback: a canned answer, which is not the model's merit and is not counted as right.",
    "All contestants meet the same luck on the same ticket.",
)


def _row(cell: Cell) -> Sequence[object]:
    total = cell.score
    nothing = total.n - total.met - total.fallbacks
    return (
        f"{cell.failure_rate:.0%}",
        cell.contestant,
        f"{total.right / total.n:.1%}",
        f"{(total.met - total.right) / total.n:.1%}",
        f"{total.fallbacks / total.n:.1%}",
        f"{nothing / total.n:.1%}",
        f"{total.calls / total.n:.2f}",
        f"{(total.input_tokens + total.output_tokens) / total.n:.0f}",
    )


def _show_price(stage: Stage, cells: Sequence[Cell]) -> None:
    """Say what control costs where it gains nothing: a model that never fails, useless hints."""
    scores = {(c.contestant, c.failure_rate, c.hints): c.score for c in cells}
    micros = {
        name: scores[name, 0.0, "hints help"].seconds / stage.queries * 1e6 for name in CONTESTANTS
    }
    rows = [(name, f"{m:.0f}", f"x{m / micros[SINGLE]:.1f}") for name, m in micros.items()]
    title = "The price where there is nothing to gain: a model that never fails"
    stage.console.table(Table(("contestant", "µs per ticket", "of a single call"), rows, title))
    added = micros[CONTROL] - micros[SINGLE]
    stage.console.line(
        f"Without its guard, which nobody else has, the control layer adds {added:.0f} µs: "
        f"{added / A_MODEL_CALL_MICROS:.2%} of a model call that takes a second."
    )
    blind = scores[BLIND, FAILURE_RATES[-1], "hints do nothing"]
    control = scores[CONTROL, FAILURE_RATES[-1], "hints do nothing"]
    extra = (control.input_tokens - blind.input_tokens) / max(1, control.calls - control.n)
    stage.console.line(
        f"A correction costs {extra:.0f} prompt tokens on each retry. Where hints do nothing it "
        f"buys nothing: {control.right} right answers, blind retry has {blind.right}."
    )
