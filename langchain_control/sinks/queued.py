"""A queue before a slow sink."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
import weakref
from collections import deque
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from langchain_control._per_process import PerProcess
from langchain_control._shared import Shared

if TYPE_CHECKING:
    from langchain_control.events import AuditRecord
    from langchain_control.sinks import AuditSink

__all__ = ["QueuedSink"]

_logger = logging.getLogger(__name__)


class QueuedSink(Shared):
    """Hand records to another sink in a thread of its own, in order.

    Each is written in the context that it was recorded in: the sink finds the context variables of
    the application, such as what structlog has bound or the span of OpenTelemetry.

    Writing takes no time, however slow the sink is. What does not fit into the queue is refused
    with an exception and counted in `dropped`; what the sink refused `max_attempts` times, or had
    not taken when `close` gave up, is counted in `lost`. `AuditLogger.write_errors` has both.

    One that is dropped without `close` delivers what it has, closes its sink and lets go of it. A
    process that ends without `close` is given the same time to empty all queues, before clients
    that were made ahead of the first record close themselves by `atexit`. One that is killed, or
    a forked child that ends with `os._exit`, loses what is in it. A forked child begins with an
    empty queue, and the parent delivers its own.

    !!! example "Copy records to a database without waiting for it"

        ```python
        audit = AuditLogger(sinks=[QueuedSink(DatabaseSink(connect))])
        ```
    """

    def __init__(
        self,
        sink: AuditSink,
        *,
        max_records: int = 10_000,
        max_attempts: int = 3,
        retry_seconds: float = 1.0,
        close_seconds: float = 5.0,
    ) -> None:
        """Remember the sink; no thread is started before the first record.

        Args:
            sink: Is called from one thread at a time.
            max_records: How many may wait. A record takes about a kilobyte.
            max_attempts: How often a record is handed to the sink before it counts as lost.
            retry_seconds: The pause before another try, in which a server may come back.
            close_seconds: How long `close` waits for the queue to be emptied.

        Raises:
            ValueError: A setting is out of its range.
        """
        for name, value in (("max_records", max_records), ("max_attempts", max_attempts)):
            if value < 1:
                msg = f"`{name}` must be at least 1, got {value}"
                raise ValueError(msg)
        for name, seconds in (("retry_seconds", retry_seconds), ("close_seconds", close_seconds)):
            if seconds < 0:
                msg = f"`{name}` must not be negative, got {seconds}"
                raise ValueError(msg)
        self.sink = sink
        self._settings: dict[str, Any] = {
            "max_records": max_records,
            "max_attempts": max_attempts,
            "retry_seconds": retry_seconds,
            "close_seconds": close_seconds,
        }
        self._backlog = PerProcess(partial(_Backlog, sink, **self._settings))
        weakref.finalize(self, _dropped, self._backlog).atexit = False

    @property
    def dropped(self) -> int:
        """How many records found the queue full, in this process."""
        return self._backlog.get().dropped

    @property
    def lost(self) -> int:
        """How many queued records did not reach the sink, in this process."""
        return self._backlog.get().lost

    def write(self, record: AuditRecord) -> None:
        """Queue one record.

        Raises:
            queue.Full: There is no room; the record is dropped.
        """
        self._backlog.get().put(record)

    def close(self) -> None:
        """Empty the queue and close the sink, within `close_seconds`.

        What the sink has not taken then is lost. A sink that hangs is waited for once. A later
        `write` goes on.
        """
        self._backlog.get().close()

    def __enter__(self) -> Self:
        """Return the sink."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Empty the queue."""
        self.close()

    def __repr__(self) -> str:
        """Show what is behind the queue, and what went wrong."""
        return f"QueuedSink({self.sink!r}, dropped={self.dropped}, lost={self.lost})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the settings: queued records stay in the process that wrote them."""
        return partial(QueuedSink, self.sink, **self._settings), ()


