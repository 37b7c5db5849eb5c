"""An answer of which nothing is missing but its last bracket."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

from langchain_control.parsing.ending import Ending
from langchain_control.parsing.read import Parsed, Unparsed, read_json
from langchain_control.parsing.repair_policy import RepairPolicy, permits
from langchain_control.parsing.repairs import Repair

__all__ = ["one_bracket_short", "read_answer"]

_NOT_SAID = frozenset((Ending.UNKNOWN, Ending.BROKEN_OFF))

_END_OF_VALUE = re.compile(r"""(?:(?<![\s"'([{:=,;])"|[\]}]|\b(?:true|false|null))\Z""")
"""A value that ends so is complete. A number, or a string with quotes inside, may go on."""


def read_answer(
    text: str,
    *,
    policy: RepairPolicy,
    accepts: Callable[[Any], bool],
    ending: Ending,
    members: AbstractSet[str],
) -> Parsed | Unparsed:
    """Return the JSON value that an answer holds, closed if only its last bracket is missing.

    Args:
        text: The answer.
        policy: Which repairs may stand.
        accepts: Tells values that meet the contract from those that do not.
        ending: How the message ended. Only if nobody says may a bracket be forgiven here.
        members: The names of all members of the object that the answer should be; empty if it may
            have others, or is none.
    """
    found = read_json(text, policy=policy, accepts=accepts, ending=ending)
    if isinstance(found, Parsed) or found.fault.kind != "truncated" or ending not in _NOT_SAID:
        return found
    closed = one_bracket_short(text, members, policy)
    return closed if closed and accepts(closed.value) else found


def one_bracket_short(
    text: str, members: AbstractSet[str], policy: RepairPolicy = RepairPolicy.AGREED
) -> Parsed | None:
    """Read an object whose last bracket is missing and whose members are all there.

    Where nobody says how a message ended, a missing bracket looks like a text that broke off. It
    did not if every member that the object may have has come, and the last one to its end.

    Args:
        text: A text that seems to break off. The object begins a line of it.
        members: The names of all members that the object may have; empty if that is not known.
        policy: Which repairs may stand.

    Returns:
        The value, if the bracket completes it without any other repair and has all the members.
    """
    body = text.rstrip()
    before = body[: max(0, body.find("{"))].rstrip(" \t")
    if not members or not _END_OF_VALUE.search(body) or (before and not before.endswith("\n")):
        return None
    found = read_json(f"{body}}}", policy=RepairPolicy.STRICT)
    if not isinstance(found, Parsed) or not isinstance(found.value, dict):
        return None
    if found.ambiguous or not members <= found.value.keys():
        return None
    repairs = (Repair("missing_closer", len(body)),)
    stands = permits(policy, repairs, body, found.value)
    return Parsed(found.value, "repaired", repairs) if stands else None
