"""The table of the article that this package began with, and why it says what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from langchain_control.components.prompt import PromptBuilder
from langchain_control.console import Table
from langchain_control.demo import Stage
from langchain_control.demo.contest import Score
from langchain_control.demo.desk import BLIND, CONTROL, SINGLE, score
from langchain_control.demo.tickets import PROMPT, WORD, Clerk

__all__ = ["FAILURE_RATE", "HINT_FACTOR", "naive", "show"]

FAILURE_RATE, HINT_FACTOR = 0.55, 0.35
"""The figures of the article's mock: how often it fails, and what a hint multiplies that by."""

NAIVE_PROMPT = PromptBuilder(system_prompt=PROMPT.system_prompt)
"""What the article's naive contestant sent: the question, and nothing about JSON."""


def naive(queries: int) -> Score:
    """Run the article's naive contestant: one call, with a prompt of its own."""
    return asyncio.run(score(SINGLE, Clerk(FAILURE_RATE, HINT_FACTOR), queries, NAIVE_PROMPT))


def show(stage: Stage, fair: Mapping[str, Score]) -> None:
    """Print the article's table beside what it left out.

    Args:
        stage: Where to print.
        fair: The scores on the same mock, all with the same prompt, by contestant.
    """
    scores = {
        "naive, as the article ran it": naive(stage.queries),
        "naive, with everybody's prompt": fair[SINGLE],
        "blind retry x3, not in the article": fair[BLIND],
        "retry with a correction x3": fair[CONTROL],
    }
    rows = [
        (name, f"{s.right / s.n:.1%}", f"{(s.right + s.fallbacks) / s.n:.1%}")
        for name, s in scores.items()
    ]
    columns = ("contestant", "model answers", "with canned fallbacks, as the article counts")
    title = f"The article's table ({FAILURE_RATE:.0%} of answers fail), and what it left out"
    stage.console.table(Table(columns, rows, title))
    for line in _EXPLANATION:
        stage.console.line(line)


_EXPLANATION = (
    f'The mock answers JSON only if the word "{WORD}" is in the prompt, and only the naive prompt',
    "lacks it: its 0% says nothing about a model. Asked fairly, one call gets what the failure",
    "rate leaves, and blind retries do most of the work. What a correction adds on top is written",
    f"into the mock, which then multiplies its failure rate by {HINT_FACTOR:g}. And canned answers",
    "counted as passes: so counted, a model that never gives a valid answer has 100%.",
)
