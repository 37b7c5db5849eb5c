"""What is known of runs in one invocation of a graph, and in no checkpoint."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["PerInvocation"]


class PerInvocation:
    """A memory for each invocation of a graph, which goes with it.

    An invocation stays in its process. What a run has in the graph's state is shared with
    checkpoints that are being written, and may not be changed in place.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()

    def of(self, runtime: Any) -> dict[Any, Any]:
        """Return the memory of an invocation.

        Args:
            runtime: LangGraph's or a tool's. Both have the stream writer of the invocation.
        """
        return self._kept.setdefault(runtime.stream_writer, {})

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without what is kept."""
        return PerInvocation, ()
