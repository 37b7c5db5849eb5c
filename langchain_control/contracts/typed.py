"""Contracts written as Python types, judged by pydantic."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails, SchemaError
from pydantic_core.core_schema import ErrorType, GeneratorSchema

from langchain_control.contracts.alternatives import at_place, meant_by_constants
from langchain_control.contracts.conversion import Mistyped, converted, first_read_alike
from langchain_control.contracts.excluded_keys import excluded_by_type
from langchain_control.contracts.json_schema import MAX_VIOLATIONS, JsonSchemaContract
from langchain_control.contracts.located import (
    IS_MISSING,
    Located,
    Members,
    Path,
    first_located,
    located,
    of_meant_members,
)
from langchain_control.contracts.pointers import describe, pointer, property_name
from langchain_control.contracts.typed_dicts import pydantic_ready
from langchain_control.outcomes import Violation

__all__ = ["TypedContract"]


class TypedContract:
    """A contract written as a pydantic model, a TypedDict, or any type pydantic understands.

    Judged in pydantic's strict JSON mode: a date may come as a string, but `"7"` is no number.
    A value that makes a validator of the application raise anything but what pydantic takes for a
    verdict is judged by the JSON Schema. If it meets that, the exception is raised on.
    """

    def __init__(self, kind: Any) -> None:
        """Compile the type.

        Raises:
            ValueError: Pydantic cannot validate or describe it, or reads some of it later.
        """
        self._kind = kind
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(pydantic_ready(kind))
            self._schema = self._adapter.json_schema(schema_generator=_OfWhatIsRead)
        except (PydanticUserError, SchemaError, TypeError, NameError) as exc:
            msg = f"pydantic cannot use it as a schema: {exc}"
            raise ValueError(msg) from exc

    def json_schema(self) -> dict[str, Any]:
        """Return a copy of the JSON Schema that pydantic derives."""
        copied: dict[str, Any] = json.loads(json.dumps(self._schema))
        return copied

    def is_met_by(self, value: Any) -> bool:
        """Judge without saying why."""
        try:
            self.typed(value)
        except ValidationError:
            return False
        except Exception:
            if self._shape.is_met_by(value):
                raise
            return False
        return True

    def judge(self, value: Any, *, lax: bool = False) -> tuple[Violation, ...]:
        """List everything that is wrong, up to `MAX_VIOLATIONS`."""
        try:
            self.typed(value, lax=lax)
        except ValidationError as exc:
            errors = [*map(_named_apart, exc.errors())]
            found = first_located(errors, value, limit=_MAX_ERRORS, of_each=_MAX_OF_EACH)
            told = of_meant_members(found, partial(self._meant, value))
            return tuple(map(_violation, told[:MAX_VIOLATIONS]))
        except Exception:
            if broken := self._shape.judge(value):
                return broken
            raise
        return ()

    def excludes(self, key: str) -> bool:
        """Whether it is certain that no object with this key is read as the type."""
        return excluded_by_type(self._adapter.core_schema, key)

    def coerced(self, value: Any) -> Any:
        """Convert what pydantic's lax mode converts, or return the value as it is.

        Scalars are converted where they stand: what its serializers would make of the rest is not
        what the model wrote. Their JSON counts where that does not do, as where a validator changes
        a value first.
        """
        lax = partial(self.typed, lax=True)
        ways = (self._with_scalars_converted, self._dumped)
        return first_read_alike(value, ways, lax=lax, strict=self.typed)

    def _with_scalars_converted(self, value: Any, _: Any) -> Any:
        for _pass in range(_PASSES):
            mistyped = list(self._mistyped(value))
            if not mistyped:
                break
            value = converted(value, mistyped)
        return value

    def _dumped(self, _: Any, read: Any) -> Any:
        return self._adapter.dump_python(read, mode="json", by_alias=True, exclude_unset=True)

    def typed(self, value: Any, *, lax: bool = False) -> Any:
        """Return the value as an instance of the type.

        Args:
            value: The value.
            lax: Whether types are converted, as far as the type itself does.

        Raises:
            pydantic.ValidationError: The value does not meet the contract.
        """
        return self._adapter.validate_json(json.dumps(value), strict=None if lax else True)

    def _mistyped(self, value: Any) -> Iterator[Mistyped]:
        """Yield where pydantic's strict mode finds another type, if that is known by its error."""
        try:
            self.typed(value)
        except ValidationError as exc:
            for error in exc.errors(include_url=False):
                if (due := _CONVERTED_TO.get(error["type"])) is not None:
                    yield Mistyped(located(error, value).path, due)

    def _meant(self, value: Any, members: Members, path: Path) -> str | int | None:
        """Pick the member of a union that fits in type or, of several, by its constants."""
        fitting = [
            name
            for name, errors in members.items()
            if not any(each.path == path and _rule(each) in _OF_KIND for each in errors)
        ]
        if len(fitting) == 1:
            return fitting[0]
        definitions = self._schema.get("$defs", {})
        parts = {name: definitions.get(_definition_of(str(name))) for name in fitting}
        return meant_by_constants(at_place(value, path), parts, self._schema)

    @cached_property
    def _shape(self) -> JsonSchemaContract:
        """What pydantic derives from the type, for values that its validators cannot judge."""
        return JsonSchemaContract(self._schema)

    def __eq__(self, other: object) -> bool:
        """Compare the types."""
        return isinstance(other, TypedContract) and self._kind == other._kind

    def __hash__(self) -> int:
        """Hash the type."""
        return hash(self._kind)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the type, to be compiled again."""
        return TypedContract, (self._kind,)


class _OfWhatIsRead(GenerateJsonSchema):
    """Describes types all of which is judged when it is read."""

    def generator_schema(self, schema: GeneratorSchema) -> JsonSchemaValue:  # noqa: ARG002
        """Refuse what pydantic judges only when somebody iterates over it."""
        msg = (
            "an `Iterable` or a `Generator` is no schema: its items come unread; write `list[...]`"
        )
        raise ValueError(msg)


def _definition_of(member: str) -> str:
    """Return what pydantic's JSON Schema calls the class that its errors have a name for.

    That is the name of the class, within those of validators around it. Where classes share one,
    the JSON Schema calls neither so.
    """
    while (inner := _VALIDATED.fullmatch(member)) is not None:
        member = inner[1]
    return _NOT_IN_DEFINITIONS.sub("_", member.replace(", ", ","))


def _named_apart(error: ErrorDetails) -> ErrorDetails:
    """Name an error of a validator's own making as one, whatever it is called there.

    Pydantic has a page for each of its own.
    """
    own = error["type"] if "url" in error else f"value_error.{error['type']}"
    return {**error, "type": own}


def _violation(found: Located) -> Violation:
    error, path = found.error, found.path
    kind = error["type"]
    match error["loc"]:
        case [*_, str(name)] if kind in IS_MISSING:
            expected = f"the property {json.dumps(name, ensure_ascii=False)}"
            return Violation(rule="required", expected=expected, path=pointer(path))
        case [*_, int(index)] if kind in IS_MISSING:
            expected, items = f"at least {index + 1} items", describe(error["input"])
            return Violation("minItems", expected, items, path=pointer(path))
    if kind == "extra_forbidden" and path:
        return Violation(
            rule="additionalProperties",
            expected="no other properties",
            found=property_name(str(path[-1])),
            path=pointer(path[:-1]),
        )
    return Violation(
        rule=_rule(found),
        expected=_expected(error),
        found=describe(error["input"]),
        path=pointer(path),
    )


def _rule(found: Located) -> str:
    """Call an error by the JSON Schema keyword for it, if there is one."""
    kind = found.error["type"]
    return "type" if kind in _OF_TYPE else _KEYWORDS.get(kind, kind)


def _expected(error: ErrorDetails) -> str:
    """Turn pydantic's sentence into what was due.

    The message of a validator of the application's own is the application's, and told as it is.
    """
    kind = error["type"]
    by_function = kind in _BY_FUNCTION and error["ctx"]["discriminator"].endswith("()")
    if (demand := (_BY_FUNCTION if by_function else _EXPECTED).get(kind)) is not None:
        return demand.format_map(error["ctx"])
    message = error["msg"]
    for lead in ("Input should be ", "Value error, ", "Assertion failed, "):
        message = message.removeprefix(lead)
    return message.removeprefix("a valid ")


_VALIDATED = re.compile(r"function-(?:after|before)\[.*?\(\), (.*)\]")
"""Pydantic's name for what a validator is around, as `function-after[check(), Refund]`."""

