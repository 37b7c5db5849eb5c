"""What a rule is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from langchain_control.parsing.reasoning import after_reasoning

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
        return "\n".join(self.parts)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The same in pieces that have nothing to do with each other: a text is one."""
        if not self.is_json:
            return (self.text,)
        leaves = _leaves(self.value, with_keys=True)
        return tuple(
            leaf if isinstance(leaf, str) else format(leaf)
            for leaf in leaves
            if leaf is not None and not isinstance(leaf, bool)
        )

    @cached_property
    def said(self) -> tuple[str, ...]:
        """The parts without the reasoning before a text, which is handed on and answers nothing."""
        return self.parts if self.is_json else (after_reasoning(self.text) or "",)

    @cached_property
    def values(self) -> tuple[Any, ...]:
        """The scalars in JSON; else what a text says."""
        return tuple(_leaves(self.value, with_keys=False)) if self.is_json else self.said


def _leaves(value: Any, *, with_keys: bool) -> Iterator[Any]:
    """Yield scalars, and keys before their values, in their order and without recursion."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as found if with_keys:
                pending.extend(x for pair in reversed(found.items()) for x in reversed(pair))
            case dict() as found:
                pending.extend(reversed(found.values()))
            case list() as found:
                pending.extend(reversed(found))
            case scalar:
                yield scalar
