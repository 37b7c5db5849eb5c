"""Compare engines for the rules: `python -m benchmarks.guard_engines FOLDER`.

Printed is what the search alone costs, on the texts of the `*.jsonl` files under FOLDER: ours
(`re`, where anchors stand), and RE2, if `google-re2` is installed, with all patterns in one set.
Then the same for the first half of the work, finding anchors. Texts are timed when they are new and
when they come again: RE2 builds its automaton as it reads, so that a benchmark which repeats its
texts measures a memory.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from benchmarks.guard import print_table, read
from langchain_control.detectors import RuleDetector, normalize
from langchain_control.detectors.anchors import Anchors
from langchain_control.detectors.patterns import RULES

__all__ = ["main"]

Search = Callable[[str], object]

TEXTS = 600
WARM_UP = 600
CHARACTERS = range(100, 400)
RE2_MEMORY = 128 << 20
"""Bytes that RE2 may use; the patterns do not fit into its default of 8 MiB."""


def engines() -> dict[str, Callable[[], Search]]:
    """Return ways to build each search."""
    anchors = sorted({anchor for rule in RULES for anchor in rule.anchors if anchor.isascii()})
    patterns = [rule.pattern for rule in RULES]
    built: dict[str, Callable[[], Search]] = {
        "rules: re": _rules,
        "rules: RE2": partial(_re2_set, patterns, literal=False),
        "anchors: re": partial(_anchors, anchors),
        "anchors: RE2": partial(_re2_set, anchors, literal=True),
    }
    return {name: build for name, build in built.items() if "RE2" not in name or find_spec("re2")}


def _rules() -> Search:
    index = RuleDetector()._index  # noqa: SLF001  (the search without its normalization)
    search: Search = lambda text: list(index.search(text, (), count()))  # noqa: E731
    search("ignore")
    return search


def _anchors(anchors: Sequence[str]) -> Search:
    find = Anchors(anchors, after=r"\W", flags=re.ASCII).find
    return lambda text: list(find(text))


def _re2_set(patterns: Sequence[str], *, literal: bool) -> Search:
    """Build a set of those patterns that RE2 takes: it has no look-around. Says which match."""
    import re2  # noqa: PLC0415  (only if installed)

    options = re2.Options()
    options.max_mem, options.log_errors, options.literal = RE2_MEMORY, False, literal
    together = re2.Set.SearchSet(options)
    for pattern in patterns:
        try:
            re2.compile(pattern, options)
        except re2.error:
            continue
        together.Add(pattern)
    together.Compile()
    search: Search = together.Match
    return search


def hostile(rng: random.Random) -> str:
    """Return 100,000 characters of beginnings of attacks, in no order."""
    anchors = sorted({anchor for rule in RULES for anchor in rule.anchors if anchor.isascii()})
    return " ".join(rng.choice(anchors) for _ in range(10_000))[:100_000]


def _cpu_us(search: Search, text: str) -> float:
    started = time.thread_time_ns()
    search(text)
    return (time.thread_time_ns() - started) / 1e3


def _median(costs: Sequence[float]) -> float:
    return sorted(costs)[len(costs) // 2]


def main() -> None:
    """Print a row for each engine."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    files = read(parser.parse_args().folder)
    rng = random.Random(5)
    texts = [row.text for rows in files.values() for row in rows if len(row.text) in CHARACTERS]
    rng.shuffle(texts)
    texts = [normalize(text).canonical for text in texts if text.isascii()]
    known = min(WARM_UP, len(texts) // 2)
    old, new = texts[:known], texts[known : known + TEXTS]
    flood = hostile(rng)
    lines = []
    for name, build in engines().items():
        started = time.process_time()
        search = build()
        building = 1e3 * (time.process_time() - started)
        for text in old:
            search(text)
        first = _median([_cpu_us(search, text) for text in new])
        again = _median([min(_cpu_us(search, text) for _ in range(3)) for text in new])
        worst = min(_cpu_us(search, flood) for _ in range(3)) / 1e3
        lines.append([name, *(f"{cost:.0f}" for cost in (building, first, again, worst))])
    head = ["engine", "building, ms", "new text, µs", "known text, µs", "100,000 hostile, ms"]
    print(
        f"{len(new)} texts of {CHARACTERS.start} to {CHARACTERS.stop} characters, CPU time, medians"
    )
    print_table(head, lines)


if __name__ == "__main__":
    main()
