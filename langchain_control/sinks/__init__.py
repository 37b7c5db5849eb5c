"""Where audit records go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from langchain_control.sinks.database import DatabaseSink
from langchain_control.sinks.jsonl import JsonlSink
from langchain_control.sinks.memory import MemorySink
from langchain_control.sinks.open_telemetry import OpenTelemetrySink
from langchain_control.sinks.queued import QueuedSink
from langchain_control.sinks.sqlite import SqliteSink
from langchain_control.sinks.structlog import StructlogSink

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord

__all__ = [
    "AuditSink",
    "DatabaseSink",
    "JsonlSink",
    "MemorySink",
    "OpenTelemetrySink",
    "QueuedSink",
    "SqliteSink",
    "StructlogSink",
]


@runtime_checkable
class AuditSink(Protocol):
    """Takes audit records, one at a time.

    `AuditLogger` calls `write` from whatever thread the event happened in, and in async code on
    the event loop. So an implementation must be thread-safe and quick: put slow work (a network, a
    database) behind a `QueuedSink`.

    An exception out of `write` means that this record was not kept. The logger counts it and goes
    on, or raises it where the audit trail is configured to fail closed. Implementations must not
    change the record: it is handed to the other sinks too.
    """

    def write(self, record: AuditRecord) -> None:
        """Keep one record, or raise."""

    def close(self) -> None:
        """Give back what the sink holds. It may be called twice, and `write` may follow."""
