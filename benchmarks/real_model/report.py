"""The tables: what came of it, what it cost, and where the control layer is not the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from benchmarks.real_model.contestants import CONTROL
from benchmarks.real_model.trials import Record, Tally, tallies
from langchain_control.circuits.failure_window import wilson_lower_bound
from langchain_control.console import Table

__all__ = ["READING", "interval", "losses", "tables"]

Z_95 = 1.96

READING = (
    "met: the model's answer met the contract. right, wrong: it did, and is known to be so.",
    "fallback: a canned answer instead, which counts as neither. nothing: no answer at all.",
    "Tokens and seconds are those of all calls, failed attempts too, as the server counts them;",
    "per met, per right: of all these for each answer that met, or that is right.",
    "Intervals are Wilson's, 95 %. The seeds of a task are not independent: they flatter.",
)


def tables(records: Sequence[Record]) -> list[Table]:
    """Return the tables of a run."""
    scores = tallies(records)
    return [
        _table("What came of it", OUTCOMES, scores),
        _table("What it cost", COSTS, scores),
        _by_kind(records),
    ]


def interval(hits: int, total: int) -> tuple[float, float]:
    """Return the shares that `hits` of `total` are compatible with: Wilson's score interval."""
    if not total:
        return 0.0, 1.0
    return (
        wilson_lower_bound(hits, total, Z_95),
        1 - wilson_lower_bound(total - hits, total, Z_95),
    )


def _range(hits: int, total: int) -> str:
    low, high = interval(hits, total)
    return f"{100 * low:.0f}-{100 * high:.0f} %"


def _each(amount: float, successes: int, digits: int = 0) -> str:
    return f"{amount / successes:.{digits}f}" if successes else "-"


Column = Callable[[Tally], object]

OUTCOMES: Mapping[str, Column] = {
    "met": lambda t: f"{t.all.met}/{t.all.n}",
    "95 %": lambda t: _range(t.all.met, t.all.n),
    "right": lambda t: f"{t.all.right}/{t.all.checkable}",
    "right, 95 %": lambda t: _range(t.all.right, t.all.checkable),
    "wrong": lambda t: t.wrong,
    "fallback": lambda t: t.all.fallbacks,
    "nothing": lambda t: t.all.n - t.all.met - t.all.fallbacks,
}
COSTS: Mapping[str, Column] = {
    "calls": lambda t: t.all.calls,
    "tokens in": lambda t: t.all.input_tokens,
    "tokens out": lambda t: t.all.output_tokens,
    "in per met": lambda t: _each(t.all.input_tokens, t.all.met),
    "out per met": lambda t: _each(t.all.output_tokens, t.all.met),
    "out per right": lambda t: _each(t.checkable.output_tokens, t.checkable.right),
    "s per met": lambda t: _each(t.all.seconds, t.all.met, 2),
}


def _table(title: str, columns: Mapping[str, Column], scores: Mapping[str, Tally]) -> Table:
    rows = [(name, *(cell(tally) for cell in columns.values())) for name, tally in scores.items()]
    return Table(("contestant", *columns), rows, title)


def _by_kind(records: Sequence[Record]) -> Table:
    kinds = list(dict.fromkeys(record.kind for record in records))
    scores = [tallies(r for r in records if r.kind == kind) for kind in kinds]
    names = dict.fromkeys(record.contestant for record in records)
    rows = [(name, *(_met_and_right(score[name]) for score in scores)) for name in names]
    return Table(("contestant", *kinds), rows, "Met and, of those that can be checked, right")


def _met_and_right(tally: Tally) -> str:
    right = f", {tally.all.right}/{tally.all.checkable}" if tally.all.checkable else ""
    return f"{tally.all.met}/{tally.all.n}{right}"


# --- what we lose ---------------------------------------------------------------------------------


class Measure(NamedTuple):
    """Something to have much or little of."""

    name: str
    of: Callable[[Tally], tuple[float, int]]
    """How much, for how many."""
    form: str = "{:.0f}"
    less_is_better: bool = True

    def value(self, tally: Tally) -> float | None:
        """Return how much for each one, or `None` where there are none."""
        amount, count = self.of(tally)
        return amount / count if count else None


MEASURES = (
    Measure("contracts met", lambda t: (t.all.met, t.all.n), "{:.1%}", less_is_better=False),
    Measure(
        "answers right", lambda t: (t.all.right, t.all.checkable), "{:.1%}", less_is_better=False
    ),
    Measure("wrong, of answers that met", lambda t: (t.wrong, t.checkable.met), "{:.1%}"),
    Measure("tokens in per met", lambda t: (t.all.input_tokens, t.all.met)),
    Measure("tokens out per met", lambda t: (t.all.output_tokens, t.all.met)),
    Measure("tokens out per right", lambda t: (t.checkable.output_tokens, t.checkable.right)),
)


def losses(records: Sequence[Record]) -> Iterator[str]:
    """Say, measure by measure, who does better than the control layer as it comes."""
    scores = tallies(records)
    for measure in MEASURES:
        values = {name: measure.value(tally) for name, tally in scores.items()}
        ours = values.get(CONTROL)
        if ours is None:
            continue
        sign = 1 if measure.less_is_better else -1
        better = [
            f"{name} {measure.form.format(value)}"
            for name, value in values.items()
            if value is not None and sign * value < sign * ours
        ]
        if better:
            mine = measure.form.format(ours)
            yield f"{measure.name}: {mine} with the {CONTROL}; better: {', '.join(better)}."
