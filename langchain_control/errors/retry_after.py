"""When a provider wants to be asked again."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from langchain_control.errors.codes import attribute, dig

__all__ = ["seconds_to_wait"]


def seconds_to_wait(exc: BaseException) -> float | None:
    """Return the wait a provider asked for, in seconds.

    Understands the header `Retry-After` in both forms, `retry-after-ms`, and Google's `RetryInfo`.
    A date is read against the response's own `Date`, so that a wrong local clock does not matter;
    against the local clock only where the response has none.
    """
    for headers in _headers(exc):
        if (milliseconds := _number(_header(headers, "retry-after-ms"))) is not None:
            return milliseconds / 1000
        asked = _header(headers, "retry-after")
        if (seconds := _number(asked)) is not None:
            return seconds
        answered = _header(headers, "date") or formatdate(usegmt=True)
        if (seconds := _seconds_between(answered, asked)) is not None:
            return seconds
    return _retry_info(exc)


def _headers(exc: BaseException) -> Iterator[Any]:
    response = attribute(exc, "response")
    yield attribute(response, "headers")
    yield attribute(exc, "headers")  # aiohttp, urllib
    yield dig(response, "ResponseMetadata", "HTTPHeaders")  # botocore


def _header(headers: Any, name: str) -> Any:
    get = attribute(headers, "get")
    return None if get is None else get(name) or get(name.title())


def _retry_info(exc: BaseException) -> float | None:
    details = dig(attribute(exc, "details"), "error", "details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(delay := dig(detail, "retryDelay"), str):
            return _number(delay.removesuffix("s"))
    return None


def _number(text: Any) -> float | None:
    try:
        number = float(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return number if 0 <= number < float("inf") else None


def _seconds_between(start: Any, end: Any) -> float | None:
    if not (isinstance(start, str) and isinstance(end, str)):
        return None
    try:
        return max(0.0, (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
