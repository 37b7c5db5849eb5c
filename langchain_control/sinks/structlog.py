"""Audit records as log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_control.events import REQUEST_ID, EventName
from langchain_control.trail.nesting import is_of_a_request

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord

__all__ = ["StructlogSink"]

_RENAMED = {"message": "detail", "request_id": REQUEST_ID}
"""The `logging` module, and processors for it, keep one for themselves; applications bind an id of
their own by the name of the other."""

_CANCELLED = "CancelledError"
"""What cuts a request off where a client goes away, which is nobody's mistake."""

_LEVEL_OF_STATUS = {"accepted": "info", "fallback": "warning", "rejected": "warning"}


class StructlogSink:
    """Log each record with structlog, as the application has configured it.

    The record's `message` is logged as `detail`: a line of the `logging` module has a message of
    its own. Its `request_id` is logged as `control_request_id`: the application may have bound one
    of its own.

    Nothing is configured here. `langchain_control.logging_setup.configure_logging` is there for
    applications without a setup of their own.
    """

    def __init__(self, logger_name: str = "langchain_control.audit") -> None:
        """Log under this name."""
        self.logger_name = logger_name

    def write(self, record: AuditRecord) -> None:
        """Log one record: `error` for a request that got no answer, `warning` for trouble.

        A request that was cancelled is trouble.
        """
        import structlog  # noqa: PLC0415  (slow; only users of this sink pay)

        fields: dict[str, Any] = {_RENAMED.get(name, name): v for name, v in record.items()}
        event = fields.pop("event")
        logger = structlog.get_logger(self.logger_name)
        getattr(logger, _level(record))(event, logger=self.logger_name, **fields)

    def close(self) -> None:
        """Do nothing: loggers belong to the application."""

    def __repr__(self) -> str:
        """Show the logger's name."""
        return f"StructlogSink({self.logger_name!r})"


def _level(record: AuditRecord) -> str:
    if record["event"] == EventName.FINISHED and is_of_a_request(record):
        return _LEVEL_OF_STATUS.get(record.get("status", ""), "error")
    if record["event"] == EventName.CUT_OFF:
        is_trouble = record.get("message") == _CANCELLED or not is_of_a_request(record)
        return "warning" if is_trouble else "error"
    has_failed = record.get("failure_mode", "none") != "none" or record.get("status") == "failed"
    return "warning" if has_failed or record["event"] == EventName.CIRCUIT_CHANGED else "info"
