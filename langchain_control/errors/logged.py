"""Exceptions that become values, in the application's own log: what failed, and where.

The text of an exception may hold what a user, a model or a tool has said. It is logged, with the
traceback, where the logger `langchain_control` is at `DEBUG`.
"""

from __future__ import annotations

import logging
import traceback

from langchain_control._printable import printable

__all__ = ["log_failure"]

logger = logging.getLogger(__name__)


def log_failure(what: str, exc: BaseException) -> None:
    """Log an exception that nobody will see raised."""
    shown = exc if logger.isEnabledFor(logging.DEBUG) else None
    told = printable(what), type(exc).__name__, _place(exc)
    logger.warning("%s failed with `%s`%s", *told, exc_info=shown)


def _place(exc: BaseException) -> str:
    """Say where an exception was raised."""
    frames = traceback.extract_tb(exc.__traceback__)
    return f" in `{frames[-1].name}` ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
