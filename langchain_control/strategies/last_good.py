"""An answer that was good before."""

from __future__ import annotations

import hashlib
import json
import pickle
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage

from langchain_control._at_fork import renew_in_children
from langchain_control._shared import Shared

if TYPE_CHECKING:
    from langchain_control.strategies import FallbackRequest

__all__ = ["LastGoodAnswer", "same_request"]


def same_request(request: FallbackRequest) -> str | None:
    """Key of a request: equal for the same messages, in the same order, with the same context.

    Returns:
        `None` if the context holds what cannot be compared, such as an open file.
    """
    said = [[m.type, m.name, m.content, _calls_in(m)] for m in request.messages]
    try:
        # JSON marks where one message ends and the next begins, whatever stands in them.
        listed = json.dumps([said, request.context], default=_by_value)
    except Exception:  # noqa: BLE001  (a foreign object may refuse in any way)
        return None
    return hashlib.sha256(listed.encode()).hexdigest()


class LastGoodAnswer(Shared):
    """Repeat the last accepted answer to the same messages with the same context.

    A router tells it every accepted answer through `remember`. Entries are bounded in number and
    age; the least recently used go first. Safe to share by threads. Kept in memory: a pickled copy
    and a forked child start empty.

    Answers go to whoever sends the same. Where they depend on who asks, give a `key` that tells
    users apart: it is called within the run, whose config is `ensure_config()`.

    !!! example "Yesterday's answer is better than none"

        ```python
        memory = LastGoodAnswer(max_age_seconds=86_400)
        router = FallbackRouter(strategies=[("last good answer", memory)])
        ```
    """

    answers_at_once = True
    """Called in the caller's own thread, so it answers even when no worker thread is free."""

    def __init__(
        self,
        *,
        max_entries: int = 1024,
        max_age_seconds: float | None = 3600.0,
        key: Callable[[FallbackRequest], str | None] = same_request,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the bounds.

        Args:
            max_entries: Answers kept.
            max_age_seconds: Age from which an answer is no longer given; `None` for any age.
            key: Which requests count as the same. One without a key is not remembered.
            clock: Seconds from any start.
        """
        if max_entries < 1:
            msg = f"`max_entries` must be at least 1, got {max_entries}"
            raise ValueError(msg)
        self.max_entries = max_entries
        self.max_age_seconds = max_age_seconds
        self._key = key
        self._clock = clock
        self._begin()
        renew_in_children(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def remember(self, request: FallbackRequest, answer: AIMessage) -> None:
        """Keep an accepted answer."""
        if (key := self._key(request)) is None:
            return
        entry = _Entry(_copy(answer), self._clock())
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            if len(self._entries) > self.max_entries:
                self._entries.popitem(last=False)

    def __call__(self, question: str, request: FallbackRequest) -> AIMessage | None:  # noqa: ARG002
        """Answer as before, or pass."""
        if (key := self._key(request)) is None:
            return None
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if self._is_stale(entry):
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
        return _copy(entry.answer)

    def _is_stale(self, entry: _Entry) -> bool:
        age = self._clock() - entry.stored
        return self.max_age_seconds is not None and age >= self.max_age_seconds

    def __len__(self) -> int:
        """Count the answers kept."""
        return len(self._entries)

    def __repr__(self) -> str:
        """Show the bounds, not the content."""
        return f"LastGoodAnswer(max_entries={self.max_entries}, entries={len(self)})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the bounds: answers stay in their process."""
        rebuild = partial(
            LastGoodAnswer,
            max_entries=self.max_entries,
            max_age_seconds=self.max_age_seconds,
            key=self._key,
            clock=self._clock,
        )
        return rebuild, ()


def _calls_in(message: BaseMessage) -> list[Any]:
    """List what an agent's model had asked of its tools; the ids are new each time."""
    return [[call["name"], call["args"]] for call in getattr(message, "tool_calls", ())]


def _by_value(given: Any) -> Any:
    """Return what stands for an object in JSON: never its address, which another may have later."""
    return pickle.dumps(given).hex()


class _Entry(NamedTuple):
    answer: AIMessage
    stored: float


def _copy(answer: AIMessage) -> AIMessage:
    """Return the answer as a new message that shares nothing with it.

    With its old id a thread's state would replace the earlier message instead of adding one.
    """
    content, kwargs = deepcopy((answer.content, answer.additional_kwargs))
    return AIMessage(content=content, additional_kwargs=kwargs)
