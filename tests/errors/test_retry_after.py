"""When a provider wants to be asked again."""

import pytest

from langchain_control.errors import RateLimited, retry_after_seconds
from langchain_control.outcomes import ControlResult
from tests.sdk_errors import (
    CarriesStatusError,
    aiohttp_error,
    aws_error,
    google_error,
    requests_status,
    sdk_error,
    urllib_status,
)

NOON, LATER = "Mon, 23 Nov 2026 12:00:00 GMT", "Mon, 23 Nov 2026 12:00:30 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"Retry-After-Ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": LATER, "date": NOON}, 30.0),
        ({"Retry-After": LATER, "Date": NOON}, 30.0),
        ({"retry-after": NOON, "date": LATER}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": ["7"]}, None),
        ({"retry-after": "9" * 5_000}, None),
        ({"retry-after": "Mon, 99 Nov 2026 12:00:30 GMT", "date": NOON}, None),
        ({}, None),
    ],
    ids=lambda p: str(p)[:40],
)
def test_a_header_says_when_to_come_back(headers, seconds):
    """Seconds, milliseconds and dates are understood; nonsense is no wait."""
    assert retry_after_seconds(CarriesStatusError(429, headers)) == seconds


def test_a_date_is_read_against_the_local_clock_where_there_is_no_other(monkeypatch):
    """A response without a `Date` of its own leaves the local clock."""
    monkeypatch.setattr("langchain_control.errors.retry_after.formatdate", lambda usegmt: NOON)

    assert retry_after_seconds(CarriesStatusError(429, {"retry-after": LATER})) == 30


@pytest.mark.parametrize(
    ("make", "seconds"),
    [
        (lambda: sdk_error("openai", "RateLimitError", 429, headers={"Retry-After": "3"}), 3),
        (lambda: sdk_error("anthropic", "RateLimitError", 429, headers={"retry-after": "3"}), 3),
        (lambda: requests_status(429, {"RETRY-AFTER": "3"}), 3),
        (lambda: urllib_status(429, {"Retry-After": "3"}), 3),
        (lambda: aiohttp_error("ClientResponseError", 429, {"Retry-After": "3"}), 3),
        (lambda: aws_error("Throttling", 429, HTTPHeaders={"retry-after": "3"}), 3),
        (lambda: google_error(429, "X", [{"@type": "…RetryInfo", "retryDelay": "3.5s"}]), 3.5),
        (lambda: google_error(429, "X", ["odd", {"retryDelay": 3}]), None),
        (lambda: RateLimited(result=ControlResult(status="rejected", retry_after=3.0)), 3),
        (TimeoutError, None),
    ],
    ids=["openai", "anthropic", "requests", "urllib", "aiohttp", "aws", "google", "google, odd",
         "our own", "no response"],
)  # fmt: skip
def test_every_sdk_keeps_it_somewhere_else(make, seconds):
    """Wherever the SDK put the headers, they are found."""
    try:
        exc = make()
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} is not installed")

    assert retry_after_seconds(exc) == seconds


def test_the_wait_is_found_below_a_wrapper():
    """A throttled call in a wrapper of somebody's own was tried again without the wait."""
    wrapper = RuntimeError("the provider failed")
    wrapper.__cause__ = CarriesStatusError(429, {"retry-after": "7"})

    assert retry_after_seconds(wrapper) == 7


def test_the_longest_wait_in_a_group_counts():
    """Each part of the call must find its provider ready."""
    parts = [CarriesStatusError(429, {"retry-after": seconds}) for seconds in ("3", "7")]
    nested = ExceptionGroup("g", [ExceptionGroup("g", parts), TimeoutError()])

    assert retry_after_seconds(nested) == 7
