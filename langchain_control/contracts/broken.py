"""The verdict on an answer that breaks rules, in one sentence that holds nothing of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_control._shortening import shortened
from langchain_control.contracts.json_schema import KEYWORDS
from langchain_control.contracts.pointers import unescaped
from langchain_control.outcomes import FailureMode, ValidationResult, Violation, failure

__all__ = ["MAX_TOLD_CHARS", "broken"]

MAX_TOLD_CHARS = 160
"""Length of what is told of the first place."""


def broken(
    mode: FailureMode, violations: Sequence[Violation], schema: Any = None, **details: Any
) -> ValidationResult:
    """Build the verdict on an answer that breaks rules.

    Its message names all rules, and of the first one the place and what is due there, as far as the
    schema words both. Elsewhere either may be the answer's own: keys, and what validators say.

    Args:
        mode: What the violations amount to.
        violations: What is wrong, at least one thing.
        schema: The JSON Schema that the answer was held against, or several in lists or mappings.
        **details: Further fields of the verdict.
    """
    named = ", ".join(dict.fromkeys(f"`{violation.rule}`" for violation in violations))
    message = f"the answer breaks {named}{_told(violations[0], schema)}"
    return failure(mode, message, violations=tuple(violations), **details)


def _told(violation: Violation, schema: Any) -> str:
    if schema is None or violation.rule not in KEYWORDS:
        return ""
    names = set(_keys_in(schema))
    steps = (s if unescaped(s) in names else "*" for s in violation.path.split("/")[1:])
    return shortened(f" at /{'/'.join(steps)}: expected {violation.expected}", MAX_TOLD_CHARS)


def _keys_in(schema: Any) -> Iterator[str]:
    """Yield everything that a schema calls by name: none of it is the answer's."""
    if isinstance(schema, Mapping):
        yield from schema
    parts = schema.values() if isinstance(schema, Mapping) else schema
    for part in parts:
        if isinstance(part, Mapping | list):
            yield from _keys_in(part)
