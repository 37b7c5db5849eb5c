"""Objects of a type, written as JSON that the type reads them from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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


def written(given: Any, *, read_back: bool = False) -> Any:
    """Return a dataclass or an object of pydantic as JSON.

    Args:
        given: The object.
        read_back: Whether its type is to read the same object from it. Serializers may mask what it
            holds, leave it out or call it by other names. Where its own JSON is not what it is read
            from, what it holds is written without them, but for excluded fields with a default. One
            that its type reads from nothing of this is written as it would be for anybody else.

    Raises:
        ReadAsAnotherError: Its type reads another object, as where its validators change again what
            they have changed before. Members that its type does not know may be missing.
        ValueError: Pydantic cannot write it.
    """
    candidates = list(_read_back(given)) if read_back else []
    for alike in (_is_same, _is_part):
        for value, again in candidates:
            with suppress(Exception):  # comparisons of the application may fail in any way
                if alike(again, given):
                    return value
    if candidates:
        raise ReadAsAnotherError
    return _own_json(given)


def _read_back(given: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what an object may be written as, and what its type reads from that."""
    for write in (_own_json, partial(_own_json, round_trip=True), _held):
        with suppress(Exception):  # validators and serializers may fail in any way
            value = write(given)
            text = json.dumps(value, allow_nan=False)
            again = compile_contract(type(given)).typed(json.loads(text))
            yield value, again


def _is_same(again: Any, given: Any) -> bool:
    is_equal = type(again) is type(given) and bool(again == given)
    return is_equal or bool(_held(again) == _held(given))


def _is_part(again: Any, given: Any) -> bool:
    return _is_within(_held(again), _held(given))


def _is_within(part: Any, whole: Any) -> bool:
    """Whether JSON says nothing but what other JSON says; it may have fewer members."""
    match part, whole:
        case dict(), dict():
            return all(name in whole and _is_within(part[name], whole[name]) for name in part)
        case list(), list():
            return len(part) == len(whole) and all(map(_is_within, part, whole))
    return bool(part == whole)


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
    if isinstance(given, set | frozenset):
        return sorted(map(_held, given), key=json.dumps)
    if isinstance(given, list | tuple):
        return [_held(item) for item in given]
    return to_jsonable_python(given)


def _members(given: Any) -> dict[str, Any] | None:
    """Return the members of what becomes a JSON object; `None` if it becomes none."""
    kind = type(given)
    if isinstance(given, Mapping):
        return {next(iter(to_jsonable_python({key: 0}))): value for key, value in given.items()}
    if is_of_pydantic_v1(kind):
        old = kind.__fields__
        names = {name: field.alias for name, field in old.items()}
        left_out = {n for n, f in old.items() if f.field_info.exclude is True and not f.required}
        held = {name: value for name, value in given.__dict__.items() if name not in left_out}
        return {names.get(name, name): value for name, value in held.items()}
    if isinstance(given, BaseModel):
        told = {n: f for n, f in kind.model_fields.items() if not _is_left_out(f)}
        held = {_read_name(name, field): getattr(given, name) for name, field in told.items()}
        return held | (given.model_extra or {})
    if is_dataclass(given):
        told = getattr(kind, "__pydantic_fields__", {})
        taken = [f.name for f in fields(given) if f.init and not _is_left_out(told.get(f.name))]
        return {_read_name(name, told.get(name)): getattr(given, name) for name in taken}
    return None


def _is_left_out(field: Any) -> bool:
    """Whether a field stays with the application, and its type can do without it."""
    return getattr(field, "exclude", None) is True and not field.is_required()


def _read_name(name: str, field: Any) -> str:
    """Return the name that a field is read by; the first one that will do."""
    match getattr(field, "validation_alias", None) or getattr(field, "alias", None):
        case str() as alias:
            return alias
        case AliasChoices(choices=[str() as alias, *_]):
            return alias
    return name
