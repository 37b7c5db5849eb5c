"""Objects written as JSON that their types read them from."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated

import pydantic.v1
import pytest
from pydantic import (
    AliasChoices,
    Base64Bytes,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    RootModel,
    SecretStr,
    SerializeAsAny,
    computed_field,
    field_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass

from langchain_control.contracts.written import ReadAsAnotherError, written


class Login(BaseModel):
    """Serializers mask, leave out, rename and change what it holds."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr
    user: str = Field(validation_alias="userName")
    host: str = Field(validation_alias=AliasChoices("host", "server"), exclude=True)
    since: Annotated[datetime, PlainSerializer(lambda since: int(since.timestamp()))]
    tokens: dict[date, SecretStr]

    @computed_field
    @property
    def label(self) -> str:
        """Both in one."""
        return f"{self.user}@{self.host}"


class OldLogin(pydantic.v1.BaseModel):
    """A model of pydantic 1 that masks what it holds."""

    token: pydantic.v1.SecretStr
    user: str = pydantic.v1.Field(alias="userName", exclude=True)


class Open(BaseModel):
    """A model that takes what it does not name, and is written as it is read."""

    model_config = ConfigDict(extra="allow")

    day: date
    sizes: set[int]


class Encoded(BaseModel):
    """A model that holds something else than it is read from."""

    numbers: Json[list[int]]
    image: Base64Bytes


class Plain:
    """Nothing that pydantic knows."""


@dataclass
class Point:
    """A dataclass with a member that nobody gives."""

    x: int
    day: date
    twice: int = field(init=False, default=0)


@pydantic_dataclass
class Renamed:
    """A dataclass of pydantic with an alias."""

    x: SecretStr = Field(alias="the x")


class Cents(BaseModel):
    """A validator changes what it has changed before."""

    price: int

    @field_validator("price")
    @classmethod
    def _in_cents(cls, price):
        return price * 100


@pytest.mark.parametrize(
    "read",
    [
        lambda: Login(
            token="abc",
            userName="Bo",
            server="s",
            since=datetime(2024, 1, 1, tzinfo=UTC),
            tokens={date(2024, 1, 1): "d"},
        ),
        lambda: Open(day=date(2024, 1, 1), sizes={1}, more=1),
        lambda: Encoded(numbers="[1]", image=b"YQ=="),
        lambda: RootModel[list[SecretStr]](["a"]),
        lambda: Renamed(**{"the x": "s"}),
    ],
)
def test_an_object_is_read_from_what_is_written(read):
    """A fallback's object arrived masked, without members, or not at all."""
    given = read()

    assert (
        pydantic.TypeAdapter(type(given)).validate_python(written(given, read_back=True)) == given
    )


def test_an_object_of_pydantic_1_is_read_from_what_is_written():
    """LangChain still takes such models, and so do contracts."""
    given = OldLogin(token="abc", userName="Bo")

    assert OldLogin.parse_obj(written(given, read_back=True)) == given


def test_an_object_that_is_read_as_another_is_refused():
    """A price of 700 went on as 70000."""
    with pytest.raises(ReadAsAnotherError):
        written(Cents(price=7), read_back=True)


def test_what_its_own_json_says_of_an_object_is_preferred():
    """Who reads the text is told what pydantic tells, where that is as good."""

    class Priced(BaseModel):
        price: int

        @computed_field
        @property
        def double(self) -> int:
            """Twice as much."""
            return self.price * 2

    assert written(Priced(price=1), read_back=True) == {"price": 1, "double": 2}
    assert written(Point(1, date(2024, 1, 1)), read_back=True) == {
        "x": 1,
        "day": "2024-01-01",
        "twice": 0,
    }


def test_an_object_that_is_read_from_nothing_is_written_all_the_same():
    """A contract of another kind may be met by it."""

    class Closed(BaseModel):
        a: int = None

    assert written(Closed(), read_back=True) == {"a": None}


class Sized(BaseModel):
    """A model with a set, whose order is an accident, and a secret that forbids its own JSON."""

    sizes: set[int]
    token: SecretStr


@pytest.mark.parametrize("sizes", list(itertools.permutations((8, 16, 3, 11), 3)))
def test_sets_are_the_same_in_any_order(sizes):
    """Objects with sets were refused by the order in which their items were added."""
    given = Sized(sizes=set(sizes), token="abc")

    assert Sized.model_validate(written(given, read_back=True)) == given


class Row(BaseModel):
    """A model with what is not for everybody."""

    token: SecretStr
    note: str = Field(default="", exclude=True)


class OldRow(pydantic.v1.BaseModel):
    """The same of pydantic 1."""

    token: pydantic.v1.SecretStr
    note: str = pydantic.v1.Field(default="", exclude=True)


@pytest.mark.parametrize("kind", [Row, OldRow])
def test_what_is_hidden_is_written_only_for_a_type_that_needs_it(kind):
    """Text that a person reads held secrets; a type needs no field that has a default."""
    given = kind(token="abc", note="not for everybody")

    assert written(given) == {"token": "**********"}
    assert written(given, read_back=True) == {"token": "abc"}


def test_an_object_that_nobody_reads_back_is_not_refused():
    """As text it is what pydantic makes of it."""
    assert written(Cents(price=7)) == {"price": 700}


class Source(BaseModel):
    """What a field asks for."""

    title: str


class WebSource(Source):
    """What it holds."""

    url: str


class Sourced(BaseModel):
    """A model whose field may hold objects of other types."""

    sources: list[SerializeAsAny[Source]]


def test_members_that_a_field_does_not_know_are_no_reason_to_refuse():
    """Its type reads the object without them."""
    given = Sourced(sources=[WebSource(title="t", url="u")])

    assert written(given, read_back=True) == {"sources": [{"title": "t", "url": "u"}]}
