"""The sentence that says why an answer was rejected: where, what was due, and nothing of it."""

from uuid import UUID

import pytest
from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from langchain_control.contracts import compile_contract
from langchain_control.contracts.broken import MAX_TOLD_CHARS, broken
from langchain_control.outcomes import FailureMode, Violation

SECRET = "SECRET"


class Person(BaseModel):
    """A model with maps, whose keys are the model's own."""

    name: str = "x"
    id: UUID | None = None
    ages: dict[str, int] = {}
    rest: dict[str, "Person"] = {}
    items: list[int] = []
    odd: str = Field("x", alias="a/b")

    @field_validator("name")
    @classmethod
    def _no_secrets(cls, value):
        if SECRET in value:
            msg = f"{value} is not a name"
            raise ValueError(msg)
        if value in ("name_type", "enum", "union_tag_invalid"):
            raise PydanticCustomError(value, "no SECRET")
        return value


def _message(value):
    contract = compile_contract(Person)
    violations = contract.judge(value)
    return broken(FailureMode.SCHEMA_VIOLATION, violations, contract.json_schema()).message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "the answer breaks `type` at /: expected an object"),
        ({"name": 1}, "the answer breaks `type` at /name: expected string"),
        ({"a/b": 1}, "the answer breaks `type` at /a~1b: expected string"),
        ({"items": [1, "x"]}, "the answer breaks `type` at /items/*: expected integer"),
        ({"ages": {SECRET: "x"}}, "the answer breaks `type` at /ages/*: expected integer"),
        ({"rest": {SECRET: {"ages": 5}}},
         "the answer breaks `type` at /rest/*/ages: expected an object"),
        ({"name": SECRET}, "the answer breaks `value_error`"),
        ({"name": "name_type"}, "the answer breaks `value_error.name_type`"),
        ({"name": "enum"}, "the answer breaks `value_error.enum`"),
        ({"name": "union_tag_invalid"}, "the answer breaks `value_error.union_tag_invalid`"),
        ({"id": "z" * 32}, "the answer breaks `type` at /id: expected UUID"),
        ({"name": 1, "items": 1, "ages": 1, "id": "x", "a/b": 1},
         "the answer breaks `type` at /name: expected string"),
    ],
)  # fmt: skip
def test_the_first_place_is_told_in_the_words_of_the_contract(value, message):
    """Keys that the contract does not name, and what a validator says, may be the answer's."""
    assert _message(value) == message


def test_rules_are_named_once_each():
    """A hundred wrong items are one rule."""
    rules = [Violation("a", "x"), Violation("b", "x"), Violation("a", "y")]

    verdict = broken(FailureMode.CONSTRAINT_VIOLATION, rules)

    assert verdict.message == "the answer breaks `a`, `b`"
    assert (verdict.failure_mode, verdict.violations) == ("constraint_violation", tuple(rules))


def test_the_sentence_is_bounded():
    """A contract of deep names and long lists fits into a line of the trail."""
    name = "k" * 39
    violation = Violation("enum", "x" * 240, path=f"/{name}" * 5)

    verdict = broken(FailureMode.SCHEMA_VIOLATION, [violation], {name: 1})

    assert len(verdict.message) == len("the answer breaks `enum`") + MAX_TOLD_CHARS
