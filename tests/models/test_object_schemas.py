"""Contracts as providers take them."""

import pytest

from langchain_control.models.object_schemas import as_object

NAME = {"type": "object", "properties": {"name": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (NAME, NAME),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"$ref": "#/$defs/N", "$defs": {"N": NAME}}, {**NAME, "$defs": {"N": NAME}}),
        (
            {"$ref": "#/definitions/N", "title": "T", "definitions": {"N": NAME}},
            {**NAME, "title": "T", "definitions": {"N": NAME}},
        ),
        (
            {"type": "object", "required": ["sky"]},
            {
                "type": "object",
                "required": ["sky"],
                "properties": {"sky": {}},
                "additionalProperties": True,
            },
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"type": "object", "additionalProperties": {"type": "integer"}, "properties": {}},
        ),
    ],
    ids=["as it is", "no type", "reference", "pydantic 1", "required only", "mapping"],
)
def test_an_object_is_spelled_out(schema, expected):
    """LangChain drops a schema without `properties`, and the name with a reference."""
    assert as_object(schema) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "array", "items": NAME},
        {"type": ["object", "null"], "properties": {}},
        {"type": "object", "oneOf": [NAME, NAME]},
        {"anyOf": [NAME, NAME]},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {"$ref": "#"},
        {"$ref": "#/$defs/A", "$defs": {"A": {"enum": ["a"]}}},
    ],
    ids=str,
)
def test_what_is_no_object_is_for_no_mode(schema):
    """Tools and schema modes take objects, and a reference has to lead to one."""
    assert as_object(schema) is None
