"""Contracts written as models of pydantic 1, which LangChain still takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic.v1 import BaseModel, ValidationError
from pydantic.v1.fields import ModelField
from pydantic.v1.schema import get_flat_models_from_model, get_model_name_map

from langchain_control.contracts.conversion import converted
from langchain_control.contracts.json_schema import MAX_VIOLATIONS, JsonSchemaContract
from langchain_control.contracts.pointers import pointer
from langchain_control.outcomes import Violation

__all__ = ["PydanticV1Contract"]


class PydanticV1Contract:
    """A contract written as a model of `pydantic.v1`.

    Judged by its JSON Schema first, as pydantic 1 would convert `"7"` to 7, then by its validators.
    Formats, decimals and spans of time are left to the validators: pydantic takes more of them.
    """

    def __init__(self, kind: type[BaseModel]) -> None:
        """Compile the model.

        Raises:
            ValueError: Pydantic cannot describe it.
        """
        self._kind = kind
        try:
            self._schema: dict[str, Any] = json.loads(kind.schema_json())
            self._shape = JsonSchemaContract(_shape_of(kind), asserts_formats=False)
        except TypeError as exc:
            msg = f"pydantic cannot use it as a schema: {exc}"
            raise ValueError(msg) from exc

    def json_schema(self) -> dict[str, Any]:
        """Return a copy of the JSON Schema that pydantic derives."""
        copied: dict[str, Any] = json.loads(json.dumps(self._schema))
        return copied

    def is_met_by(self, value: Any) -> bool:
        """Judge without saying why."""
        return not self.judge(value)

    def judge(self, value: Any, *, lax: bool = False) -> tuple[Violation, ...]:
        """List everything that is wrong, up to `MAX_VIOLATIONS`."""
        if not lax and (broken := self._shape.judge(value)):
            return broken
        try:
            self.typed(value)
        except ValidationError as exc:
            return tuple(
                Violation(
                    rule=error["type"],
                    expected=_expected(error),
                    path=pointer(step for step in error["loc"] if step != "__root__"),
                )
                for error in exc.errors()[:MAX_VIOLATIONS]
            )
        except Exception:
            if broken := JsonSchemaContract(self._schema).judge(value):
                return broken
            raise
        return ()

    def coerced(self, value: Any) -> Any:
        """Convert the scalars that pydantic converts, or return the value as it is.

        What its encoders would make of the rest is not what the model wrote.
        """
        if self.judge(value, lax=True):
            return value
        fitted = converted(value, self._shape.mistyped(value))
        return fitted if self.is_met_by(fitted) else value

    def typed(self, value: Any, *, lax: bool = False) -> Any:  # noqa: ARG002
        """Return the value as an instance of the model, which converts types in any case.

        Raises:
            pydantic.v1.ValidationError: The value does not meet the contract.
        """
        return self._kind.parse_obj(value)

    def __eq__(self, other: object) -> bool:
        """Compare the models."""
        return isinstance(other, PydanticV1Contract) and self._kind == other._kind

    def __hash__(self) -> int:
        """Hash the model."""
        return hash(self._kind)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the model, to be compiled again."""
        return PydanticV1Contract, (self._kind,)


def _shape_of(kind: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model, with strings where pydantic reads numbers from them."""
    schema: dict[str, Any] = json.loads(kind.schema_json())
    models = get_model_name_map(get_flat_models_from_model(kind))
    for model, name in models.items():
        part = schema.get("definitions", {}).get(name, schema)
        properties = part.get("properties", {})
        for field in getattr(model, "__fields__", {}).values():
            if field.alias in properties and any(map(_is_read_from_strings, _kinds_in(field))):
                properties[field.alias] = _or_strings(properties[field.alias])
    return schema


def _kinds_in(field: ModelField) -> Iterator[Any]:
    """Yield the types that a field is made of."""
    if not field.sub_fields:
        yield field.type_
    for inner in field.sub_fields or ():
        yield from _kinds_in(inner)


def _is_read_from_strings(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Decimal | timedelta)


def _or_strings(schema: Any) -> Any:
    match schema:
        case {"type": "number"}:
            return {**schema, "type": ["number", "string"]}
        case dict():
            return {key: _or_strings(part) for key, part in schema.items()}
        case list():
            return [_or_strings(part) for part in schema]
    return schema


def _expected(error: Any) -> str:
    """Return pydantic's sentence, but for the one about a tag, which quotes the model."""
    about = error.get("ctx", {})
    if "discriminator_value" in about:
        return f"`{about['discriminator_key']}` to be one of {about['allowed_values']}"
    return str(error["msg"])
