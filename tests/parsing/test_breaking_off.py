"""What is refused without being mended, as nothing but its end is missing."""

import pytest

from langchain_control.parsing import Parsed, RepairPolicy, read_json
from langchain_control.parsing.breaking_off import breaks_off
from langchain_control.parsing.strict import MAX_DEPTH, scan

DOCUMENTS = [
    '{"name": "Ann", "tags": ["x", "it\'s"], "age": 30, "ok": true, "note": null}',
    '[\n  {"id": 1, "v": [2.5, -3]},\n  {"id": 2, "v": []},\n  [{}, [[]], "\u00e9t\u00e9"]\n]',
    '{"a": {"b": {"c": ["d", {"e": "f, g"}], "h": 12}}, "i": false, "j k": "l = (m)"}',
]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_what_breaks_off_is_cut_for_the_lenient_parser(text):
    """The quick answer is the one that mending comes to."""
    beginnings = [text[:end] for end in range(len(text))]
    taken = [begun for begun in beginnings if breaks_off(begun, scan(begun, 0))]

    assert len(taken) > len(text) // 2
    for begun in taken:
        read = read_json(begun, policy=RepairPolicy.LENIENT)
        assert isinstance(read, Parsed)
        assert "cut" in {repair.kind for repair in read.repairs}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        "{",
        "[",
        '{"a": tru',
        '{"a": 1 "b',
        '{"a": "b}',
        '{"a: 1, "b": 2',
        '{"a": "C:\\dir", "b',
        '{"a": ["b"], "```"',
        '{"a": 1e999',
        '{\n"a": {\n}\n',
        "[" * MAX_DEPTH + "[1",
        'Answer: {"a": 1',
    ],
)
def test_whatever_leaves_a_doubt_is_left_to_the_parser(text):
    """Complete or damaged texts, and those whose end is missing elsewhere, are looked at."""
    assert not breaks_off(text, scan(text, 0))
