"""What control costs when there is nothing to do: `python -m benchmarks.doors`.

Every row calls the same scripted model, which answers at once and always rightly. Read the ratios:
the microseconds are this machine's, right now.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain_control import (
    AuditLogger,
    ControlPolicy,
    InputGuard,
    PromptBuilder,
    ResponseValidator,
    TokenBudget,
    create_control_graph,
    with_control,
)
from langchain_control.testing import ScriptedChatModel

ROUNDS, CALLS = 7, 100
QUESTION = "Which city is the capital of France?"
ANSWER = '{"city": "Paris"}'
DOCUMENT = "The breaker opens after five failures, waits, and lets one probe through. "


def microseconds(call: Callable[[], Any]) -> float:
    """Return the best of a few rounds, per call: the least disturbed by the machine."""
    call()
    return min(_round(call) for _ in range(ROUNDS)) / CALLS * 1e6


def _round(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return time.perf_counter() - started


def async_microseconds(call: Callable[[], Any]) -> float:
    """Return the median per call of awaiting, inside one event loop."""

    async def measure() -> float:
        times = []
        for _ in range(ROUNDS * CALLS):
            started = time.perf_counter()
            await call()
            times.append(time.perf_counter() - started)
        return statistics.median(times) * 1e6

    return asyncio.run(measure())


def doors() -> list[tuple[str, float, float]]:
    """Measure one accepted call through each door, sync and async."""
    model = ScriptedChatModel(script=lambda _: ANSWER)
    contract = ResponseValidator(required_keys=("city",))
    plain = ControlPolicy(validator=contract)
    folder = Path(tempfile.mkdtemp())
    audited = plain.override(audit=AuditLogger(folder / "audit.jsonl"))
    ask = {"messages": [("user", QUESTION)]}
    rows: list[tuple[str, Any, Any]] = [
        ("the model alone", model, QUESTION),
        ("with_retry around it", model.with_retry(), QUESTION),
        ("with_control", with_control(model, plain), QUESTION),
        ("with_control and an audit file", with_control(model, audited), QUESTION),
        ("create_control_graph", create_control_graph(model, plain), ask),
    ]
    return [
        (
            name,
            microseconds(lambda r=runnable, g=given: r.invoke(g)),  # type: ignore[misc]
            async_microseconds(lambda r=runnable, g=given: r.ainvoke(g)),  # type: ignore[misc]
        )
        for name, runnable, given in rows
    ]


def parts() -> list[tuple[str, float]]:
    """Measure the questions that components answer on the way."""
    guard, budget = InputGuard(), TokenBudget()
    builder = PromptBuilder(system_prompt="You name cities.", budget=TokenBudget(total_tokens=2000))
    validator = ResponseValidator(required_keys=("city",))
    long = DOCUMENT * 7_000
    return [
        ("guard, 36 characters", microseconds(lambda: guard.inspect(QUESTION))),
        ("guard, 1,900 characters", microseconds(lambda: guard.inspect(DOCUMENT * 25))),
        ("count 36 characters", microseconds(lambda: budget.count(QUESTION))),
        (
            "cut 500,000 characters to 1,000 tokens",
            microseconds(lambda: budget.truncate(long, 1000)),
        ),
        ("build a prompt", microseconds(lambda: builder.build(QUESTION))),
        (
            "build a prompt with a long document",
            microseconds(lambda: builder.build(QUESTION, context=long)),
        ),
        ("validate a small object", microseconds(lambda: validator.inspect(ANSWER))),
    ]


def main() -> int:
    """Print both tables."""
    measured = doors()
    _, base, abase = measured[0]
    print(f"{'one accepted call':40} {'sync µs':>9} {'':>7} {'async µs':>9}")
    for name, sync, awaited in measured:
        print(f"{name:40} {sync:9.0f} x{sync / base:6.1f} {awaited:9.0f} x{awaited / abase:6.1f}")
    print(f"\n{'one question':40} {'µs':>9}")
    for name, cost in parts():
        print(f"{name:40} {cost:9.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
