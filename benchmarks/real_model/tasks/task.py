"""A question, the contract for its answer, and the right answer where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

__all__ = ["ClockTime", "Currency", "IsoDate", "Task", "Text", "record"]

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
IsoDate = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), Field(examples=["1970-01-01"])
]
ClockTime = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{2}:[0-9]{2}$"), Field(examples=["00:00"])
]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(examples=["XXX"])]


def record(title: str, /, **fields: Any) -> type[BaseModel]:
    """Make the contract of an object: all of its fields are required, and there are no others."""
    closed = ConfigDict(extra="forbid", strict=True)
    required: dict[str, Any] = {key: (kind, ...) for key, kind in fields.items()}
    return create_model(title, __config__=closed, **required)


@dataclass(frozen=True)
class Task:
    """A question to a language model."""

    name: str
    question: str
    shape: str
    """The contract as the model is shown it."""
    fields: Mapping[str, Any]
    """The contract as pydantic reads it: the type of each field."""
    expected: Mapping[str, Any] | None = None
    """What is right, as far as it is certain: keys that are missing may hold anything, and the
    order of a set does not matter. `None` where many answers are right."""

    @cached_property
    def contract(self) -> type[BaseModel]:
        """The contract as a closed and strict pydantic model."""
        return record(self.name.title().replace("_", ""), **self.fields)

    def schema(self) -> dict[str, Any]:
        """Return the contract as a JSON Schema."""
        return self.contract.model_json_schema()

    def prompt(self) -> str:
        """Return the question together with the shape of its answer."""
        return f"{self.question}\nReply only with JSON like this: {self.shape}"

    def fallback(self) -> dict[str, Any]:
        """Return an answer that meets the contract and knows nothing."""
        schema = self.schema()
        blank: dict[str, Any] = _blank(schema, schema.get("$defs", {}))
        return blank

    def is_right(self, answer: Any) -> bool:
        """Compare an answer that meets the contract; the case of letters does not matter."""
        return _agrees(answer, self.expected or {})


def _agrees(found: Any, expected: Any) -> bool:
    match expected:
        case Mapping():
            return all(_agrees(found[key], value) for key, value in expected.items())
        case list():
            return len(found) == len(expected) and all(map(_agrees, found, expected))
        case set():
            return sorted(map(_folded, found)) == sorted(map(_folded, expected))
        case str():
            return isinstance(found, str) and _folded(found) == _folded(expected)
    return bool(found == expected)


def _folded(text: str) -> str:
    return text.casefold().strip(" .")


_BLANKS = {"string": "unknown", "integer": 0, "number": 0, "boolean": False, "null": None}


def _blank(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    match schema:
        case {"$ref": str(ref)}:
            return _blank(definitions[ref.rpartition("/")[2]], definitions)
        case {"anyOf": [*_, last]}:
            return _blank(last, definitions)
        case {"enum": [*_, value]} | {"const": value} | {"examples": [value]} | {"minimum": value}:
            return value
        case {"type": "object", "properties": properties}:
            return {key: _blank(value, definitions) for key, value in properties.items()}
        case {"type": "array", "items": items}:
            return [_blank(items, definitions)] * schema.get("minItems", 0)
    return _BLANKS[schema["type"]]
