"""`StructlogSink` logs through the application's structlog."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import structlog
from structlog.testing import LogCapture, capture_logs

from langchain_control.events import AuditRecord, EventName
from langchain_control.sinks import AuditSink, QueuedSink, StructlogSink
from tests.audit_records import attempt, audit_record, finished


def test_logs_the_record_as_structured_fields() -> None:
    """Fields stay fields; the event's name is the message."""
    with capture_logs() as lines:
        StructlogSink().write(attempt("timeout", number=2))

    (line,) = lines
    assert line["event"] == "control.attempt"
    assert (line["number"], line["failure_mode"]) == (2, "timeout")
    assert line["logger"] == "langchain_control.audit"


@pytest.mark.parametrize("around", [lambda sink: sink, QueuedSink], ids=["direct", "queued"])
def test_what_the_application_has_bound_stays(around: Callable[[AuditSink], AuditSink]) -> None:
    """Its own `request_id` was replaced, and behind a queue all of it was gone."""
    lines = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, lines])
    sink = around(StructlogSink())
    try:
        with structlog.contextvars.bound_contextvars(request_id="http-42", user="ann"):
            sink.write(attempt(request_id="ours"))
        sink.close()
    finally:
        structlog.reset_defaults()

    (line,) = lines.entries
    assert (line["request_id"], line["user"]) == ("http-42", "ann")
    assert line["control_request_id"] == "ours"


@pytest.mark.parametrize(
    ("record", "level"),
    [
        (attempt(), "info"),
        (attempt("timeout"), "warning"),
        (audit_record(EventName.BLOCKED, failure_mode="prompt_injection"), "warning"),
        (audit_record(EventName.CIRCUIT_CHANGED, key="m"), "warning"),
        (audit_record(EventName.RETRY_SCHEDULED), "info"),
        (audit_record(EventName.CUT_OFF, message="KeyError"), "error"),
        (audit_record(EventName.CUT_OFF, message="CancelledError"), "warning"),
        (audit_record(EventName.TOOL_CALLED, status="answered", failure_mode="none"), "info"),
        (audit_record(EventName.TOOL_CALLED, status="failed", failure_mode="none"), "warning"),
        (finished("accepted"), "info"),
        (finished("fallback"), "warning"),
        (finished("rejected"), "warning"),
        (finished("exhausted"), "error"),
    ],
)
def test_trouble_is_louder_than_routine(record: dict[str, object], level: str) -> None:
    """The level says whether somebody should look."""
    with capture_logs() as lines:
        StructlogSink().write(record)

    assert lines[0]["log_level"] == level


def test_configures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Writing leaves the application's choice of structlog setup open."""
    structlog.reset_defaults()
    StructlogSink().write(attempt())

    assert "control.attempt" in capsys.readouterr().out
    assert not structlog.is_configured()


def test_logs_through_the_standard_library(caplog: pytest.LogCaptureFixture) -> None:
    """With fields as `extra`, where `logging` refuses the names of its own attributes."""
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    every_field = dict.fromkeys(AuditRecord.__annotations__, "?") | {"message": "no answer"}
    try:
        with caplog.at_level("INFO"):
            StructlogSink().write(every_field)
    finally:
        structlog.reset_defaults()

    (line,) = caplog.records
    assert (line.msg, vars(line)["detail"]) == ("?", "no answer")


def test_importing_the_sinks_does_not_import_structlog() -> None:
    """Only users of this sink pay for it."""
    code = "import sys, langchain_control.sinks; sys.exit('structlog' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
