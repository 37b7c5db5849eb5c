"""Objects of a type, written as JSON that the type reads them from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

from pydantic import AliasChoices, BaseModel, RootModel
from pydantic_core import to_jsonable_python

from langchain_control.contracts import compile_contract, is_of_pydantic_v1

__all__ = ["ReadAsAnotherError", "written"]


class ReadAsAnotherError(ValueError):
    """A type reads another object from whatever one of its objects is written as."""


def written(given: Any) -> Any:
    """Return a dataclass or an object of pydantic as JSON that its type reads as the same object.

    Serializers may mask what it holds, leave it out or call it by other names. Where its own JSON
    is not what it is read from, what it holds is written without them. One that its type reads from
    nothing of this is written as it would be for anybody else.

    Raises:
        ReadAsAnotherError: Its type reads another object, as where its validators change again what
            they have changed before.
        ValueError: Pydantic cannot write it.
    """
    read_as_another = False
    for write in (_own_json, partial(_own_json, round_trip=True), _held):
        with suppress(Exception):  # validators and serializers may fail in any way
            value = write(given)
            text = json.dumps(value, allow_nan=False)
            again = compile_contract(type(given)).typed(json.loads(text))
            if _held(again) == _held(given):
                return value
            read_as_another = True
    if read_as_another:
        raise ReadAsAnotherError
    return _own_json(given)


def _own_json(given: Any, *, round_trip: bool = False) -> Any:
    if is_of_pydantic_v1(type(given)):
        return json.loads(given.json(by_alias=True))
    return to_jsonable_python(given, round_trip=round_trip)


def _held(given: Any) -> Any:
    """Return what an object holds, under the names that its type reads."""
    if hasattr(given, "get_secret_value"):
        return _held(given.get_secret_value())
    if isinstance(given, RootModel):
        return _held(given.root)
    if (members := _members(given)) is not None:
        return {name: _held(value) for name, value in members.items()}
    if isinstance(given, list | tuple | set | frozenset):
        return [_held(item) for item in given]
    return to_jsonable_python(given)


def _members(given: Any) -> dict[str, Any] | None:
    """Return the members of what becomes a JSON object; `None` if it becomes none."""
    kind = type(given)
    if isinstance(given, Mapping):
        return {next(iter(to_jsonable_python({key: 0}))): value for key, value in given.items()}
    if is_of_pydantic_v1(kind):
        names = {name: field.alias for name, field in kind.__fields__.items()}
        return {names.get(name, name): value for name, value in given.__dict__.items()}
    if isinstance(given, BaseModel):
        told = kind.model_fields
        held = {_read_name(name, field): getattr(given, name) for name, field in told.items()}
        return held | (given.model_extra or {})
    if is_dataclass(given):
        told = getattr(kind, "__pydantic_fields__", {})
        taken = [field.name for field in fields(given) if field.init]
        return {_read_name(name, told.get(name)): getattr(given, name) for name in taken}
    return None


def _read_name(name: str, field: Any) -> str:
    """Return the name that a field is read by; the first one that will do."""
    match getattr(field, "validation_alias", None) or getattr(field, "alias", None):
        case str() as alias:
            return alias
        case AliasChoices(choices=[str() as alias, *_]):
            return alias
    return name
