"""What counts of a run in another request, such as that of a controlled model as a fallback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord

__all__ = ["is_of_a_request", "is_used_once"]

_REQUESTS_OF_THEIR_OWN = (None, "tool")
_TOLD_AROUND = ("call", "fallback")


def is_of_a_request(record: AuditRecord) -> bool:
    """Whether a record tells of a request, and not of a part of one. What a tool asks is one."""
    return record.get("within") in _REQUESTS_OF_THEIR_OWN


def is_used_once(record: AuditRecord) -> bool:
    """Whether no other record tells the tokens and the cost of this one, too.

    What a call or a fallback of the request around has used is in the record of that.
    """
    return record.get("within") not in _TOLD_AROUND
