"""Contracts written as models of pydantic 1, which LangChain still takes."""

from __future__ import annotations

import json
from typing import Any

from pydantic.v1 import BaseModel, ValidationError

from langchain_control.contracts.json_schema import MAX_VIOLATIONS, JsonSchemaContract
from langchain_control.contracts.pointers import pointer
from langchain_control.outcomes import Violation

__all__ = ["PydanticV1Contract"]


class PydanticV1Contract:
    """A contract written as a model of `pydantic.v1`.

    Judged by its JSON Schema first, as pydantic 1 would convert `"7"` to 7, then by its validators.
    """

    def __init__(self, kind: type[BaseModel]) -> None:
        """Compile the model.

        Raises:
            ValueError: Pydantic cannot describe it.
        """
        self._kind = kind
        try:
            self._shape = JsonSchemaContract(json.loads(kind.schema_json()))
        except TypeError as exc:
            msg = f"pydantic cannot use it as a schema: {exc}"
            raise ValueError(msg) from exc

    def json_schema(self) -> dict[str, Any]:
        """Return a copy of the JSON Schema that pydantic derives."""
        return self._shape.json_schema()

    def is_met_by(self, value: Any) -> bool:
        """Judge without saying why."""
        return not self.judge(value)

    def judge(self, value: Any) -> tuple[Violation, ...]:
        """List everything that is wrong, up to `MAX_VIOLATIONS`."""
        if broken := self._shape.judge(value):
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
        return ()

    def coerced(self, value: Any) -> Any:
        """Convert what pydantic converts, or return the value as it is."""
        try:
            instance = self.typed(value)
        except Exception:  # noqa: BLE001  (`judge` says why, or raises it)
            return value
        return json.loads(instance.json(by_alias=True, exclude_unset=True))

    def typed(self, value: Any) -> Any:
        """Return the value as an instance of the model.

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


def _expected(error: Any) -> str:
    """Return pydantic's sentence, but for the one about a tag, which quotes the model."""
    about = error.get("ctx", {})
    if "discriminator_value" in about:
        return f"`{about['discriminator_key']}` to be one of {about['allowed_values']}"
    return str(error["msg"])
