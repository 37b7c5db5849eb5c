"""Objects and arrays that are being read."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from langchain_control.parsing.strict import comparable_text

__all__ = ["Container", "Due"]


class Due(Enum):
    """What a container waits for."""

    FIRST = auto()
    """Its first item or key, or its end."""
    NEXT = auto()
    """An item or key after a comma."""
    VALUE = auto()
    """The value of a key."""
    COMMA = auto()
    """A comma, or its end."""


class Container:
    """An object or array that is being read."""

    __slots__ = (
        "_contradictory",
        "_replaced",
        "call",
        "closer",
        "due",
        "is_tuple",
        "items",
        "key",
        "key_words",
    )

    def __init__(self, closer: str, items: dict[str, Any] | list[Any], call: str = "") -> None:
        """Begin with what is in it already, as a rule nothing."""
        self.closer, self.items = closer, items
        self.call = call
        """The name of the call that this is the argument of."""
        self.is_tuple = False
        """Whether these are parentheses of Python."""
        self.key_words = False
        """Whether keys are several words without quotes."""
        self.due = Due.FIRST
        self.key = ""
        """The key that was read last."""
        self._contradictory = False
        self._replaced: list[tuple[str, Any]] = []
        """Earlier objects and arrays under keys that came again. They may not be complete yet."""

    @property
    def last(self) -> Any:
        """The value that was added last."""
        return self.items[self.key] if isinstance(self.items, dict) else self.items[-1]

    def put(self, value: Any) -> None:
        """Add an item, or the value of the key that was read."""
        self.due = Due.COMMA
        if isinstance(self.items, list):
            self.items.append(value)
            return
        if self.key in self.items:
            self._replace(self.items[self.key], value)
        self.items[self.key] = value

    def replace_last(self, value: Any) -> None:
        """Put another value in the place of the last one."""
        if isinstance(self.items, dict):
            self.items[self.key] = value
        else:
            self.items[-1] = value

    def is_only_parenthesized(self) -> bool:
        """Whether this is one value in parentheses. With a comma it is a tuple of Python."""
        return self.is_tuple and self.due is Due.COMMA and len(self.items) == 1

    def has_begun_for_sure(self) -> bool:
        """Whether this is an array neither of whose brackets can be surplus.

        With one item, the opening bracket may be the surplus one; if the last item is an array,
        the closing bracket may be that array's.
        """
        several = isinstance(self.items, list) and len(self.items) > 1
        return several and not isinstance(self.last, list)

    def contradicts_itself(self) -> bool:
        """Whether a key came twice with different values."""
        if self._contradictory or not self._replaced or isinstance(self.items, list):
            return self._contradictory
        kept = {key: comparable_text(self.items[key]) for key, _ in self._replaced}
        return any(comparable_text(earlier) != kept[key] for key, earlier in self._replaced)

    def _replace(self, earlier: Any, value: Any) -> None:
        if isinstance(earlier, dict | list):
            self._replaced.append((self.key, earlier))
        elif type(earlier) is not type(value) or earlier != value:
            self._contradictory = True
