"""What a parsed answer has to be: one compiled contract, whatever it was written in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from inspect import isroutine
from typing import Any, Protocol, get_args

from langchain_control.contracts.json_schema import MAX_VIOLATIONS, JsonSchemaContract
from langchain_control.contracts.keywords import refuse_without_keyword
from langchain_control.contracts.typed import TypedContract
from langchain_control.contracts.vocabulary import Vocabulary, vocabulary_of
from langchain_control.outcomes import Violation

__all__ = [
    "MAX_VIOLATIONS",
    "Contract",
    "JsonSchemaContract",
    "TypedContract",
    "Vocabulary",
    "compile_contract",
    "is_of_pydantic_v1",
    "vocabulary_of",
]

CACHED_CONTRACTS = 256
"""Compiled contracts that are kept. An application has a handful."""


class Contract(Protocol):
    """Judges parsed JSON values. Immutable, and safe to share between threads."""

    def json_schema(self) -> dict[str, Any]:
        """Return the contract as JSON Schema, for prompts and a provider's own schema mode."""

    def is_met_by(self, value: Any) -> bool:
        """Say whether a JSON value meets the contract."""

    def judge(self, value: Any, *, lax: bool = False) -> tuple[Violation, ...]:
        """List everything that is wrong with a JSON value; nothing if it meets the contract.

        Args:
            value: The value.
            lax: Whether what the contract was written in may convert types, as far as it does.
        """

    def excludes(self, key: str) -> bool:
        """Whether it is certain that no object with this key meets the contract."""

    def coerced(self, value: Any) -> Any:
        """Return the value with its types converted where that makes it meet the contract."""

    def typed(self, value: Any, *, lax: bool = False) -> Any:
        """Return a value that passed as what the contract was written in.

        Args:
            value: The value.
            lax: As it was judged.
        """


def compile_contract(schema: Any) -> Contract:
    """Compile a JSON Schema, a pydantic model, a TypedDict, or any type pydantic understands.

    Models of `pydantic.v1` are taken, too.

    Compiling takes far longer than judging, so compiled contracts are cached.

    Raises:
        ValueError: The schema is none of these.
    """
    if isinstance(schema, Mapping):
        refuse_without_keyword(schema)
        try:
            return _compile_json_schema(json.dumps(schema))
        except TypeError as exc:
            msg = f"a JSON Schema holds JSON only: {exc}"
            raise ValueError(msg) from None
    if schema is object:  # pydantic takes it for `Any`
        msg = "`object` is no schema: every answer would meet it; for any JSON object, name `dict`"
        raise ValueError(msg)
    if isinstance(schema, str | int | float | None) or isroutine(schema):  # it would be called
        msg = f"a {type(schema).__name__} is no schema"
        raise ValueError(msg)
    spelling = _spelled(schema)
    try:
        hash(spelling)
    except TypeError:
        return TypedContract(schema)
    return _compile_type(schema, spelling)


@lru_cache(maxsize=CACHED_CONTRACTS)
def _compile_json_schema(text: str) -> JsonSchemaContract:
    return JsonSchemaContract(json.loads(text))


@lru_cache(maxsize=CACHED_CONTRACTS)
def _compile_type(kind: Any, spelling: Any) -> Contract:  # noqa: ARG001  (part of the key)
    return _compile_v1(kind) if is_of_pydantic_v1(kind) else TypedContract(kind)


def _spelled(kind: Any) -> Any:
    """Take a type apart. Unions in another order are equal, but the first that fits counts."""
    arguments = get_args(kind)
    return (kind, *map(_spelled, arguments)) if arguments else kind


def is_of_pydantic_v1(kind: Any) -> bool:
    """Tell a model of `pydantic.v1` without an import: who has one has imported it."""
    return isinstance(kind, type) and any(
        base.__module__ == "pydantic.v1.main" and base.__name__ == "BaseModel"
        for base in kind.__mro__
    )


def _compile_v1(kind: Any) -> Contract:
    from langchain_control.contracts.pydantic_v1 import PydanticV1Contract  # noqa: PLC0415  (slow)

    return PydanticV1Contract(kind)
