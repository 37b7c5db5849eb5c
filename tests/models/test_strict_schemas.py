"""Schemas as a strict mode wants them."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from langchain_control.contracts import compile_contract
from langchain_control.models.strict_schemas import strict


class Line(BaseModel):
    item: str = Field(min_length=1, pattern="^[a-z]+$")
    note: str | None = None


class Card(BaseModel):
    kind: Literal["card"]
    number: str


class Cash(BaseModel):
    kind: Literal["cash"]


class Order(BaseModel):
    first: Line = Field(description="The first line.")
    lines: list[Line]
    paid: Annotated[Card | Cash, Field(discriminator="kind")]


class WithDefault(BaseModel):
    limit: int = 10


class WithoutNull(BaseModel):
    note: str = None


class Anything(BaseModel):
    extra: dict[str, int]


ORDER = {
    "first": {"item": "a", "note": None},
    "lines": [{"item": "b", "note": "c"}],
    "paid": {"kind": "cash"},
}


def test_every_object_is_closed_and_every_property_required():
    """OpenAI refuses a strict schema in which one is missing."""
    found = strict(Order.model_json_schema())

    line, root = found.schema["$defs"]["Line"], found.schema
    assert found.is_faithful
    assert line["required"] == ["item", "note"]
    assert line["additionalProperties"] is root["additionalProperties"] is False
    assert "default" not in line["properties"]["note"]
    assert "anyOf" in root["properties"]["paid"]


def test_a_reference_keeps_what_the_field_says_about_itself():
    """Beside `$ref` itself nothing may stand, and without it the model would not be told."""
    first = strict(Order.model_json_schema()).schema["properties"]["first"]

    assert first == {"anyOf": [{"$ref": "#/$defs/Line"}], "description": "The first line."}


def test_what_meets_the_strict_schema_meets_the_contract():
    """It is the same contract, said more narrowly."""
    narrow = compile_contract(strict(Order.model_json_schema()).schema)

    assert narrow.is_met_by(ORDER)
    assert compile_contract(Order).is_met_by(ORDER)
    assert not narrow.is_met_by({**ORDER, "first": {"item": "a"}})


@pytest.mark.parametrize(
    "note",
    [
        {"type": "null"},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"anyOf": [{"type": ["string", "null"]}]},
    ],
    ids=str,
)
def test_what_is_null_by_default_may_be_required(note):
    """A model that has nothing to say there says null."""
    schema = {"type": "object", "properties": {"note": {**note, "default": None}}}

    assert strict(schema).is_faithful


@pytest.mark.parametrize(
    "schema",
    [
        WithDefault.model_json_schema(),
        WithoutNull.model_json_schema(),
        Anything.model_json_schema(),
        {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        {"type": "object", "properties": {"a": True}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "array"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": ["array", "null"]}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": ["object", "null"]}}, "required": ["a"]},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(?!b)"}}},
        {"type": "object", "properties": {"a": {"type": "string", "format": "uri"}}},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object", "properties": {}, "patternProperties": {}},
        {"$defs": {"A": {"type": "null"}}, "$ref": "#/$defs/A", "anyOf": [{"type": "null"}]},
        {"discriminator": {}, "oneOf": [{"type": "null"}], "anyOf": [{"type": "string"}]},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "null"}]}}, "required": ["a"]},
    ],
    ids=str,
)
def test_what_strictness_excludes_is_told(schema):
    """Asked for all the same, it would be refused, or make a model invent what it may leave out."""
    assert not strict(schema).is_faithful
