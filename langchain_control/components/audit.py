"""The listener: what happened, written down once."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast
from weakref import WeakValueDictionary

from langchain_core.callbacks import BaseCallbackHandler

from langchain_control._at_fork import ForkSafeLock
from langchain_control._overriding import Overridable
from langchain_control._per_process import PerProcess
from langchain_control._shared import Shared
from langchain_control.events import REQUEST_ID, EventName
from langchain_control.sinks import AuditSink, JsonlSink, MemorySink, QueuedSink
from langchain_control.sinks.jsonl import Fsync
from langchain_control.trail.entry import entry_of
from langchain_control.trail.file import FileTrail
from langchain_control.trail.recent import RecentIds
from langchain_control.trail.reports import AuditReports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from uuid import UUID

    from langchain_control.events import AuditRecord
    from langchain_control.trail.summary import AuditSummary

__all__ = ["AuditLogger"]

_logger = logging.getLogger(__name__)


class AuditLogger(BaseCallbackHandler, AuditReports, Overridable, Shared):
    """Write down what the control layer did, and answer questions about it.

    Goes where LangChain's callbacks go: `config={"callbacks": [audit]}`, `.with_config(...)`, or
    the policy. It hears the control layer's events and nothing else of the run.

    !!! example "Audit a chain of single components"

        ```python
        audit = AuditLogger(path="audit.jsonl")
        chain = (InputGuard() | prompt | model).with_config(callbacks=[audit])
        chain.invoke("What is a circuit breaker?")
        print(audit.summary())
        ```
    """

    run_inline = True
    """In async code, write on the event loop: appending a line takes microseconds, and records
    stay in order."""

    def __init__(  # noqa: PLR0913  (settings, by keyword)
        self,
        path: str | os.PathLike[str] | None = "audit.jsonl",
        *,
        rotate_bytes: int | None = None,
        rotate_daily: bool = False,
        keep: int | None = None,
        compress: bool = False,
        fsync: Fsync = "never",
        sinks: Sequence[AuditSink] = (),
        include_content: bool = False,
        max_content_chars: int = 2000,
        metadata_keys: Sequence[str] = (),
        raise_error: bool = False,
    ) -> None:
        """Configure; nothing is opened, created or read before the first record or question.

        Args:
            path: The file of JSON Lines that figures are counted from. Without one, records stay
                in the memory of this process.
            rotate_bytes: Begin a new file when this one would grow beyond this size, and give the
                old one the name of the moment. Figures cover both. `None` lets it grow.
            rotate_daily: Begin a new file with the first record of a day, in UTC.
            keep: How many rotated files are kept; older ones are removed, and their figures with
                them. `None` keeps all.
            compress: Compress rotated files with gzip, in a thread of their own.
            fsync: Wait for the disk after each `record`, or when a `request` has ended, so that a
                power cut cannot take them. `never` leaves that to the operating system.
            sinks: Where else each record goes, such as `StructlogSink()`.
            include_content: Keep the text of what the model answered in each attempt, if this is
                the logger of the policy. Off, because answers are personal data more often than
                not.
            max_content_chars: How much of it, in characters.
            metadata_keys: Names in the run's metadata whose values each record keeps, such as
                `("thread_id", "user_id")`.
            raise_error: Fail closed: a record that cannot be kept stops the run. By default the
                run goes on and the loss is counted in `write_errors`.

        Raises:
            TypeError: One of `sinks` is no sink, or they are one instead of a list; or
                `metadata_keys` are no list of names.
            ValueError: A setting is out of its range, or has nothing to work on.
        """
        if isinstance(sinks, AuditSink):
            msg = f"`sinks` must be a list of sinks, got one `{type(sinks).__name__}`"
            raise TypeError(msg)
        if unfit := [type(sink).__name__ for sink in sinks if not isinstance(sink, AuditSink)]:
            msg = f"`sinks` need `write` and `close`, got {', '.join(unfit)}"
            raise TypeError(msg)
        if isinstance(metadata_keys, str) or not all(isinstance(k, str) for k in metadata_keys):
            msg = f"`metadata_keys` must be a list of names, got {metadata_keys!r}"
            raise TypeError(msg)
        if max_content_chars < 1:
            msg = f"`max_content_chars` must be at least 1, got {max_content_chars}"
            raise ValueError(msg)
        self.sinks = tuple(sinks)
        self.include_content = include_content
        self.max_content_chars = max_content_chars
        self.metadata_keys = tuple(metadata_keys)
        self.raise_error = raise_error
        file_settings: dict[str, Any] = {
            "rotate_bytes": rotate_bytes,
            "rotate_daily": rotate_daily,
            "keep": keep,
            "compress": compress,
            "fsync": fsync,
        }
        self.path: Path | None = None
        self._store: AuditSink
        self._reports: AuditReports
        if path is None:
            _refuse_without_file(file_settings)
            self._store = self._reports = MemorySink()
            self._file_settings = {}
        else:
            self._store = store = JsonlSink(path, **file_settings)
            self._file_settings = store.settings
            self.path = store.path
            self._reports = FileTrail(store.path)
        kept = (file_settings, self._content_chars(), self.metadata_keys)
        file = None if self.path is None else repr((self.path.resolve(), *kept))
        self._books = PerProcess(partial(_Bookkeeping, file, len(self._all_sinks())))

    # --- listening ------------------------------------------------------------------------------

    @property
    def ignore_llm(self) -> bool:
        """Ignore model events: every streamed token would cost a call."""
        return True

    @property
    def ignore_chat_model(self) -> bool:
        """Leave prompts unread."""
        return True

    @property
    def ignore_retriever(self) -> bool:
        """Leave documents unread."""
        return True

    def on_custom_event(
        self,
        name: str,
        data: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,  # noqa: ARG002  (LangChain's signature)
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002  (LangChain's signature)
    ) -> None:
        """Record an event of the control layer; those of others are left alone."""
        if name not in _EVENTS or not isinstance(data, Mapping):
            return
        request_id = (
            data.get("request_id")
            or (metadata or {}).get(REQUEST_ID)
            or self._books.get().root_of(run_id).hex
        )
        told = {**data, "event": name, "request_id": request_id, "metadata": metadata}
        self.record(cast("AuditRecord", told))

    def on_chain_start(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Remember which request a run belongs to."""
        self._books.get().started(kwargs["run_id"], kwargs.get("parent_run_id"))

    def on_chain_end(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Forget the run."""
        self._books.get().ended(kwargs["run_id"])

    on_chain_error = on_tool_end = on_tool_error = on_chain_end
    on_tool_start = on_chain_start

    # --- writing --------------------------------------------------------------------------------

    def record(self, record: AuditRecord) -> None:
        """Write one record to the file and to every sink, unless it has just taken it.

        `id`, `time` and `request_id` are filled in where they are missing. Only the fields of
        `AuditRecord` are kept, as plain values; `content` only with `include_content`, and of
        `metadata` what `metadata_keys` name.

        Raises:
            ValueError: The record has no `event`.
            Exception: A sink failed, and `raise_error` is set. The other sinks were served.
        """
        books = self._books.get()
        entry = entry_of(
            record, content_chars=self._content_chars(), metadata_keys=self.metadata_keys
        )
        errors = [
            error
            for taken, sink in zip(books.taken, self._all_sinks(), strict=True)
            if (error := _error_of(taken.once, entry["id"], partial(sink.write, entry)))
        ]
        if not errors:
            return
        if books.count_errors(len(errors)):
            kinds = ", ".join(type(error).__name__ for error in errors)
            _logger.warning("audit records are being lost (%s); see `write_errors`", kinds)
        if self.raise_error:
            raise errors[0]

    @property
    def write_errors(self) -> int:
        """How many records a sink could not keep, in this process, queued ones included."""
        lost = sum(sink.lost for sink in self.sinks if isinstance(sink, QueuedSink))
        return self._books.get().write_errors + lost

    def close(self) -> None:
        """Close the file and every sink. A later record opens them again.

        Raises:
            Exception: A sink could not be closed. The others were.
        """
        errors = [error for sink in self._all_sinks() if (error := _error_of(sink.close))]
        if errors:
            raise errors[0]

    def _content_chars(self) -> int:
        return self.max_content_chars if self.include_content else 0

    def _all_sinks(self) -> tuple[AuditSink, ...]:
        return (self._store, *self.sinks)

    # --- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read what was appended to the file; every question does so by itself."""
        self._reports.refresh()

    def summary(self) -> AuditSummary:
        """Sum up the file and what it was rotated into: earlier runs and other processes, too.

        Without a file: what this process recorded.
        """
        return replace(self._reports.summary(), write_errors=self.write_errors)

    def to_records(self) -> Iterator[AuditRecord]:
        """Iterate over the records, oldest first: `pandas.DataFrame(audit.to_records())`."""
        return self._reports.to_records()

    def story(self, request_id: str) -> str:
        """Tell one request, a line per record, for people who do not know the code."""
        return self._reports.story(request_id)

    # --- an object like others ------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Return the logger."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Show where the records go."""
        path = None if self.path is None else str(self.path)
        file = "".join(f", {name}={value!r}" for name, value in self._file_settings.items())
        sinks = f", sinks={list(self.sinks)!r}" if self.sinks else ""
        content = ", include_content=True" if self.include_content else ""
        metadata = f", metadata_keys={self.metadata_keys!r}" if self.metadata_keys else ""
        strict = ", raise_error=True" if self.raise_error else ""
        return f"AuditLogger({path!r}{file}{sinks}{content}{metadata}{strict})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the configuration: the copy opens its files for itself."""
        return partial(AuditLogger, **self._settings()), ()

    def _settings(self) -> dict[str, Any]:
        return {
            "path": None if self.path is None else str(self.path),
            **self._file_settings,
            "sinks": self.sinks,
            "include_content": self.include_content,
            "max_content_chars": self.max_content_chars,
            "metadata_keys": self.metadata_keys,
            "raise_error": self.raise_error,
        }


def _refuse_without_file(settings: dict[str, Any]) -> None:
    defaults = signature(AuditLogger).parameters
    for name, value in settings.items():
        if value != defaults[name].default:
            msg = f"`{name}` is about the file, and there is none: `path` is None"
            raise ValueError(msg)


def _error_of(call: Callable[..., None], *arguments: Any) -> Exception | None:
    try:
        call(*arguments)
    except Exception as exc:  # noqa: BLE001  (one sink's trouble is not the others'; it is counted)
        return exc
    return None


_EVENTS = frozenset(EventName)

# --- what one process remembers -----------------------------------------------------------------

_MOST_RUNS = 10_000


class _Taken:
    """What a sink has just taken."""

    def __init__(self) -> None:
        # Re-entrant, because a signal handler may record while its thread is recording.
        self._lock = threading.RLock()
        self._recent = RecentIds()

    def once(self, record_id: str, write: Callable[[], None]) -> None:
        """Write a record to the sink, unless it has just taken one of this id."""
        with self._lock:
            is_new = self._recent.is_new(record_id)
        if not is_new:
            return
        try:
            write()
        except BaseException:
            with self._lock:
                self._recent.forget(record_id)
            raise


_by_file: WeakValueDictionary[tuple[int, str], _Taken] = WeakValueDictionary()
"""By process, file and settings: policies that are read from one text have a logger each."""
_looking_up = ForkSafeLock()


def _taken_by(file: str) -> _Taken:
    with _looking_up:
        return _by_file.setdefault((os.getpid(), file), _Taken())


class _Bookkeeping:
    """Which sinks have just taken what, which runs are under way, and what went wrong."""

    def __init__(self, file: str | None, sinks: int) -> None:
        self._lock = threading.RLock()  # re-entrant for the same reason
        store = _Taken() if file is None else _taken_by(file)
        self.taken = [store, *(_Taken() for _ in range(1, sinks))]
        self._roots: dict[UUID, UUID] = {}
        self.write_errors = 0

    def count_errors(self, count: int) -> bool:
        """Count, and say whether these are the first."""
        with self._lock:
            first = self.write_errors == 0
            self.write_errors += count
            return first

    def root_of(self, run_id: UUID) -> UUID:
        """Return the run that a trace began with, as far as it is known."""
        return self._roots.get(run_id, run_id)

    def started(self, run_id: UUID, parent_run_id: UUID | None) -> None:
        if parent_run_id is None:
            return
        with self._lock:
            self._roots[run_id] = self.root_of(parent_run_id)
            if len(self._roots) > _MOST_RUNS:
                # Runs that never ended, such as abandoned streams, must not pile up.
                del self._roots[next(iter(self._roots))]

    def ended(self, run_id: UUID) -> None:
        with self._lock:
            self._roots.pop(run_id, None)
