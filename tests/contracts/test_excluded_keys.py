"""Keys that a contract excludes, where that is certain."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest
import typing_extensions
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, model_validator
from pydantic import v1 as pydantic_v1

from langchain_control.contracts import compile_contract

NAMED = {"type": "object", "properties": {"name": {}}}
CLOSED = {**NAMED, "additionalProperties": False}


class Named(BaseModel):
    """Takes any further key."""

    name: str


class Closed(BaseModel):
    """Takes no further key."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(validation_alias=AliasChoices("title", AliasPath("names", 0)))
    kids: list["Closed"] = []


class Checked(BaseModel):
    """Judged after it is read."""

    model_config = ConfigDict(extra="forbid")
    name: str

    @model_validator(mode="after")
    def _check(self):
        return self


class Renaming(BaseModel):
    """Reads a key under another name."""

    model_config = ConfigDict(extra="forbid")
    name: str

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, given):
        return {"name": given["total"]}


class Making(BaseModel):
    """Decides by itself what becomes of keys."""

    model_config = ConfigDict(extra="forbid")
    name: str

    def __init__(self, total: str = "", **given: Any) -> None:
        super().__init__(name=total, **given)


class ClosedDict(typing_extensions.TypedDict, closed=True):
    """Takes no further key."""

    name: str


class OpenDict(typing_extensions.TypedDict):
    """Takes any further key."""

    name: str


@dataclass
class Plain:
    """A dataclass."""

    name: str


class OfPydantic1(pydantic_v1.BaseModel):
    """Nothing is told of it."""

    name: str


RECURSIVE = {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [CLOSED, {"$ref": "#/$defs/a"}]}}}


@pytest.mark.parametrize(
    "schema",
    [
        int,
        list[int],
        list[int] | None,
        Literal["a"],
        Closed,
        Closed | int,
        Checked,
        ClosedDict,
        {"type": "string"},
        {"type": ["array", "null"]},
        CLOSED,
        {"$ref": "#/$defs/closed", "$defs": {"closed": CLOSED}},
        {"anyOf": [CLOSED, {"type": "integer"}]},
        {"allOf": [CLOSED, {}]},
    ],
    ids=repr,
)
def test_a_key_that_no_object_may_have_is_excluded(schema):
    """What is no object has no keys, and a closed object has those that it names."""
    assert compile_contract(schema).excludes("total")


@pytest.mark.parametrize(
    "schema",
    [
        Named,
        Named | int,
        Renaming,
        Making,
        OpenDict,
        Plain,
        OfPydantic1,
        dict[str, int],
        NAMED,
        {},
        {"required": ["name"]},
        {**CLOSED, "patternProperties": {"^t": {}}},
        {**CLOSED, "properties": {"total": {}}},
        {"anyOf": [CLOSED, NAMED]},
        {"$ref": "#/$defs/named", "additionalProperties": False, "$defs": {"named": NAMED}},
        RECURSIVE,
    ],
    ids=repr,
)
def test_nothing_is_excluded_that_may_be_there(schema):
    """Whatever may take a key, or may change what is read, is left to the answers."""
    assert not compile_contract(schema).excludes("total")


@pytest.mark.parametrize("key", ["name", "title", "names", "kids"])
def test_a_field_may_go_by_any_of_its_names(key):
    """Its aliases are keys of the answer."""
    assert not compile_contract(Closed).excludes(key)
