"""What an exception carries of a reply: an HTTP status, and the provider's error code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_control.outcomes import FailureMode

__all__ = [
    "MODE_OF_CODE",
    "MODE_OF_STATUS",
    "MODE_OF_STREAMED_CODE",
    "attribute",
    "by_code",
    "by_status",
    "dig",
    "status_of",
    "told_in",
]


def _static(exc: BaseException, name: str) -> Any:
    """Read an attribute without running a property: aiohttp's `code` warns that it is old."""
    return inspect.getattr_static(exc, name, None)


def attribute(value: Any, name: str) -> Any:
    """Return an attribute, or `None`, also where a property fails to tell it."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001  (a foreign object may refuse in any way)
        return None


def dig(value: Any, *names: str) -> Any:
    """Return what lies under these names in nested mappings, or `None`."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


# --- by HTTP status -------------------------------------------------------------------------------

MODE_OF_STATUS: dict[int, FailureMode] = {
    408: FailureMode.TIMEOUT,
    409: FailureMode.MODEL_ERROR,  # a conflict of requests, gone at the next try
    424: FailureMode.MODEL_ERROR,  # Bedrock: the model behind it failed
    425: FailureMode.MODEL_ERROR,
    429: FailureMode.RATE_LIMITED,
    499: FailureMode.MODEL_ERROR,  # Google: cancelled on the way
    501: FailureMode.MODEL_REJECTED,
    504: FailureMode.TIMEOUT,
    505: FailureMode.MODEL_REJECTED,
}

_MODE_OF_STATUS_CLASS: dict[int, FailureMode] = {
    3: FailureMode.MODEL_REJECTED,  # a redirect that was not followed: the wrong address
    4: FailureMode.MODEL_REJECTED,
    5: FailureMode.MODEL_ERROR,
}


def by_status(exc: BaseException) -> FailureMode | None:
    """Say what an exception means by its HTTP status."""
    return _of_status(status_of(exc))


def _of_status(status: int) -> FailureMode | None:
    return MODE_OF_STATUS.get(status) or _MODE_OF_STATUS_CLASS.get(status // 100)


def status_of(exc: BaseException) -> int:
    """Find an HTTP status where SDKs put it: on the exception, or on its response."""
    response = attribute(exc, "response")
    places = (
        dig(response, "ResponseMetadata", "HTTPStatusCode"),  # botocore
        *(_static(exc, name) for name in ("status_code", "status", "code")),
        attribute(response, "status_code"),
    )
    return next((int(p) for p in places if isinstance(p, int)), 0)


# --- by the provider's error code -----------------------------------------------------------------

MODE_OF_CODE: dict[str, FailureMode] = {
    "context_length_exceeded": FailureMode.CONTEXT_OVERFLOW,
    "exceed_context_size_error": FailureMode.CONTEXT_OVERFLOW,  # llama.cpp
    "content_filter": FailureMode.REFUSAL,
    "content_policy_violation": FailureMode.REFUSAL,
    "image_content_policy_violation": FailureMode.REFUSAL,
    "bio_policy": FailureMode.REFUSAL,
    "misalignment_policy_violation": FailureMode.REFUSAL,
    "invalid_prompt": FailureMode.REFUSAL,  # OpenAI: flagged as against its policy
    # Groq: its model wrote what nobody can read.
    "tool_use_failed": FailureMode.SCHEMA_VIOLATION,
    "json_validate_failed": FailureMode.SCHEMA_VIOLATION,
    # A 429 that no waiting ends.
    "insufficient_quota": FailureMode.MODEL_REJECTED,
    "billing_hard_limit_reached": FailureMode.MODEL_REJECTED,
    # AWS may say so with status 400.
    "throttling": FailureMode.RATE_LIMITED,
    "throttlingexception": FailureMode.RATE_LIMITED,
    "toomanyrequestsexception": FailureMode.RATE_LIMITED,
    "modelnotreadyexception": FailureMode.MODEL_ERROR,
}
"""Codes that say more than the status they come with."""

MODE_OF_STREAMED_CODE: dict[str, FailureMode] = {
    "overloaded_error": FailureMode.MODEL_ERROR,
    "api_error": FailureMode.MODEL_ERROR,
    "server_error": FailureMode.MODEL_ERROR,
    "timeout_error": FailureMode.TIMEOUT,
    "rate_limit_error": FailureMode.RATE_LIMITED,
    "rate_limit_exceeded": FailureMode.RATE_LIMITED,
    "authentication_error": FailureMode.MODEL_REJECTED,
    "billing_error": FailureMode.MODEL_REJECTED,
    "invalid_request_error": FailureMode.MODEL_REJECTED,
    "not_found_error": FailureMode.MODEL_REJECTED,
    "permission_error": FailureMode.MODEL_REJECTED,
    "modeltimeoutexception": FailureMode.TIMEOUT,
    "validationexception": FailureMode.MODEL_REJECTED,
    "vector_store_timeout": FailureMode.TIMEOUT,
    **dict.fromkeys(
        (
            "data_residency_mismatch",
            "empty_image_file",
            "failed_to_download_image",
            "image_file_not_found",
            "image_file_too_large",
            "image_parse_error",
            "image_too_large",
            "image_too_small",
            "invalid_base64_image",
            "invalid_image",
            "invalid_image_format",
            "invalid_image_mode",
            "invalid_image_url",
            "unsupported_image_media_type",
        ),
        FailureMode.MODEL_REJECTED,
    ),
}
"""Codes of errors inside a stream, or in a reply, whose HTTP status was 200 by then."""


def by_code(exc: BaseException, modes: Mapping[str, FailureMode]) -> FailureMode | None:
    """Say what an exception means by its error code, as one of these tables has it."""
    return next((modes[code] for code in _codes(exc) if code in modes), None)


def _codes(exc: BaseException) -> Iterator[str]:
    body = attribute(exc, "body")
    error = dig(body, "error") or body
    places = (
        _static(exc, "code"),
        _static(exc, "type"),
        dig(error, "code"),
        dig(error, "type"),
        dig(attribute(exc, "response"), "Error", "Code"),  # botocore
    )
    return (place.lower() for place in places if isinstance(place, str))


_LEADING_CODE = re.compile(r"(?:code=')?([a-z_]+)\b")


def told_in(exc: BaseException) -> FailureMode | None:
    """Say what an error means that came in place of an answer, and was raised as it is."""
    told = exc.args[0] if exc.args else None
    leading = _LEADING_CODE.match(told) if isinstance(told, str) else None
    codes = (attribute(told, "code"), dig(told, "code"), dig(told, "type"), leading and leading[1])
    modes = MODE_OF_CODE | MODE_OF_STREAMED_CODE
    found = (_of_status(c) if isinstance(c, int) else modes.get(str(c).lower()) for c in codes)
    return next(filter(None, found), None)
