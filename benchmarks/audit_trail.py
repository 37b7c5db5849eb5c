"""What a record costs, what a rotation holds up, and how long the first question takes."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple
from uuid import uuid4

from langchain_control.events import AuditRecord, EventName
from langchain_control.sinks import AuditSink, JsonlSink, QueuedSink, SqliteSink
from langchain_control.trail import FileTrail

__all__ = ["Question", "WriteCost", "questions", "write_cost"]

ROTATE_BYTES = 5_000_000

SINKS: dict[str, tuple[float, Callable[[Path], AuditSink]]] = {
    "one file": (1, lambda folder: JsonlSink(folder / "audit.jsonl")),
    "rotated": (1, lambda folder: JsonlSink(folder / "audit.jsonl", rotate_bytes=ROTATE_BYTES)),
    "rotated, compressed": (
        1,
        lambda folder: JsonlSink(
            folder / "audit.jsonl", rotate_bytes=ROTATE_BYTES, keep=100, compress=True
        ),
    ),
    "fsync per request": (
        0.02,
        lambda folder: JsonlSink(folder / "audit.jsonl", fsync="request"),
    ),
    "fsync per record": (0.01, lambda folder: JsonlSink(folder / "audit.jsonl", fsync="record")),
    "SQLite": (0.1, lambda folder: SqliteSink(folder / "audit.db")),
    "SQLite, queued": (
        0.1,
        lambda folder: QueuedSink(SqliteSink(folder / "audit.db"), max_records=10**6),
    ),
}
"""By name: which share of the records is enough, and the sink."""


class WriteCost(NamedTuple):
    """How long `write` took, in microseconds."""

    median: float
    p999: float
    longest: float


class Question(NamedTuple):
    """How long a question took, in seconds for a million records."""

    first: float
    again: float
    story: float


def records(count: int) -> Iterator[AuditRecord]:
    """Make requests of two attempts each, as the control layer does."""
    for number in range(count):
        base: AuditRecord = {
            "id": uuid4().hex,
            "time": "2026-11-23T14:03:22.101+00:00",
            "request_id": f"{number // 3:032x}",
        }
        if number % 3 == 2:
            yield {
                **base,
                "event": EventName.FINISHED.value,
                "status": "accepted",
                "attempts": 2,
                "latency_ms": 1700.0 + number % 997,
            }
            continue
        yield {
            **base,
            "event": EventName.ATTEMPT.value,
            "number": number % 3 + 1,
            "model": "gpt-4o",
            "failure_mode": "none" if number % 3 else "schema_violation",
            "latency_ms": 800.0 + number % 991,
            "input_tokens": 300,
            "output_tokens": 80,
            "prompt_sha256": uuid4().hex * 2,
        }


def write_cost(sink: AuditSink, count: int) -> WriteCost:
    """Write records one by one, as one process on one thread."""
    taken = []
    for record in records(count):
        start = time.perf_counter()
        sink.write(record)
        taken.append((time.perf_counter() - start) * 1e6)
    sink.close()
    return WriteCost(median(taken), quantiles(taken, n=1000)[-1], max(taken))


def questions(path: Path, count: int) -> Question:
    """Ask a process that has just begun for figures, again, and for a story."""
    trail = FileTrail(path)
    per_million = 1e6 / count
    return Question(
        first=_seconds(trail.summary) * per_million,
        again=_seconds(trail.summary),
        story=_seconds(lambda: trail.story(f"{count // 6:032x}")) * per_million,
    )


def _seconds(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000, metavar="N")
    count: int = parser.parse_args().records

    print(f"{'one record, microseconds':<28}{'median':>10}{'p99.9':>10}{'longest':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for name, (share, sink) in SINKS.items():
            place = Path(folder) / name
            place.mkdir()
            cost = write_cost(sink(place), int(count * share))
            print(f"{name:<28}{cost.median:>10.1f}{cost.p999:>10.1f}{cost.longest:>12,.0f}")
        print(f"\n{'question, seconds':<28}{'first':>10}{'again':>10}{'story':>12}")
        for name in ("one file", "rotated", "rotated, compressed"):
            path = Path(folder) / name / "audit.jsonl"
            asked = questions(path, count)
            print(f"{name:<28}{asked.first:>10.2f}{asked.again:>10.4f}{asked.story:>12.2f}")
    print("first and story: for a million records, in proportion")


if __name__ == "__main__":
    main()
