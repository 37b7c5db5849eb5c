"""Which contracts say what an object may have, and which leave it open."""

from typing import NotRequired, TypedDict

import pytest
from pydantic import BaseModel, ConfigDict, Field

from langchain_control.contracts import compile_contract
from langchain_control.contracts.members import all_members


class Leaf(BaseModel):
    """Holds others of its kind."""

    name: str = Field(alias="title")
    below: "list[Leaf]" = []


class Open(BaseModel):
    """Takes what comes."""

    model_config = ConfigDict(extra="allow")
    a: str


class Typed(TypedDict):
    """One member may be left out."""

    a: str
    b: NotRequired[int]


@pytest.mark.parametrize(
    ("schema", "members"),
    [
        (Leaf, {"title", "below"}),
        (Typed, {"a", "b"}),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a"}),
        ({"properties": {"a": {}, "b": {}}, "required": ["a"]}, {"a", "b"}),
        ({"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"a", "b"}),
        ({"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}],
          "$defs": {"A": {"type": "object", "properties": {"a": {"additionalProperties": {}}}}}},
         {"a"}),
    ],
)  # fmt: skip
def test_a_contract_may_name_all_members(schema, members):
    """Those of alternatives and references together; what is inside members does not count."""
    assert all_members(compile_contract(schema).json_schema()) == members


A = {"properties": {"a": {"type": "string"}}}


@pytest.mark.parametrize(
    "schema",
    [
        Open,
        dict[str, int],
        {},
        {"type": "array", "items": A},
        {"required": ["a"]},
        {**A, "required": ["a", "b"]},
        {**A, "additionalProperties": True},
        {**A, "additionalProperties": {}},
        {**A, "unevaluatedProperties": {"type": "string"}},
        {**A, "patternProperties": {"^x": {}}},
        {**A, "propertyNames": {"maxLength": 3}},
        {**A, "dependentSchemas": {"a": {"properties": {"b": {}}}}},
        {**A, "allOf": [{"$ref": "#elsewhere"}], "$defs": {"b": {"$anchor": "elsewhere"}}},
        {"anyOf": [A, {"type": "object"}]},
    ],
)
def test_a_contract_may_leave_it_open(schema):
    """Other members are invited, named where they are not looked for, or not spoken of."""
    assert all_members(compile_contract(schema).json_schema()) == frozenset()
