"""What is wrong with a value of which more is to come, however it goes on."""

from __future__ import annotations

import json
from typing import Any

from langchain_control.contracts import Contract, compile_contract
from langchain_control.outcomes import Violation

__all__ = ["broken_for_good"]

_ABOUT_WHOLE_MEMBERS = frozenset({
    "const", "enum", "exclusiveMaximum", "exclusiveMinimum", "maxLength", "maximum", "minLength",
    "minimum", "multipleOf", "pattern", "type",
})  # fmt: skip
"""Keywords that say the same of a member whatever members follow it."""

_ABOUT_ABSENCE = ('"if":', '"not":', '"dependentSchemas":')
"""Keywords that may be met by what has not come yet: with one of them nothing is certain."""


def broken_for_good(contract: Contract, value: Any) -> tuple[Violation, ...]:
    """List what is wrong with the members that are there, as far as that is certain.

    A type may accept by a validator of its own what its JSON Schema refuses, and an alternative may
    be refused by one and meant by the other. So both must object, at the same place.

    Args:
        contract: What the whole value must meet.
        value: An object or array that may get further members at its end, and at the end of its
            last member, and so on inwards.
    """
    schema = contract.json_schema()
    written = json.dumps(schema)
    if any(keyword in written for keyword in _ABOUT_ABSENCE):
        return ()
    by_schema = {
        violation.path
        for violation in compile_contract(schema).judge(value)
        if violation.path and violation.rule in _ABOUT_WHOLE_MEMBERS
    }
    if not by_schema:
        return ()
    return tuple(v for v in contract.judge(value) if v.path in by_schema)
