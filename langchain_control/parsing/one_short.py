"""An answer of which nothing is missing but its last bracket."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from langchain_control.parsing.read import Parsed, read_json
from langchain_control.parsing.repair_policy import RepairPolicy, permits
from langchain_control.parsing.repairs import Repair

__all__ = ["one_bracket_short"]

_ENDS_OF_VALUES = ('"', "]", "}", "true", "false", "null")
"""After these a value cannot go on. A number can."""


def one_bracket_short(
    text: str, members: AbstractSet[str], policy: RepairPolicy = RepairPolicy.AGREED
) -> Parsed | None:
    """Read an object whose last bracket is missing and whose members are all there.

    Where nobody says how a message ended, a missing bracket looks like a text that broke off. It
    did not if every member that the object may have has come, and the last one to its end.

    Args:
        text: A text that seems to break off.
        members: The names of all members that the object may have; empty if that is not known.
        policy: Which repairs may stand.

    Returns:
        The value, if the bracket completes it without any other repair and has all the members.
    """
    body = text.rstrip()
    if not members or not body.endswith(_ENDS_OF_VALUES):
        return None
    found = read_json(f"{body}}}", policy=RepairPolicy.STRICT)
    if not isinstance(found, Parsed) or not isinstance(found.value, dict):
        return None
    if found.ambiguous or not members <= found.value.keys():
        return None
    repairs = (Repair("missing_closer", len(body)),)
    stands = permits(policy, repairs, body, found.value)
    return Parsed(found.value, "repaired", repairs) if stands else None
