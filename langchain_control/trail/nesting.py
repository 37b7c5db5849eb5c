"""What counts of a run in another request, such as that of a controlled model as a fallback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord

__all__ = ["depth_of", "is_of_a_request", "part_of"]

_BETWEEN = " in "


def part_of(record: AuditRecord) -> str:
    """Return the part of a request that a run was made within, or an empty text."""
    return str(record.get("within") or "").partition(_BETWEEN)[0]


def depth_of(record: AuditRecord) -> int:
    """Return how many runs there are around what a record tells of."""
    within = record.get("within")
    return str(within).count(_BETWEEN) + 1 if within else 0


def is_of_a_request(record: AuditRecord) -> bool:
    """Whether a record tells of a request, and not of a part of one. What a tool asks is one."""
    return part_of(record) in ("", "tool")
