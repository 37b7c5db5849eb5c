"""Unions without a tag: what is told is what is wrong with the alternative that was meant."""

from functools import partial, reduce
from operator import or_
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

import pytest
import typing_extensions
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    create_model,
    field_validator,
    model_validator,
)

from langchain_control.contracts import compile_contract


class Payment(BaseModel):
    """One of two, told by a constant."""

    action: Literal["pay"]
    account: str
    amount: float
    currency: Literal["EUR", "USD"] = "EUR"


class Refund(typing_extensions.TypedDict):
    """The other."""

    action: Literal["refund", "return"]
    order: str
    amount: float
    currency: typing_extensions.NotRequired[Literal["EUR", "USD"]]


class Refusal(BaseModel):
    """One without a constant."""

    reason: str


class Rated(BaseModel):
    """One whose constants are values to choose from."""

    rating: Literal["low", "high"]
    text: str


class Plan(BaseModel):
    """A list of them."""

    steps: list[Payment | Refund | int]


REFUND = {"action": "refund", "order": "A1", "amount": 1.5}


def in_both_forms(kind):
    """Return a type's contract and that of its JSON Schema."""
    contract = compile_contract(kind)
    return contract, compile_contract(contract.json_schema())


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (REFUND | {"amount": "1.50"}, {("type", "/steps/0/amount")}),
        ({"action": "return", "amount": 1.5}, {("required", "/steps/0")}),
        (REFUND | {"currency": "GBP"}, {("enum", "/steps/0/currency")}),
        (REFUND | {"action": "pay"}, {("required", "/steps/0")}),
    ],
    ids=str,
)
def test_the_alternative_that_has_the_constants_is_followed(step, told):
    """The rest of a refund was asked for as if it were a payment."""
    for contract in in_both_forms(Plan):
        assert {(v.rule, v.path) for v in contract.judge({"steps": [step]})} == told


def test_the_only_alternative_of_the_type_is_followed():
    """No object is a number, and the other way round."""
    for contract in in_both_forms(list[Refusal | int]):
        assert [str(v) for v in contract.judge([{}])] == ['/0: expected the property "reason"']


def test_an_alternative_without_constants_is_not_preferred():
    """A wrong choice of a rating does not make a refusal of an answer."""
    for contract in in_both_forms(list[Rated | Refusal]):
        rules = {v.rule for v in contract.judge([{"rating": "medium", "text": "x"}])}
        assert rules != {"required"}


class Node(BaseModel):
    """A union in itself."""

    kind: Literal["node"]
    child: "Node | Leaf"


class Leaf(BaseModel):
    """Its end."""

    kind: Literal["leaf"]
    n: int


def test_unions_within_are_followed_too():
    """At each level the one that was meant."""
    value: Any = {"kind": "leaf", "n": "x"}
    for _ in range(5):
        value = {"kind": "node", "child": value}
    for contract in in_both_forms(Node):
        assert [v.path for v in contract.judge(value)] == ["/child" * 5 + "/n"]


class Text(BaseModel):
    """Its tag is the name of a field of it."""

    type: Literal["text"]
    text: Any
    language: str

    @field_validator("text", mode="before")
    @classmethod
    def _has_a_text(cls, text: Any) -> Any:
        if text is None:
            msg = "no text"
            raise ValueError(msg)
        return text


class Email(BaseModel):
    """So is this one's."""

    type: Literal["email"]
    email: str


Block = Annotated[Text | Email, Field(discriminator="type")]
Chosen = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Email, Tag("email")],
    Discriminator(lambda value: "text" if "text" in value else "email"),
]


@pytest.mark.parametrize("kind", [Block, Chosen], ids=["by a key", "by a function"])
@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"type": "text", "text": "hi", "language": 5}, "/0/language"),
        ({"type": "text", "text": "hi"}, "/0"),
        ({"type": "text", "text": {"type": "text", "text": "hi"}}, "/0"),
        ({"type": "text", "text": None, "language": "en"}, "/0/text"),
        ({"type": "email", "email": 5}, "/0/email"),
    ],
    ids=str,
)
def test_a_tag_is_no_place(kind, block, path):
    """Also where it is the name of a field."""
    assert [v.path for v in compile_contract(list[kind]).judge([block])] == [path]


