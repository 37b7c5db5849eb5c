"""Which keys a contract speaks of."""

import pytest
from pydantic import BaseModel

from langchain_control.contracts import compile_contract, vocabulary_of


class Cat(BaseModel):
    """One of two alternatives."""

    name: str
    lives: int = 9


class Folder(BaseModel):
    """A model that refers to itself, which pydantic writes as a reference."""

    path: str
    folders: list["Folder"] = []


@pytest.mark.parametrize(
    ("schema", "names", "titles"),
    [
        ({"properties": {"a": {}}, "required": ["b"]}, {"a", "b"}, set()),
        ({"properties": {"a": {"properties": {"inner": {}}}}}, {"a"}, set()),
        ({"allOf": [{"required": ["a"]}], "then": {"required": ["b"]}}, {"a", "b"}, set()),
        ({"$ref": "#/$defs/x~1y", "$defs": {"x/y": {"required": ["a"]}}}, {"a"}, set()),
        ({"$ref": "#"}, set(), set()),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a"}, set()),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}, set(), set()),
        ({"properties": {"a": {}}, "patternProperties": {"^x-": {}}}, set(), set()),
        ({"type": "array", "items": {"required": ["a"]}}, set(), set()),
        (Cat, {"name", "lives"}, {"Cat"}),
        (Cat | Folder, {"name", "lives", "path", "folders"}, {"Cat", "Folder"}),
        (Folder, {"path", "folders"}, {"Folder"}),
        (dict[str, int], set(), set()),
        (list[Cat], set(), set()),
    ],
)
def test_the_keys_of_the_value_itself_are_named(schema, names, titles):
    """Alternatives and references are followed, inner objects are not; any key is no key."""
    assert vocabulary_of([compile_contract(schema).json_schema()]) == (names, titles)


def test_contracts_that_hold_together_share_a_vocabulary():
    """The keys of all contracts count."""
    assert vocabulary_of([{"required": ["a"]}, {"required": ["b"]}]).names == {"a", "b"}
