"""A real language model, called as it is and under control: `python -m benchmarks.real_model`.

Every contestant gets the same prompts, the same contract and the same seeds, so that all begin with
the same first answer. Retries take the next seed.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage

from benchmarks.local_model import MODEL_NAME, NoLocalModelError, local_model
from benchmarks.real_tasks import TASKS, Task
from langchain_control import (
    AuditLogger,
    ControlPolicy,
    FallbackRouter,
    PromptBuilder,
    ResponseValidator,
    RetryEngine,
)
from langchain_control.console import Console, Table
from langchain_control.demo.contest import (
    Answer,
    Contestant,
    Judge,
    Score,
    Trial,
    blind_retry,
    control_layer,
)
from langchain_control.strategies import CannedAnswer

if TYPE_CHECKING:
    from benchmarks.metered_model import MeteredChatOpenAI

ATTEMPTS = 3
SEEDS = (1, 2, 3)
TEMPERATURE = 0.7
MAX_TOKENS = 80
"""Of one answer. A short JSON object needs 10 to 40; a model that rambles is cut off."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the contestants against the local model, or against any OpenAI-compatible server."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--out", type=Path, help="folder for the audit file")
    parser.add_argument("--seconds", type=float, default=200.0, help="begin no task after this")
    parser.add_argument("--url", help="base URL of another server, such as http://host:8080/v1")
    parser.add_argument("--model", default=MODEL_NAME, help="the model's name on that server")
    arguments = parser.parse_args(argv)
    console = Console()
    console.heading(f"real model: {arguments.model}, as it is and under control")
    try:
        with _server(arguments.url) as url:
            audit = AuditLogger(arguments.out and arguments.out / "audit.jsonl")
            trials = asyncio.run(run(url, arguments.model, audit, arguments.seconds))
    except NoLocalModelError as exc:
        console.line(f"Skipped: {exc}.")
        return 0
    report(trials, console)
    return 0


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with local_model() as served:
        yield served


# --- the contestants ------------------------------------------------------------------------------


PROMPT = PromptBuilder(system_prompt="You are a helpful assistant that only writes JSON.")


def _policy(task: Task, audit: AuditLogger) -> ControlPolicy:
    return ControlPolicy(
        prompt=PROMPT,
        validator=_contract(task),
        retry=RetryEngine(max_attempts=ATTEMPTS, base_delay_seconds=0.01, jitter_seconds=0),
        fallback=FallbackRouter(strategies=[("canned", CannedAnswer(task.fallback()))]),
        audit=audit,
    )


def _contract(task: Task) -> ResponseValidator:
    return ResponseValidator(response_schema=task.schema())


def _render(question: str) -> list[BaseMessage]:
    return PROMPT.build([HumanMessage(question)]).messages


def _schema_mode(model: Any, task: Task) -> Contestant:
    """Use the provider's schema mode through LangChain, once."""
    from openai import LengthFinishReasonError  # noqa: PLC0415  (slow to import)

    constrained = model.with_structured_output(
        task.schema(), method="json_schema", include_raw=True
    )

    async def ask(question: str) -> Answer | None:
        try:
            result = await constrained.ainvoke(_render(question))
        except LengthFinishReasonError:  # raised by the SDK even with `include_raw`
            return None
        return None if result["parsed"] is None else Answer(result["parsed"])

    return ask


CONTESTANTS: Mapping[str, Callable[[Any, Task, AuditLogger], Contestant]] = MappingProxyType(
    {
        "single call": lambda model, task, _: blind_retry(
            model, _render, _contract(task), attempts=1
        ),
        f"blind retry x{ATTEMPTS}": lambda model, task, _: blind_retry(
            model, _render, _contract(task), attempts=ATTEMPTS
        ),
        f"control layer x{ATTEMPTS}": lambda model, task, audit: control_layer(
            model, _policy(task, audit)
        ),
        "schema mode x1": lambda model, task, _: _schema_mode(model, task),
    }
)


# --- the run --------------------------------------------------------------------------------------


async def run(
    url: str, model_name: str, audit: AuditLogger, seconds: float
) -> dict[str, list[Trial]]:
    """Put every task to every contestant, seed by seed, until the time is up."""
    from benchmarks.metered_model import metered_model  # noqa: PLC0415  (a second to import)

    trials: dict[str, list[Trial]] = {name: [] for name in CONTESTANTS}
    rounds = list(itertools.product(SEEDS, enumerate(TASKS)))
    started = time.monotonic()
    async with metered_model(
        url, model_name, temperature=TEMPERATURE, max_tokens=MAX_TOKENS
    ) as model:
        for done, (seed, (position, task)) in enumerate(rounds):
            elapsed = time.monotonic() - started
            if elapsed > seconds:
                sys.stderr.write(f"Time is up after {done} of {len(rounds)} rounds.\n")
                break
            progress = f"[{done + 1}/{len(rounds)}] {elapsed:.0f} s: {task.name}, seed {seed}"
            sys.stderr.write(f"{progress}\n")
            for name in CONTESTANTS:
                seeded = model.starting_at(1000 * seed + 10 * position)
                trials[name].append(await _try(name, seeded, task, audit))
    return trials


async def _try(name: str, model: MeteredChatOpenAI, task: Task, audit: AuditLogger) -> Trial:
    judge = Judge(
        meets=lambda answer: _contract(task).inspect(json.dumps(answer)).passed,
        is_right=task.is_right if task.expected else None,
        meter=model.meter,
    )
    return await judge.try_once(CONTESTANTS[name](model, task, audit), task.prompt())


# --- the report -----------------------------------------------------------------------------------


def report(trials: Mapping[str, Sequence[Trial]], console: Console) -> None:
    """Print the table."""
    scores = {name: Score.of(those) for name, those in trials.items()}
    title = (
        f"{len(TASKS)} tasks x {len(SEEDS)} seeds, temperature {TEMPERATURE:g}, at most "
        f"{MAX_TOKENS} tokens an answer, at most {ATTEMPTS} attempts"
    )
    console.table(Table(_COLUMNS, [_row(name, score) for name, score in scores.items()], title))
    for line in _READING:
        console.line(line)


_COLUMNS = (
    "contestant",
    "met",
    "right",
    "fallback",
    "nothing",
    "calls",
    "tokens in",
    "tokens out",
    "out per met",
    "seconds",
)
_READING = (
    "met, right: answers of the model that met the contract, and those of them known to be right.",
    "fallback: a canned answer instead, which counts as neither. nothing: no answer at all.",
    "out per met: answer tokens, those of failed attempts too, per answer that met its contract.",
    "seconds: per request, whatever came of it.",
    "schema mode: the provider's own, used at once, through LangChain's `with_structured_output`.",
    "The control layer uses it after the first failure. Where a provider has it, to use it at once",
    "is cheaper; where it has none, a retry carries a correction alone.",
)


def _row(name: str, score: Score) -> Sequence[object]:
    return (
        name,
        f"{score.met}/{score.n}",
        f"{score.right}/{score.checkable}",
        score.fallbacks,
        score.n - score.met - score.fallbacks,
        score.calls,
        score.input_tokens,
        score.output_tokens,
        f"{score.output_tokens / score.met:.0f}" if score.met else "-",
        f"{score.seconds / score.n:.2f}" if score.n else "-",
    )


if __name__ == "__main__":
    sys.exit(main())
