"""How well JSON is found, mended and judged: ours and every peer that is installed.

    python -m benchmarks.structured FOLDER

reads every `*.jsonl` in the folder. A row has `raw`, the text of an answer, and `expected`, the
value that was meant, or `fail: true` if no value may come out of it; `schema` is optional, and
other fields are not looked at. The tables say for damaged texts how often the value is exactly
right (Python equality, with `1` and `true` apart), how often it is another one, how many of those
come with a word that something was mended or could be read otherwise, and how often the text is
refused.

    python -m tests.parsing.mistakes FOLDER

writes the mistakes that the tests know into a folder.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from langchain_control.components.validator import ResponseValidator
from langchain_control.contracts import Contract, compile_contract
from langchain_control.parsing import Parsed, RepairPolicy, read_json
from langchain_control.parsing.ending import Ending
from langchain_control.parsing.strict import MalformedJSONError, loads


class Row(NamedTuple):
    """One text and what should come out of it."""

    raw: str
    expected: Any
    must_fail: bool
    contract: Contract | None

    @property
    def is_json(self) -> bool:
        """Whether the text is the expected value as it stands."""
        try:
            return not self.must_fail and _same(loads(self.raw), self.expected)
        except MalformedJSONError:
            return False


class Reading(NamedTuple):
    """What a contestant made of a text."""

    value: Any
    flagged: bool = False
    """Whether it says that it mended something, or that the text could be read otherwise."""


class RefusedError(Exception):
    """A contestant gives no value."""


@dataclass(frozen=True)
class Contestant:
    """A parser under its name."""

    name: str
    read: Callable[[str, Contract | None], Reading]
    """Reads a text, and is told what the value has to meet, if that is known."""

    def try_(self, text: str, contract: Contract | None = None) -> Reading | None:
        """Read a text; every exception is a refusal."""
        try:
            return self.read(text, contract)
        except Exception:  # noqa: BLE001  (peers raise what they like)
            return None


def ours(policy: RepairPolicy, ending: Ending = Ending.UNKNOWN) -> Contestant:
    """Return our parser under one policy, told how the messages ended."""

    def read(text: str, _: Contract | None) -> Reading:
        found = read_json(text, policy=policy, ending=ending)
        if not isinstance(found, Parsed):
            raise RefusedError
        return Reading(found.value, flagged=found.how == "repaired" or found.ambiguous)

    known = "" if ending is Ending.UNKNOWN else ", stop"
    return Contestant(f"langchain-control {policy.value}{known}", read)


def with_the_schema() -> Contestant:
    """Return the validator at its defaults, which knows what is asked for."""

    @cache
    def validator(contract: Contract | None) -> ResponseValidator:
        schema = contract.json_schema() if contract else None
        return ResponseValidator(response_schema=schema, must_be_json=True)

    def read(text: str, contract: Contract | None) -> Reading:
        verdict = validator(contract).inspect(text)  # type: ignore[arg-type]  # contracts are hashable
        if not verdict.passed:
            raise RefusedError
        return Reading(verdict.value, verdict.repaired or "ambiguous" in verdict.notes)

    return Contestant("langchain-control agreed, schema", read)


def _from_json_repair(value: Any) -> Any:
    """Take an empty string for a refusal: json-repair gives one for texts without JSON."""
    if value == "":
        raise RefusedError
    return value


PEERS: dict[str, tuple[str, Callable[[Any], Callable[[str], Any]]]] = {
    "json.loads": ("json", lambda m: m.loads),
    "json-repair": (
        "json_repair",
        lambda m: lambda text: _from_json_repair(m.repair_json(text, return_objects=True)),
    ),
    "json-repair strict": (
        "json_repair",
        lambda m: lambda text: _from_json_repair(m.loads(text, strict=True)),
    ),
    "fast-json-repair": (
        "fast_json_repair",
        lambda m: lambda text: _from_json_repair(m.loads(text)),
    ),
    "langchain parse_json_markdown": ("langchain_core.utils.json", lambda m: m.parse_json_markdown),
    "langchain JsonOutputParser": (
        "langchain_core.output_parsers",
        lambda m: m.JsonOutputParser().parse,
    ),
    "instructor": (
        "instructor.utils",
        lambda m: lambda text: json.loads(m.extract_json_from_codeblock(text)),
    ),
    "partial-json-parser": ("partial_json_parser", lambda m: m.loads),
    "jiter partial": (
        "jiter",
        lambda m: lambda text: m.from_json(text.encode(), partial_mode="trailing-strings"),
    ),
    "dirtyjson": ("dirtyjson", lambda m: m.loads),
    "json5": ("json5", lambda m: m.loads),
    "demjson3": ("demjson3", lambda m: m.decode),
}
"""Module and how to read with it. Who is not installed does not take part."""


def contestants() -> Iterator[Contestant]:
    """Yield ours under each policy, then the peers that can be imported.

    The texts say nothing about how their messages ended. The default policy takes part three times:
    as it reads any text, as it works where the provider says `stop` (brackets missing at the end
    were then forgotten), and as it works for `ResponseValidator`, which knows the schema.
    """
    yield from map(ours, RepairPolicy)
    yield ours(RepairPolicy.AGREED, Ending.FINISHED)
    yield with_the_schema()
    for name, (module, make) in PEERS.items():
        try:
            parse = make(importlib.import_module(module))
        except (ImportError, AttributeError):
            continue
        yield Contestant(name, _reading_by(parse))


def _reading_by(parse: Callable[[str], Any]) -> Callable[[str, Contract | None], Reading]:
    return lambda text, _: Reading(parse(text))


def load(path: Path) -> list[Row]:
    """Read a file of cases. A schema that the expected value does not meet judges nobody."""
    rows = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        case = json.loads(line)
        must_fail, contract = bool(case.get("fail")), _contract_of(case)
        if contract and not must_fail and not contract.is_met_by(case.get("expected")):
            contract = None
        rows.append(Row(case["raw"], case.get("expected"), must_fail, contract))
    return rows


def _contract_of(case: dict[str, Any]) -> Contract | None:
    """Compile the schema of a case, if it has one that is a schema."""
    try:
        return compile_contract(case["schema"]) if isinstance(case.get("schema"), dict) else None
    except ValueError:
        return None


def share(part: int, whole: int) -> str:
    """Write a share in percent, or nothing for a share of nothing."""
    return f"{100 * part / whole:.1f}" if whole else "-"


HEADINGS = (
    "exact", "wrong", "flagged", "refused", "exact*", "wrong*", "kept", "taken", "µs"
)  # fmt: skip
LEGEND = """\
damaged texts, in percent: exact, wrong, wrong and flagged as such, refused; * if the schema decides
agreed, schema: ResponseValidator, which is told the schema; the others read the text alone
kept: JSON that comes back as it is; taken: texts for which a value is given although there is none
µs: median time for a damaged text"""


def score(rows: Sequence[Row], who: Contestant) -> str:
    """Write one line of the main table."""
    damaged = [row for row in rows if not row.must_fail and not row.is_json]
    sound = [row for row in rows if row.is_json]
    hopeless = [row for row in rows if row.must_fail]
    read = [
        (row, reading)
        for row in damaged
        if (reading := who.try_(row.raw, row.contract)) is not None
    ]
    exact = [(row, reading) for row, reading in read if _same(reading.value, row.expected)]
    wrong = [(row, reading) for row, reading in read if not _same(reading.value, row.expected)]
    unchanged = sum(
        (reading := who.try_(row.raw, row.contract)) is not None
        and _same(reading.value, row.expected)
        for row in sound
    )
    taken = sum(who.try_(row.raw, row.contract) is not None for row in hopeless)
    n = len(damaged)
    columns = (
        share(len(exact), n),
        share(len(wrong), n),
        share(sum(reading.flagged for _, reading in wrong), n),
        share(n - len(read), n),
        share(sum(_meets(*pair) for pair in exact), n),
        share(sum(_meets(*pair) for pair in wrong), n),
        share(unchanged, len(sound)),
        share(taken, len(hopeless)),
        median_us(who, damaged),
    )
    return f"{who.name:32}" + "".join(f"{column:>9}" for column in columns)


def _meets(row: Row, reading: Reading) -> bool:
    """Whether a value meets the schema of its row, if there is one."""
    if row.contract is None:
        return True
    try:
        return row.contract.is_met_by(reading.value)
    except (TypeError, ValueError):  # no JSON value
        return False


def _same(value: Any, expected: Any) -> bool:
    """Compare as Python does, but tell `1` and `true` apart."""
    if isinstance(expected, dict) and isinstance(value, dict):
        return value.keys() == expected.keys() and all(
            _same(value[key], part) for key, part in expected.items()
        )
    if isinstance(expected, list) and isinstance(value, list):
        return len(value) == len(expected) and all(map(_same, value, expected))
    return isinstance(value, bool) == isinstance(expected, bool) and bool(value == expected)


def median_us(who: Contestant, rows: Sequence[Row]) -> str:
    """Write the median time for a text, in µs: of each text the best of five."""
    if not rows:
        return "-"
    times = [min(_seconds(who, row.raw, row.contract) for _ in range(5)) for row in rows]
    return f"{statistics.median(times) * 1e6:.1f}"


def _seconds(who: Contestant, text: str, contract: Contract | None = None) -> float:
    started = time.perf_counter()
    who.try_(text, contract)
    return time.perf_counter() - started


def truncations(rows: Sequence[Row], who: Contestant, cuts: int = 1000) -> str:
    """Cut valid values at random places: how many pass the schema, and how many unflagged."""
    whole = [row for row in rows if not row.must_fail and row.contract and len(row.raw) > 2]
    if not whole:
        return ""
    chance = random.Random(0)
    accepted = unflagged = 0
    for _ in range(cuts):
        row = chance.choice(whole)
        text = json.dumps(row.expected)
        beginning = text[: chance.randrange(1, max(2, len(text)))]
        reading = who.try_(beginning, row.contract)
        if reading is not None and row.contract and row.contract.is_met_by(reading.value):
            accepted += 1
            unflagged += not reading.flagged
    return f"{who.name:32}{share(accepted, cuts):>9}{share(unflagged, cuts):>9}"


HOSTILE = (
    "{", "[", '{"a":', "{x} or [y] ", "plain prose ", "[1] ", "{}", '{"', '```\n["', "<think>",
    '{"a":"x"y"', '"#[', '["x" ', " ", "\\", '"a":1,', "[`", "{a:", '{"k": {"a":1}, ',
    '{"a":\u201c', '{"a":1}\n', "{ ", "dict([", '{"a":"[\\"', '"a",', '{"a":"\\\\x ', "- {",
)  # fmt: skip


def hostile(who: Contestant, length: int, tries: int = 1) -> str:
    """Write the longest time for texts of this length that are made to cost much."""
    texts = {seed: seed * (length // len(seed)) for seed in HOSTILE}
    times = {seed: min(_seconds(who, text) for _ in range(tries)) for seed, text in texts.items()}
    seed = max(times, key=times.__getitem__)
    return f"{who.name:32}{length:9}{times[seed] * 1e3:11.1f}  {seed!r}"


def schema_checks(rows: Sequence[Row]) -> str:
    """Write the median time to judge a parsed value by its schema."""
    times = []
    for row in rows:
        if row.contract is None or row.must_fail:
            continue
        best = 1.0
        for _ in range(5):
            started = time.perf_counter()
            row.contract.is_met_by(row.expected)
            best = min(best, time.perf_counter() - started)
        times.append(best * 1e6)
    return f"schema check, median: {statistics.median(times):.1f} µs" if times else ""


def tables(path: Path, field: Sequence[Contestant]) -> Iterator[str]:
    """Yield the lines of the tables for one file."""
    rows = load(path)
    yield f"\n{path.name}: {len(rows)} texts"
    yield " " * 32 + "".join(f"{heading:>9}" for heading in HEADINGS)
    yield from (score(rows, who) for who in field)
    cut = [line for who in field if (line := truncations(rows, who))]
    if cut:
        yield "\nvalid values cut at 1,000 random places, in percent: accepted, and unflagged"
        yield from cut
        yield schema_checks(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, help="folder with *.jsonl files")
    folder = parser.parse_args(arguments).folder
    field = list(contestants())
    print(LEGEND)
    for path in sorted(folder.glob("*.jsonl")):
        print("\n".join(tables(path, field)))
    print("\nworst of the hostile texts: characters, ms, text repeated")
    for who in field:
        print(hostile(who, 2048))
    default = ours(RepairPolicy.AGREED)
    for length in (8192, 1 << 16, 1 << 20):
        print(hostile(default, length, tries=3))


if __name__ == "__main__":
    main()