_NOT_IN_DEFINITIONS = re.compile(r"[^a-zA-Z0-9.\-_]")
"""What pydantic replaces in names of definitions, as in those of generic models."""

_EXPECTED = {
    "too_long": "at most {max_length} items",
    "too_short": "at least {min_length} items",
    "union_tag_invalid": "{discriminator} to be one of {expected_tags}",
    "union_tag_not_found": "{discriminator} to say which alternative it is",
    "uuid_parsing": "UUID",
}
"""What was due, where pydantic's sentence does not say it to a model, or would quote the model."""

_BY_FUNCTION = {
    "union_tag_invalid": "one of the alternatives {expected_tags}",
    "union_tag_not_found": "one of the alternatives",
}
"""The same where a function of the application says which alternative a value is."""

_OF_TYPE = frozenset(
    kind
    for kind in get_args(ErrorType)
    if kind.endswith(("_type", "_parsing")) or kind == "is_instance_of"
)
"""Pydantic's own names for a value of another type; those of an application are its own."""

_OF_KIND = frozenset(("enum", "type"))
"""Rules that a value of another kind breaks."""

_MAX_ERRORS = 4_096
"""How many errors are looked at: those of all members of a union come before one is picked."""

_MAX_OF_EACH = 8 * MAX_VIOLATIONS
"""How many of each further member, where those are not all."""

_CONVERTED_TO: dict[str, type] = {
    "bool_type": bool,
    "complex_str_parsing": complex,
    "date_parsing": date,
    "date_type": date,
    "datetime_parsing": datetime,
    "datetime_type": datetime,
    "enum": int,
    "float_type": float,
    "int_type": int,
    "string_type": str,
    "time_delta_type": timedelta,
    "time_type": time,
}
"""What lax mode makes of what strict mode refuses, by pydantic's names for the refusals."""

_PASSES = 3
"""Alternatives of a union ask for a type each; the first may not be the one that is met."""

_KEYWORDS = {
    "enum": "enum",
    "greater_than": "exclusiveMinimum",
    "greater_than_equal": "minimum",
    "less_than": "exclusiveMaximum",
    "less_than_equal": "maximum",
    "literal_error": "enum",
    "multiple_of": "multipleOf",
    "string_pattern_mismatch": "pattern",
    "string_too_long": "maxLength",
    "string_too_short": "minLength",
    "too_long": "maxItems",
    "too_short": "minItems",
}
"""Pydantic's names for what JSON Schema has keywords for."""
