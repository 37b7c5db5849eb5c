"""A TypedDict whose annotations are strings, so that Python does not read what they say of keys."""

from __future__ import annotations

from typing_extensions import Annotated, NotRequired, ReadOnly, Required, TypedDict  # noqa: UP035


class Deferred(TypedDict, total=False):
    """Keys that are required one by one."""

    order_id: Required[str]
    amount: Annotated[Required[float], ..., "in euros"]
    day: ReadOnly[Required[str]]
    note: str


class DeferredTotal(TypedDict):
    """A key that is not."""

    note: NotRequired[str]
