"""Audit records for tests."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from langchain_control.events import AuditRecord, EventName


def audit_record(event: EventName = EventName.ATTEMPT, **fields: Any) -> AuditRecord:
    """Return a record as the control layer makes them, with an id of its own."""
    return {
        "id": uuid4().hex,
        "time": "2026-11-23T14:03:22.101+00:00",
        "event": event.value,
        "request_id": "4f" * 16,
        **fields,
    }


def attempt(failure_mode: str = "none", **fields: Any) -> AuditRecord:
    """Return the record of one model call."""
    return audit_record(EventName.ATTEMPT, failure_mode=failure_mode, **fields)


def finished(status: str = "accepted", **fields: Any) -> AuditRecord:
    """Return the record of a request's end."""
    return audit_record(EventName.FINISHED, **{"status": status, "attempts": 1} | fields)
