"""Run it: `python -m benchmarks.real_model`, and with `--full` at full length.

The short run has the plain tasks and four contestants. The full one has all tasks and everybody
whose package is installed and whose mode the server has.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.local_model import MODEL_NAME, NoLocalModelError, local_model
from benchmarks.real_model.contestants import CONTESTANTS, SHORT, taking_part
from benchmarks.real_model.desk import ATTEMPTS, MAX_TOKENS, TEMPERATURE
from benchmarks.real_model.report import READING, losses, tables
from benchmarks.real_model.tasks import TASKS_BY_KIND
from benchmarks.real_model.trials import Record
from langchain_control import AuditLogger
from langchain_control.console import Console

SEEDS = (1, 2, 3)
SHORT_KIND = "plain"
"""Chosen before anything was run on the other kinds, as the tasks that a person would try first."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run contestants against the local model, or against any OpenAI-compatible server."""
    parser = argparse.ArgumentParser("python -m benchmarks.real_model", description=main.__doc__)
    parser.add_argument("--full", action="store_true", help="all tasks and all contestants")
    parser.add_argument("--url", help="base URL of another server, such as http://host:8080/v1")
    parser.add_argument("--model", default=MODEL_NAME, help="the model's name on that server")
    parser.add_argument("--seconds", type=float, default=200.0, help="begin no task after this")
    parser.add_argument("--out", type=Path, help="folder for the audit file and the single trials")
    arguments = parser.parse_args(argv)
    console = Console()
    console.heading(f"real model: {arguments.model}, as it is and under control")
    try:
        with _server(arguments.url) as url:
            records = asyncio.run(_run(url, arguments, console))
    except NoLocalModelError as exc:
        console.line(f"Skipped: {exc}.")
        return 0
    if arguments.out:
        lines = "".join(f"{record.as_json()}\n" for record in records)
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "real_model.jsonl").write_text(lines, encoding="utf-8")
    show(records, console)
    return 0


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with local_model() as served:
        yield served


async def _run(url: str, arguments: argparse.Namespace, console: Console) -> list[Record]:
    from benchmarks.real_model.run import Bench  # noqa: PLC0415  (comes with the local model)

    names = CONTESTANTS if arguments.full else SHORT
    tasks = TASKS_BY_KIND if arguments.full else {SHORT_KIND: TASKS_BY_KIND[SHORT_KIND]}
    api_key = os.environ.get("OPENAI_API_KEY") if arguments.url else None
    audit = AuditLogger(arguments.out and arguments.out / "audit.jsonl")
    async with Bench.at(url, arguments.model, api_key or "none") as bench:
        entries, missing = taking_part(names, await bench.modes())
        for name, lack in missing.items():
            console.line(f"Left out: {name}: {lack}.")
        trials = bench.run(entries, tasks, seeds=SEEDS, audit=audit, seconds=arguments.seconds)
        return [record async for record in trials]


def show(records: Sequence[Record], console: Console) -> None:
    """Print the tables, how to read them, and what we lose."""
    console.line(
        f"Temperature {TEMPERATURE:g}, seeds {', '.join(map(str, SEEDS))}, at most {MAX_TOKENS} "
        f"tokens an answer; x{ATTEMPTS}: at most {ATTEMPTS} attempts."
    )
    for table in tables(records):
        console.table(table)
    for line in (*READING, "", *losses(records)):
        console.line(line)


if __name__ == "__main__":
    sys.exit(main())
