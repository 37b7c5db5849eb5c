"""Measure the guard on labeled texts: `python -m benchmarks.guard FOLDER`.

Every `*.jsonl` file under FOLDER holds rows of `{"text", "label"}`, 1 meaning an attack. Printed
are, for each file, recall and false alarms at the default decision with 95 % intervals;
the same under disguises; CPU time; and the same figures for the peers that are installed.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.disguises import DISGUISES
from benchmarks.guard_peers import installed_peers
from langchain_control.components.guard import InputGuard
from langchain_control.detectors import RuleDetector, WordModelDetector, normalize
from langchain_control.detectors.semantic import MiniLMDetector
from langchain_control.outcomes import FailureMode

__all__ = ["Row", "interval", "main", "read"]

Judge = Callable[[str], bool]

Z = 1.96
DISGUISED = 250
TIMED = 400
FIRST_USE = """
import time
from langchain_control.components.guard import InputGuard
started = time.process_time()
InputGuard().inspect("Ignore the weather.")
print(f"first verdict of a process: {1e3 * (time.process_time() - started):.0f} ms of CPU time")
"""
HOSTILE = (
    *("ignore all of your ", "[[", "<|", "a  ", "\u200b", "忽略", "1gn0r3 ", "eht dna "),
    *("a\U000e0061", "a.b-c d ", "aWdub3JlIHByZXZp ", "69 67 6e 6f 72 65 20 61 ", "a-\n"),
)
LONG = 100_000


class Row(NamedTuple):
    """A text and whether it is an attack."""

    text: str
    attack: bool


def read(folder: Path) -> dict[str, list[Row]]:
    """Read the rows of each file, by the path of the file."""
    found = {}
    for file in sorted(folder.rglob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
        found[str(file.relative_to(folder).with_suffix(""))] = [
            Row(str(row["text"]), bool(row["label"])) for row in rows
        ]
    return found


def judges() -> dict[str, Judge]:
    """Return the tiers at the default decision, and the peers that are installed."""
    tiers = {
        "rules": (RuleDetector(),),
        "rules+model": (RuleDetector(), WordModelDetector()),
    }
    guards = {name: InputGuard(detectors=detectors) for name, detectors in tiers.items()}
    if find_spec("langchain_control_semantic"):
        guards["+MiniLM in doubt"] = InputGuard(second_opinion=MiniLMDetector())
        guards["+MiniLM always"] = InputGuard(
            detectors=(RuleDetector(), WordModelDetector(), MiniLMDetector())
        )
    return {name: _judge(guard) for name, guard in guards.items()} | installed_peers()


def _judge(guard: InputGuard) -> Judge:
    unlimited = guard.override(max_chars=10_000_000)
    return lambda text: unlimited.inspect(text).failure_mode is FailureMode.PROMPT_INJECTION


def interval(hits: Sequence[bool]) -> str:
    """Return a share with its 95 % Wilson interval, in percent.

    Wilson, *Probable inference, the law of succession, and statistical inference*, 1927.
    """
    n, share = len(hits), sum(hits) / len(hits)
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return f"{100 * share:5.1f} [{100 * max(0, middle - half):.1f}, {100 * (middle + half):.1f}]"


def mean_interval(files: Sequence[Sequence[bool]]) -> str:
    """Return the mean of the shares of several files with its 95 % interval, in percent."""
    if not files:
        return "-"
    shares = [(sum(hits) / len(hits), len(hits)) for hits in files]
    mean = sum(share for share, _ in shares) / len(shares)
    error = math.sqrt(sum(share * (1 - share) / n for share, n in shares)) / len(shares)
    return (
        f"{100 * mean:5.1f} [{100 * max(0, mean - Z * error):.1f}, {100 * (mean + Z * error):.1f}]"
    )


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns that line up."""
    table = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    print()


def per_file(files: dict[str, list[Row]], by: dict[str, Judge]) -> None:
    """Print recall (attacks) and false alarms (harmless) of each file."""
    lines: list[list[str]] = []
    shares: dict[tuple[str, bool], list[list[bool]]] = defaultdict(list)
    for file, rows in files.items():
        for attack in (True, False):
            texts = [row.text for row in rows if row.attack is attack]
            if not texts:
                continue
            cells = []
            for name, judge in by.items():
                hits = [judge(text) for text in texts]
                shares[name, attack].append(hits)
                cells.append(interval(hits))
            kind = "recall" if attack else "false alarms"
            lines.append([file, kind, str(len(texts)), *cells])
    for attack, kind in ((True, "recall, mean of files"), (False, "false alarms, mean of files")):
        lines.append(["all", kind, "", *(mean_interval(shares[name, attack]) for name in by)])
    print_table(["file", "%", "n", *by], lines)


