"""`configure_logging` is for applications without a logging setup."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from langchain_control.logging_setup import LogFormat, configure_logging
from langchain_control.sinks import StructlogSink
from tests.audit_records import attempt


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Give structlog its defaults back."""
    yield
    structlog.reset_defaults()


def test_json_lines_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`LOG_FORMAT=json` makes each record one JSON object on stderr."""
    monkeypatch.setenv("LOG_FORMAT", "json")
    configure_logging()
    StructlogSink().write(attempt("timeout", number=2, message="two\nlines"))

    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert (
        json.loads(line).items()
        >= {
            "event": "control.attempt",
            "level": "warning",
            "number": 2,
        }.items()
    )
    assert captured.out == ""


@pytest.mark.parametrize("value", [None, "", "text"])
def test_text_for_people_otherwise(
    value: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anything but `json` is text."""
    monkeypatch.delenv("LOG_FORMAT", raising=False)
    if value is not None:
        monkeypatch.setenv("LOG_FORMAT", value)
    configure_logging()
    StructlogSink().write(attempt(number=2))

    line = capsys.readouterr().err
    assert "control.attempt" in line
    assert "number=2" in line
    with pytest.raises(json.JSONDecodeError):
        json.loads(line)


def test_the_argument_wins_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the application writes down is what it gets."""
    monkeypatch.setenv("LOG_FORMAT", "console")
    configure_logging("json")
    StructlogSink().write(attempt(number=2))

    assert json.loads(capsys.readouterr().err)["number"] == 2


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_an_exception_is_told_without_local_variables(
    log_format: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON lines said only that there was one; text showed keys and prompts."""
    configure_logging(log_format)

    def call(_key: str) -> None:
        msg = "provider down"
        raise ConnectionError(msg)

    try:
        call("sk-live")
    except ConnectionError:
        structlog.get_logger().exception("request failed", stack_info=True)

    told = capsys.readouterr().err
    assert all(part in told for part in ("ConnectionError: provider down", "in call", "Stack"))
    assert "_key" not in told
    if log_format == "json":
        assert json.loads(told)["event"] == "request failed"


def test_an_unknown_format_is_refused() -> None:
    """A typing error is not taken for text."""
    with pytest.raises(ValueError, match="`log_format`"):
        configure_logging("jsonl")  # type: ignore[arg-type]
