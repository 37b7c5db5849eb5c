"""JSON as bytes, by `orjson` where it is installed."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["dumps", "loads", "stdlib_dumps", "stdlib_loads"]


def stdlib_dumps(value: Any) -> bytes:
    """Encode compactly, as UTF-8, on one line, as orjson does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def stdlib_loads(data: bytes) -> Any:
    """Decode.

    Raises:
        ValueError: The bytes are not JSON, or not UTF-8, or nested too deeply.
    """
    try:
        return json.loads(data)
    except RecursionError as exc:
        msg = "nested too deeply"
        raise ValueError(msg) from exc


try:
    from orjson import dumps, loads
except ImportError:  # langchain-core brings it, on the platforms that it has wheels for
    dumps = stdlib_dumps  # type: ignore[assignment]  # fewer options, and none are used
    loads = stdlib_loads  # type: ignore[assignment]  # takes bytes alone, as it is given