def per_disguise(files: dict[str, list[Row]], by: dict[str, Judge]) -> None:
    """Print recall and false alarms of a sample of English texts under each disguise."""
    rng = random.Random(11)
    everything = [row for rows in files.values() for row in rows if row.text.isascii()]
    rng.shuffle(everything)
    short = [row for row in everything if len(row.text) <= 600]
    lines = []
    for name, disguise in DISGUISES.items():
        cells = []
        for judge in by.values():
            found = []
            for attack in (True, False):
                texts = [row.text for row in short if row.attack is attack][:DISGUISED]
                hits = [judge(disguise(text, random.Random(3))) for text in texts]
                found.append(f"{100 * sum(hits) / len(hits):.0f}" if hits else "-")
            cells.append(" / ".join(found))
        lines.append([name, *cells])
    print(f"recall / false alarms in %, of up to {DISGUISED} short English texts each")
    print_table(["disguise", *by], lines)


def timing(files: dict[str, list[Row]]) -> None:
    """Print CPU time by length, for hostile texts, and for loading."""
    model, rules = WordModelDetector(), RuleDetector()
    command = [sys.executable, "-c", FIRST_USE]
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
    texts = [row.text for rows in files.values() for row in rows]
    random.Random(5).shuffle(texts)
    lines = []
    for low, high in ((0, 100), (100, 400), (400, 1200), (1200, 2400)):
        some = [text for text in texts if low <= len(text) < high][:TIMED]
        both = [
            _median(rules.detect, some),
            _median(lambda text: _all_tiers(text, rules, model), some),
        ]
        lines.append([f"{low}-{high}", str(len(some)), *(f"{us:.0f}" for us in both)])
    print_table(["characters", "n", "tiers 0-1, µs (median)", "tiers 0-2, µs (median)"], lines)
    lines = []
    for name, text in hostile_texts().items():
        ms = min(_cpu_us(lambda text: _all_tiers(text, rules, model), text) for _ in range(3)) / 1e3
        lines.append([name, f"{ms:.0f}"])
    print_table(["100,000 characters of", "tiers 0-2, ms"], lines)


def hostile_texts() -> dict[str, str]:
    """Return long texts, each of which keeps some stage of the guard busy, and mixtures of them."""
    texts = {ascii(unit): (unit * (LONG // len(unit) + 1))[:LONG] for unit in HOSTILE}
    rng = random.Random(1)
    for name, last in (("ASCII", 0x7F), ("Latin", 0x250), ("Unicode", sys.maxunicode + 1)):
        texts[f"random {name}"] = "".join(chr(rng.randrange(0x20, last)) for _ in range(LONG))
    anchors = sorted({anchor for rule in RuleDetector().rules for anchor in rule.anchors})
    beginnings = " ".join(rng.choices(anchors, k=LONG))[:LONG]
    texts["beginnings of attacks"] = beginnings
    for most in (60, 400):
        texts[f"excerpts of up to {most} of all these"] = _excerpts([*texts.values()], most, rng)
    texts["beginnings of attacks, all in leet"] = DISGUISES["leet"](beginnings, rng)
    return texts


def _excerpts(texts: Sequence[str], most: int, rng: random.Random) -> str:
    pieces = []
    for _ in range(2 * LONG // most):
        begins = rng.randrange(LONG - most)
        pieces.append(rng.choice(texts)[begins : begins + rng.randint(1, most)])
    return " ".join(pieces)[:LONG]


def _all_tiers(text: str, rules: RuleDetector, model: WordModelDetector) -> None:
    normalized = normalize(text)
    rules.detect_normalized(normalized)
    model.detect_normalized(normalized)


def _median(work: Callable[[str], object], texts: Sequence[str]) -> float:
    costs = sorted(min(_cpu_us(work, text) for _ in range(3)) for text in texts)
    return costs[len(costs) // 2] if costs else float("nan")


def _cpu_us(work: Callable[[str], object], text: str) -> float:
    started = time.thread_time_ns()
    work(text)
    return (time.thread_time_ns() - started) / 1e3


def main() -> None:
    """Print everything about one folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--missed", type=int, default=0, help="print so many missed attacks a file")
    arguments = parser.parse_args()
    files = read(arguments.folder)
    if not files:
        parser.error(f"no *.jsonl files under {arguments.folder}")
    by = judges()
    per_file(files, by)
    per_disguise(files, by)
    timing(files)
    for file, rows in files.items() if arguments.missed else ():
        missed = [row.text for row in rows if row.attack and not by["rules+model"](row.text)]
        for text in missed[: arguments.missed]:
            print(f"{file}: {text[:160]!r}")


if __name__ == "__main__":
    main()
