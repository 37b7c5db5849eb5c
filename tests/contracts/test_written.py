"""Objects written as JSON that their types read them from."""

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

    assert pydantic.TypeAdapter(type(given)).validate_python(written(given)) == given


def test_an_object_of_pydantic_1_is_read_from_what_is_written():
    """LangChain still takes such models, and so do contracts."""
    given = OldLogin(token="abc", userName="Bo")

    assert OldLogin.parse_obj(written(given)) == given


def test_an_object_that_is_read_as_another_is_refused():
    """A price of 700 went on as 70000."""
    with pytest.raises(ReadAsAnotherError):
        written(Cents(price=7))


def test_what_its_own_json_says_of_an_object_is_preferred():
    """Who reads the text is told what pydantic tells, where that is as good."""

    class Priced(BaseModel):
        price: int

        @computed_field
        @property
        def double(self) -> int:
            """Twice as much."""
            return self.price * 2

    assert written(Priced(price=1)) == {"price": 1, "double": 2}
    assert written(Point(1, date(2024, 1, 1))) == {"x": 1, "day": "2024-01-01", "twice": 0}


def test_an_object_that_is_read_from_nothing_is_written_all_the_same():
    """A contract of another kind may be met by it."""

    class Closed(BaseModel):
        a: int = None

    assert written(Closed()) == {"a": None}