Tagged = Annotated[
    Annotated[Payment, Tag("pay")] | Annotated[Refusal, Tag("refuse")],
    Discriminator(lambda value: value.get("action")),
]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"action": "x"}, "one of the alternatives 'pay', 'refuse'"),
        ({}, "one of the alternatives"),
    ],
)
def test_a_function_that_tells_alternatives_apart_is_not_named(value, expected):
    """A model cannot see it, and `<lambda>()` is nothing that it could write."""
    [violation] = compile_contract(Tagged).judge(value)

    assert violation.expected == expected


def of_kind(number):
    """Return one of many models, with a constant and names of its own."""
    fields: dict[str, Any] = {f"{letter}{number}": (int, ...) for letter in "abcdefgh"}
    return create_model(f"Of{number}", kind=(Literal[f"k{number}"], ...), **fields)


def test_the_last_of_many_alternatives_is_followed():
    """The first ones had so many errors that those of the last were not looked at."""
    contract = compile_contract(reduce(or_, map(of_kind, range(30))))
    value = {"kind": "k29"} | dict.fromkeys((f"{letter}29" for letter in "abcdefgh"), 1)

    assert [v.path for v in contract.judge(value | {"h29": "s"})] == ["/h29"]


class Numbers(BaseModel):
    """As many errors as there are texts in place of numbers."""

    kind: Literal["numbers"]
    rows: list[int]


class Texts(BaseModel):
    """Its other."""

    kind: Literal["texts"]
    rows: list[str]
    size: int


def test_an_alternative_with_thousands_of_errors_does_not_hide_the_next():
    """Not all errors are looked at, but some of each alternative are."""
    texts = {"kind": "texts", "rows": ["a"] * 5_000, "size": "big"}

    told = compile_contract(list[Numbers | Texts]).judge([texts])

    assert [v.path for v in told] == ["/0/size"]


class Titled(BaseModel):
    """One of two, with a name for readers that is the other's for programmers."""

    model_config = ConfigDict(title="Checked")

    action: Literal["titled"]
    amount: int


class Checked(BaseModel):
    """The other, with validators around it."""

    model_config = ConfigDict(title="Titled")

    action: Literal["checked"]
    amount: int

    @model_validator(mode="after")
    def _is_checked(self) -> Self:
        return self

    @model_validator(mode="after")
    def _is_checked_again(self) -> Self:
        return self


Option, Other = TypeVar("Option"), TypeVar("Other")


class Generic2(BaseModel, Generic[Option, Other]):
    """A third, with types of its own."""

    action: Literal["generic"]
    amount: Option
    others: list[Other]


class Recursive(BaseModel):
    """A fourth, that refers to itself and is checked."""

    action: Literal["recursive"]
    amount: int
    child: "Recursive | Titled | None" = None

    @model_validator(mode="after")
    def _is_checked(self) -> Self:
        return self


Trimmed = Annotated[Titled, BeforeValidator(lambda value: value)]
Both = Generic2[int, list[str]]


@pytest.mark.parametrize(
    ("kind", "action", "paths"),
    [
        (Titled | Checked, "titled", {"/amount"}),
        (Titled | Checked, "checked", {"/amount"}),
        (Trimmed | Checked, "titled", {"/amount"}),
        (Both | Checked, "generic", {"/amount", ""}),
        (Recursive | Titled, "recursive", {"/amount"}),
    ],
)
def test_an_alternative_is_found_under_any_name(kind, action, paths):
    """Errors name it by its class and the validators around that, not by its title."""
    value = {"action": action, "amount": "x"}

    assert {v.path for v in compile_contract(kind).judge(value)} == paths


def same_name(action):
    """Return a model whose class has the name of another."""
    return create_model("Same", action=(Literal[action], ...), amount=(int, ...))


def test_classes_with_one_name_are_not_taken_for_each_other():
    """Which one an error is about is not known, so all is told."""
    one, other = same_name("one"), same_name("other")
    kind = create_model("Holder", a=(one | Titled, ...), b=(other | Titled, ...))
    amount = {"action": "one", "amount": "x"}

    told = compile_contract(kind).judge({"a": amount, "b": amount | {"action": "other"}})

    assert {v.path for v in told} == {"/a/action", "/a/amount", "/b/action", "/b/amount"}


def test_what_pydantic_cannot_compile_is_refused_as_a_schema():
    """It says so by an error of a kind of its own, for a function object without a name."""
    choose = Discriminator(partial(str.strip))

    with pytest.raises(ValueError, match="pydantic cannot use it as a schema"):
        compile_contract(Annotated[Annotated[int, Tag("a")] | Annotated[str, Tag("b")], choose])
