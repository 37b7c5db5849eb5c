"""A real language model, called as it is and under control: `python -m benchmarks.real_model`.

Every contestant gets the same prompts, the same contract and the same seeds, so that all begin with
the same first answer. Retries take the next seed.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

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
    Score,
    Trial,
    blind_retry,
    control_layer,
    try_once,
)
from langchain_control.strategies import CannedAnswer

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


def _schema_mode(model: Any, task: Task) -> Contestant:
    """Use the provider's schema mode through LangChain, once."""
    from openai import LengthFinishReasonError  # noqa: PLC0415  (slow to import)

    constrained = model.with_structured_output(
        task.schema(), method="json_schema", include_raw=True
    )

    async def ask(question: str) -> Answer | None:
        try:
            result = await constrained.ainvoke(await PROMPT.ainvoke(question))
        except LengthFinishReasonError:  # raised by the SDK even with `include_raw`
            return None
        return None if result["parsed"] is None else Answer(result["parsed"])

    return ask


CONTESTANTS: Mapping[str, Callable[[Any, Task, AuditLogger], Contestant]] = MappingProxyType(
    {
        "single call": lambda model, task, _: blind_retry(
            model, PROMPT, _contract(task), attempts=1
        ),
        f"blind retry x{ATTEMPTS}": lambda model, task, _: blind_retry(
            model, PROMPT, _contract(task), attempts=ATTEMPTS
        ),
        f"control layer x{ATTEMPTS}": lambda model, task, audit: control_layer(
            model, _policy(task, audit)
        ),
        "LangChain schema mode x1": lambda model, task, _: _schema_mode(model, task),
    }
)


# --- the run --------------------------------------------------------------------------------------


async def run(
    url: str, model_name: str, audit: AuditLogger, seconds: float
) -> dict[str, list[Trial]]:
    """Put every task to every contestant, seed by seed, until the time is up."""
    from benchmarks.metered_model import MeteredChatOpenAI  # noqa: PLC0415  (a second to import)

    base = MeteredChatOpenAI(
        model=model_name,
        base_url=url,
        api_key="none",
        max_retries=0,
        temperature=TEMPERATURE,
        max_tokens=MAX_TOKENS,
    )
    trials: dict[str, list[Trial]] = {name: [] for name in CONTESTANTS}
    rounds = list(itertools.product(SEEDS, enumerate(TASKS)))
    started = time.monotonic()
    for done, (seed, (position, task)) in enumerate(rounds):
        elapsed = time.monotonic() - started
        if elapsed > seconds:
            sys.stderr.write(f"Time is up after {done} of {len(rounds)} rounds.\n")
            break
        sys.stderr.write(f"[{done + 1}/{len(rounds)}] {elapsed:.0f} s: {task.name}, seed {seed}\n")
        for name, contestant in CONTESTANTS.items():
            model = base.starting_at(1000 * seed + 10 * position)
            trial = await try_once(
                contestant(model, task, audit),
                task.prompt(),
                validator=_contract(task),
                is_right=task.is_right if task.expected else None,
                meter=model.meter,
            )
            trials[name].append(trial)
    return trials


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
    "n",
    "contract met",
    "answer right",
    "fallback",
    "calls",
    "tokens in",
    "tokens out",
    "tokens per met",
    "seconds each",
)
_READING = (
    "contract met, answer right: answers of the model; right is counted where it can be checked.",
    "fallback: a canned answer instead, which counts as neither.",
    "tokens per met: all tokens, those of failed attempts too, per answer that met its contract.",
    "seconds each: per request, fallbacks and failures included.",
)


def _row(name: str, score: Score) -> Sequence[object]:
    tokens = score.input_tokens + score.output_tokens
    return (
        name,
        score.n,
        f"{score.met}/{score.n}",
        f"{score.right}/{score.checkable}",
        score.fallbacks,
        score.calls,
        score.input_tokens,
        score.output_tokens,
        f"{tokens / score.met:.0f}" if score.met else "-",
        f"{score.seconds / score.n:.2f}" if score.n else "-",
    )


if __name__ == "__main__":
    sys.exit(main())
