"""The benchmark of reading JSON, on files that hold no more than they must."""

import json

import pytest

from benchmarks.structured import (
    HEADINGS,
    Contestant,
    contestants,
    load,
    ours,
    tables,
    with_the_schema,
)
from langchain_control.parsing import RepairPolicy

CASES = [
    {"raw": '{"a": 1,}', "expected": {"a": 1}},
    {"raw": '{"a": 1 "b": 2}', "expected": {"a": 1, "b": 3}},
    {"raw": "['\u2028', None]", "expected": ["\u2028", None], "schema": {"type": "array"}},
    {"raw": "{'a': ]", "expected": {"a": []}, "schema": {"type": "nonsense"}, "more": True},
    {"raw": '{"a": 1}', "expected": {"a": 1}},
    {"raw": "null", "expected": None},
    {"raw": "no", "fail": True},
]


@pytest.fixture
def path(tmp_path):
    """A file with one row a line, and an empty line at its end."""
    lines = (json.dumps(case, ensure_ascii=False) + "\n" for case in CASES)
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(lines) + "\n", encoding="utf-8")
    return path


def figures(path, who):
    """Read the line of one contestant."""
    line = next(line for line in tables(path, [who]) if line.startswith(who.name))
    return dict(zip(HEADINGS, line.removeprefix(who.name).split(), strict=True))


def test_every_row_is_read(path):
    """A row needs a text and what it means, and nothing else."""
    assert len(load(path)) == len(CASES)


def test_the_shares_are_those_of_the_damaged_texts(path):
    """Exact, wrong, and refused; sound JSON and hopeless texts are counted by themselves."""
    line = figures(path, ours(RepairPolicy.AGREED))

    assert (line["exact"], line["wrong"], line["refused"]) == ("50.0", "25.0", "25.0")
    assert (line["flagged"], line["kept"], line["taken"]) == ("25.0", "100.0", "0.0")


def test_peers_are_measured_alike(path):
    """Whoever raises refuses, and whoever says nothing of a repair flags nothing."""
    line = figures(path, next(who for who in contestants() if who.name == "json-repair"))

    assert line["refused"] == "0.0"
    assert line["flagged"] == "0.0"
    assert line["kept"] == "100.0"


def test_the_validator_is_told_the_schema(tmp_path):
    """A last bracket that is missing is forgiven where the schema shows that nothing else is."""
    path = tmp_path / "short.jsonl"
    schema = {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}
    rows = [{"raw": '{"a": "x", "b": "y"', "expected": {"a": "x", "b": "y"}, "schema": schema}]
    rows += [{"raw": '{"a": "x"', "fail": True, "schema": schema}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = figures(path, with_the_schema())

    assert (told["exact"], told["taken"]) == ("100.0", "0.0")
    assert figures(path, ours(RepairPolicy.AGREED))["refused"] == "100.0"


def test_a_file_of_one_kind_will_do(tmp_path):
    """Without damaged texts there are no shares of them."""
    path = tmp_path / "sound.jsonl"
    path.write_text('{"raw": "1", "expected": 1}\n')

    assert figures(path, ours(RepairPolicy.LENIENT))["exact"] == "-"


def test_our_policies_take_part():
    """The default and the lenient reader have rows of their own."""
    names = [who.name for who in contestants() if isinstance(who, Contestant)]

    assert {"langchain-control agreed", "langchain-control lenient"} <= set(names)
