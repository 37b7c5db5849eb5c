"""Contracts written as models of pydantic 1, which LangChain still takes."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic.v1 import BaseModel, ValidationError
from pydantic.v1.fields import ModelField
from pydantic.v1.schema import get_flat_models_from_model, get_model_name_map

from langchain_control.contracts.conversion import converted, first_read_alike
from langchain_control.contracts.json_schema import MAX_VIOLATIONS, JsonSchemaContract
from langchain_control.contracts.pointers import pointer
from langchain_control.outcomes import Violation

__all__ = ["PydanticV1Contract"]


class PydanticV1Contract:
    """A contract written as a model of `pydantic.v1`.

    Judged by its JSON Schema first, as pydantic 1 would convert `"7"` to 7, then by its validators.
    Formats, decimals and spans of time are left to the validators: pydantic takes more of them. So
    are the names of fields where the model may be populated by them.
    """

    def __init__(self, kind: type[BaseModel]) -> None:
        """Compile the model.

        Raises:
            ValueError: Pydantic cannot describe it.
        """
        self._kind = kind
        try:
            self._schema = _schema_of(kind, as_read=False)
            shape = _DIALECT | _schema_of(kind, as_read=True)
            self._shape = JsonSchemaContract(shape, asserts_formats=False)
        except TypeError as exc:
            msg = f"pydantic cannot use it as a schema: {exc}"
            raise ValueError(msg) from exc

    def json_schema(self) -> dict[str, Any]:
        """Return a copy of the JSON Schema that pydantic derives, and of what may be `null`."""
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
            return tuple(map(_violation, exc.errors()[:MAX_VIOLATIONS]))
        except Exception:
            if broken := JsonSchemaContract(_DIALECT | self._schema).judge(value):
                return broken
            raise
        return ()

    def excludes(self, key: str) -> bool:  # noqa: ARG002
        """Return `False`: validators that see a value first may change it, and are not told of."""
        return False

    def coerced(self, value: Any) -> Any:
        """Convert what pydantic converts, or return the value as it is.

        Scalars are converted where they stand: what its encoders would make of the rest is not what
        the model wrote. Their JSON counts where that does not do, as in a union of models.
        """
        ways = (self._with_scalars_converted, _dumped)
        return first_read_alike(value, ways, lax=self.typed, strict=self._strictly_typed)

    def _with_scalars_converted(self, value: Any, _: Any) -> Any:
        return converted(value, self._shape.mistyped(value))

    def _strictly_typed(self, value: Any) -> Any:
        if not self._shape.is_met_by(value):
            msg = "of another shape"
            raise ValueError(msg)
        return self.typed(value)

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


_DIALECT = {"$schema": "http://json-schema.org/draft-07/schema#"}
"""What pydantic 1 writes: its tuples mean nothing in later drafts."""


def _schema_of(kind: type[BaseModel], *, as_read: bool) -> dict[str, Any]:
    """Return the JSON Schema of a model, with `null` where pydantic takes it.

    Args:
        kind: The model.
        as_read: Whether to take all that pydantic reads: strings for numbers that may be written
            so, and names of fields where the model may be populated by them.
    """
    schema: dict[str, Any] = json.loads(kind.schema_json())
    models = get_model_name_map(get_flat_models_from_model(kind))
    for model, name in models.items():
        if not issubclass(model, BaseModel):  # an enum
            continue
        part = schema.get("definitions", {}).get(name, schema)
        properties = part.get("properties", {})
        by_name = as_read and model.__config__.allow_population_by_field_name
        for field in model.__fields__.values():
            if field.alias not in properties:
                continue
            described = _described(field, properties[field.alias], as_read=as_read)
            properties[field.alias] = described
            if by_name:
                properties[field.name] = described
                part["required"] = [key for key in part.get("required", ()) if key != field.alias]
    return schema


def _described(field: ModelField, schema: dict[str, Any], *, as_read: bool) -> dict[str, Any]:
    """Return the schema of a field; its parts belong to what the field is made of."""
    inner, changed = field.sub_fields or [], dict(schema)
    for keyword in _WITH_PARTS & schema.keys():
        match schema[keyword]:
            case dict() as part if len(inner) == 1:
                changed[keyword] = _described(inner[0], part, as_read=as_read)
            case list() as parts if len(inner) == len(parts):
                pairs = zip(inner, parts, strict=True)
                changed[keyword] = [_described(f, part, as_read=as_read) for f, part in pairs]
    if as_read and not inner and _is_read_from_strings(field.type_):
        changed["type"] = ["number", "string"]
    return _or_null(changed) if field.allow_none else changed


_WITH_PARTS = frozenset(("additionalProperties", "anyOf", "items", "oneOf"))
"""Keywords under which pydantic writes the parts of a field, in the order of its types."""


def _is_read_from_strings(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Decimal | timedelta)


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    about = {key: value for key, value in schema.items() if key in _ANNOTATIONS}
    asked = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
    return about | {"anyOf": [asked, {"type": "null"}]} if asked else about


_ANNOTATIONS = frozenset(("title", "description", "default", "examples"))


def _dumped(_: Any, read: BaseModel) -> Any:
    return json.loads(read.json(by_alias=True, exclude_unset=True))


def _violation(error: Any) -> Violation:
    place = [step for step in error["loc"] if step != "__root__"]
    if error["type"] == "value_error.missing" and place:
        name = json.dumps(str(place[-1]), ensure_ascii=False)
        return Violation("required", f"the property {name}", path=pointer(place[:-1]))
    return Violation(error["type"], _expected(error), path=pointer(place))


def _expected(error: Any) -> str:
    """Return pydantic's sentence, but for the one about a tag, which quotes the model."""
    about = error.get("ctx", {})
    if "discriminator_value" in about:
        return f"`{about['discriminator_key']}` to be one of {about['allowed_values']}"
    return str(error["msg"])
