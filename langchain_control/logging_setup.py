"""A logging setup for applications that have none."""

from __future__ import annotations

import os
import sys
from typing import Literal

__all__ = ["configure_logging"]

LogFormat = Literal["json", "console"]


def configure_logging(log_format: LogFormat | None = None) -> None:
    """Configure structlog for the whole process: JSON lines or text for people, on stderr.

    Exceptions are logged with their tracebacks, and without the values of local variables: those
    hold keys and prompts.

    Call it from the application's entry point, once. No library code calls it.

    Args:
        log_format: `json` or `console`. Without it the environment variable `LOG_FORMAT` decides:
            `json` means JSON lines, anything else text.

    Raises:
        ValueError: The format is neither.
    """
    import structlog  # noqa: PLC0415  (importing this module must stay cheap)

    chosen = log_format or ("json" if os.environ.get("LOG_FORMAT") == "json" else "console")
    if chosen not in ("json", "console"):
        msg = f"`log_format` must be `json` or `console`, got {chosen!r}"
        raise ValueError(msg)
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if chosen == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *renderers,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