class _Backlog:
    """One process's queue, and the thread that empties it."""

    def __init__(
        self,
        sink: AuditSink,
        *,
        max_records: int,
        max_attempts: int,
        retry_seconds: float,
        close_seconds: float,
    ) -> None:
        self._sink = sink
        self._max_records = max_records
        self._max_attempts = max_attempts
        self._retry_seconds = retry_seconds
        self._close_seconds = close_seconds
        self._pid = os.getpid()
        # Re-entrant, as a condition is by default: a signal handler may write, too.
        self._changed = threading.Condition()
        self._records: deque[tuple[AuditRecord, Context]] = deque()
        self._thread: threading.Thread | None = None
        self._is_closing = self._is_dropped = False
        self._is_busy = False
        self._is_given_up = False
        self.dropped = 0
        self.lost = 0

    def put(self, record: AuditRecord) -> None:
        with self._changed:
            if len(self._records) >= self._max_records:
                self.dropped += 1
                msg = f"{self._max_records} records are waiting for {type(self._sink).__name__}"
                raise queue.Full(msg)
            self._is_closing = False
            if self._thread is None:
                self._start_locked()
            self._records.append((record, copy_context()))
            self._changed.notify_all()

    def close(self) -> None:
        if (thread := self.let_go()) is not None:
            self.wait_for(thread)
        else:
            self._sink.close()

    def let_go(self) -> threading.Thread | None:
        """Let the thread end once the queue is empty. Return it, if there is one."""
        if self._pid != os.getpid():
            return None  # a child ends; what its parent has queued is the parent's
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            return self._thread

    def drop(self) -> None:
        """Let the thread end once the queue is empty, with the pauses that it takes otherwise."""
        with self._changed:
            self._is_dropped = True
            self._changed.notify_all()

    def wait_for(self, thread: threading.Thread, waited_seconds: float = 0.0) -> None:
        """Wait for the end of the thread. What was waited for others already counts."""
        left = max(0.0, self._close_seconds - waited_seconds)
        thread.join(0 if self._is_given_up else left)
        with self._changed:
            in_hand = self._is_busy and not self._is_given_up
            self._is_given_up = self._is_busy
            self._count_lost_locked(len(self._records) + in_hand, "not delivered in time")
            self._records.clear()

    def _start_locked(self) -> None:
        thread = threading.Thread(target=self._run, name="audit-queue", daemon=True)
        thread.start()
        self._thread = thread
        _STARTED.add(self)
        # What was registered last is run first: before a client behind the sink closes itself.
        atexit.unregister(_close_started)
        atexit.register(_close_started)

    def _count_lost_locked(self, count: int, reason: str) -> None:
        if count and not self.lost:
            msg = "audit records are being lost on the way to %s (%s); see `lost`"
            _logger.warning(msg, type(self._sink).__name__, reason)
        self.lost += count

    # --- in the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        while (queued := self._next()) is not None:
            self._deliver(*queued)
        try:
            self._sink.close()
        except BaseException as exc:  # noqa: BLE001  (nobody is there to catch it)
            _logger.warning("%s cannot be closed: %s", type(self._sink).__name__, exc)

    def _next(self) -> tuple[AuditRecord, Context] | None:
        """Wait for a record; there is none once the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._records or self._is_closing or self._is_dropped)
            if self._records:
                self._is_busy = True
                return self._records.popleft()
            self._thread = None
            _STARTED.discard(self)
            return None

    def _deliver(self, record: AuditRecord, context: Context) -> None:
        for left in reversed(range(self._max_attempts)):
            try:
                context.run(self._sink.write, record)
            except BaseException as exc:  # noqa: BLE001  (whatever it is, the record was not kept)
                if not left:
                    self._done(lost_to=exc)
                    return
            else:
                self._done()
                return
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing, self._retry_seconds)

    def _done(self, lost_to: BaseException | None = None) -> None:
        """Count the record in hand, unless it was given up and so counted as lost already."""
        with self._changed:
            if self._is_given_up:
                self.lost -= lost_to is None
            elif lost_to is not None:
                self._count_lost_locked(1, type(lost_to).__name__)
            self._is_busy = self._is_given_up = False


_STARTED: set[_Backlog] = set()
"""Those whose threads are running."""


def _dropped(backlog: PerProcess[_Backlog]) -> None:
    backlog.get().drop()


def _close_started() -> None:
    """Empty all queues in the time of the one that takes longest."""
    began = time.monotonic()
    threads = [(backlog, backlog.let_go()) for backlog in list(_STARTED)]
    for backlog, thread in threads:
        if thread is not None:
            backlog.wait_for(thread, time.monotonic() - began)
