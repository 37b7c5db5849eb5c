"""What of an event goes into the trail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from langchain_control.events import AuditRecord
from langchain_control.trail.ids import as_text, kept_id

__all__ = ["entry_of"]

_FIELDS = frozenset(AuditRecord.__annotations__)

_MOST_ITEMS = 100
_LARGEST_INT = 2**63 - 1

_IDS = ("id", "request_id")


def entry_of(
    record: AuditRecord, *, content_chars: int, metadata_keys: Sequence[str] = ()
) -> AuditRecord:
    """Return a bounded, JSON-native copy of a record, with the fields that every record has.

    Fields that are none of `AuditRecord`'s stay out.

    Args:
        record: `id`, `time` and `request_id` may be missing; they are filled in.
        content_chars: How much of `content` is kept. Of 0 characters the field is not kept either.
        metadata_keys: What of `metadata` is kept. Of none the field is not kept either.

    Raises:
        ValueError: The record has no `event`.
    """
    if not record.get("event"):
        msg = "an audit record needs an `event`"
        raise ValueError(msg)
    fields: dict[str, Any] = {
        name: kept_id(value) if name in _IDS else _plain(value)
        for name, value in record.items()
        if name in _FIELDS and value is not None
    }
    fields.pop("metadata", None)
    if metadata := _named(record.get("metadata"), metadata_keys):
        fields["metadata"] = metadata
    content = fields.pop("content", None)
    if content_chars and isinstance(content, str):
        fields["content"] = content[:content_chars]
    if "id" not in fields:
        fields["id"] = uuid4().hex
    if "time" not in fields:
        fields["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    fields.setdefault("request_id", fields["id"])
    return cast("AuditRecord", fields)


def _named(metadata: Any, names: Sequence[str]) -> dict[str, str]:
    """Return what is there under the names, as short texts."""
    if not isinstance(metadata, Mapping):
        return {}
    there = {name: metadata[name] for name in names if metadata.get(name) is not None}
    return {name: kept_id(_short(value)) for name, value in there.items()}


def _short(value: Any) -> Any:
    return _plain(value) if isinstance(value, str | int | float) else type(value).__name__


def _plain(value: Any) -> str | int | float | list[str] | None:
    """Reduce a value to what JSON can hold; a type that has no place in a record is only named."""
    match value:
        case str():
            return as_text(value)
        case int():
            return max(-_LARGEST_INT, min(value, _LARGEST_INT))
        case float():
            return value if math.isfinite(value) else None
        case list() | tuple():
            return [str(_plain(item)) for item in value[:_MOST_ITEMS]]
        case _:
            return type(value).__name__
