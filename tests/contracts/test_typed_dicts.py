"""TypedDicts: what is judged is what pydantic makes of them as they were written."""

import json
import typing

import pytest
import typing_extensions
from pydantic import ConfigDict, TypeAdapter, ValidationError, field_validator

from langchain_control.contracts import compile_contract
from tests.contracts.deferred import Deferred, DeferredTotal


class Closed(typing_extensions.TypedDict, closed=True):
    """No other keys."""

    a: typing.Annotated[int, ..., "what a is"]


class OfClosed(Closed):
    """Another key, and still no others."""

    b: typing_extensions.NotRequired[int]


class Open(typing_extensions.TypedDict, extra_items=int):
    """Other keys of one type."""

    a: int


class Configured(typing_extensions.TypedDict):
    """Pydantic's own way to say so."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    a: int


class OfConfigured(Configured):
    """Configured by its base."""

    b: typing_extensions.NotRequired[int]


class Checked(typing_extensions.TypedDict):
    """A validator of its own."""

    a: int

    @field_validator("a")
    @classmethod
    def _is_odd(cls, a):
        if a % 2 == 0:
            msg = "not odd"
            raise ValueError(msg)
        return a


@pytest.mark.filterwarnings("ignore:Item 'day'")
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Deferred, {"note": "x"}),
        (Deferred, {"order_id": "x", "day": "x"}),
        (Deferred, {"order_id": "x", "amount": 1.5}),
        (Deferred, {"order_id": "x", "amount": 1.5, "day": "x"}),
        (DeferredTotal, {}),
        (DeferredTotal, {"note": 5}),
        (Closed, {"a": 1}),
        (Closed, {"a": 1, "b": 2}),
        (OfClosed, {"a": 1, "b": 2}),
        (OfClosed, {"a": 1, "c": 2}),
        (Open, {"a": 1, "b": 2}),
        (Open, {"a": 1, "b": "x"}),
        (Configured, {"a": 1, "b": 2}),
        (OfConfigured, {"a": 1, "b": 2}),
        (OfConfigured, {"a": 1, "c": 2}),
        (Checked, {"a": 1}),
        (Checked, {"a": 2}),
    ],
    ids=str,
)
def test_nothing_that_a_typed_dict_demands_is_lost(kind, value):
    """Keys are required, closed, configured and checked as they are for pydantic itself."""
    contract, adapter = compile_contract(kind), TypeAdapter(kind)
    try:
        due = adapter.validate_json(json.dumps(value), strict=True)
    except ValidationError:
        assert contract.judge(value)
    else:
        assert contract.typed(value) == due
    for keyword in ("required", "additionalProperties"):
        assert contract.json_schema().get(keyword) == adapter.json_schema().get(keyword)


class Inner(typing.TypedDict):
    """Of the standard library's kind."""

    x: int


@pytest.mark.parametrize(
    "kind",
    [
        typing.Annotated[Inner, ...],
        typing.Annotated[Inner, ..., "what it is"],
        list[typing.Annotated[Inner, ...]],
    ],
    ids=str,
)
def test_what_is_annotated_is_rewritten(kind):
    """LangChain's `...` stands beside a TypedDict as it does beside any other type."""
    value = [{"x": 1}] if typing.get_origin(kind) is list else {"x": 1}

    assert compile_contract(kind).is_met_by(value)
