"""What a rule is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["Answer"]


@dataclass(frozen=True)
class Answer:
    """One answer of a model, as a rule sees it."""

    text: str
    """What would be handed on: the text, or compact JSON where the contract asks for JSON."""
    value: Any = None
    """The parsed JSON value, where the contract asks for JSON and the text holds some."""
    is_json: bool = False

    @cached_property
    def prose(self) -> str:
        """What a reader would read: of JSON, the keys and values without the punctuation."""
        return "\n".join(_leaves(self.value)) if self.is_json else self.text


def _leaves(value: Any) -> Iterator[str]:
    """Yield keys and scalars in their order, without recursion."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as found:
                pending.extend(x for pair in reversed(found.items()) for x in reversed(pair))
            case list() as found:
                pending.extend(reversed(found))
            case str() as found:
                yield found
            case None | True | False:
                continue
            case number:
                yield format(number)
