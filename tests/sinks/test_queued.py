"""`QueuedSink` keeps slow sinks from being waited for, and says what that cost."""

from __future__ import annotations

import copy
import gc
import logging
import multiprocessing
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_control import AuditLogger
from langchain_control.events import AuditRecord
from langchain_control.sinks import JsonlSink, MemorySink, QueuedSink
from langchain_control.sinks import queued as module
from langchain_control.testing import ManualClock
from langchain_control.trail import FileTrail
from tests.audit_records import attempt

forking = multiprocessing.get_context("fork")


class Gate(MemorySink):
    """A sink that stands still until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.opened = threading.Event(), threading.Event()
        self.has_closed = threading.Event()
        self.closed = 0

    def write(self, record: AuditRecord) -> None:
        self.reached.set()
        self.opened.wait()
        super().write(record)

    def close(self) -> None:
        self.closed += 1
        self.has_closed.set()


class Flaky(MemorySink):
    """A sink that refuses so many records before it takes one."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def write(self, record: AuditRecord) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        super().write(record)


def test_writing_does_not_wait_for_the_sink() -> None:
    """Records are delivered in order, once the sink is ready."""
    gate = Gate()
    sink = QueuedSink(gate)
    for number in range(5):
        sink.write(attempt(number=number))
    assert gate.records == ()

    gate.opened.set()
    sink.close()
    assert [record["number"] for record in gate.records] == list(range(5))


def test_a_record_is_written_in_the_context_it_was_made_in() -> None:
    """What an application binds to a request was missing, or that of another request."""
    user: ContextVar[str] = ContextVar("user", default="nobody")
    users: list[str] = []

    class Noting(MemorySink):
        def write(self, record: AuditRecord) -> None:
            users.append(user.get())

    with QueuedSink(Noting()) as sink:
        for name in ("ann", "bob"):
            token = user.set(name)
            sink.write(attempt())
            user.reset(token)

    assert users == ["ann", "bob"]


def test_a_full_queue_refuses_and_counts() -> None:
    """Memory is bounded, and the oldest records are the ones that are kept."""
    gate = Gate()
    with QueuedSink(gate, max_records=2) as sink:
        sink.write(attempt(number=0))
        gate.reached.wait()
        sink.write(attempt(number=1))
        sink.write(attempt(number=2))
        with pytest.raises(queue.Full, match="2 records are waiting for Gate"):
            sink.write(attempt(number=3))
        gate.opened.set()

    assert (sink.dropped, sink.lost) == (1, 0)
    assert [record["number"] for record in gate.records] == [0, 1, 2]


def test_a_sink_that_comes_back_costs_nothing() -> None:
    """A record is tried again before it is given up."""
    flaky = Flaky(2)
    with QueuedSink(flaky, max_attempts=3, retry_seconds=0) as sink:
        sink.write(attempt())

    assert sink.lost == 0
    assert len(flaky.records) == 1


def test_what_the_sink_refuses_for_good_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """One warning says so, and the records behind it are delivered."""
    flaky = Flaky(4)
    with (
        caplog.at_level(logging.WARNING),
        QueuedSink(flaky, max_attempts=2, retry_seconds=0) as sink,
    ):
        for _ in range(3):
            sink.write(attempt())

    assert sink.lost == 2
    assert len(flaky.records) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "audit records are being lost on the way to Flaky (ConnectionError); see `lost`"
    ]


def test_closing_does_not_wait_for_a_pause() -> None:
    """A sink that is away for good does not hold up the end of the program."""
    sink = QueuedSink(Flaky(10**6), max_attempts=3, retry_seconds=3600, close_seconds=60)
    for _ in range(50):
        sink.write(attempt())
    sink.close()

    assert sink.lost == 50


def test_closing_gives_up_in_time() -> None:
    """What the sink has not taken then is lost; it may end, and take one more, in its own time."""
    gate = Gate()
    sink = QueuedSink(gate, close_seconds=0)
    sink.write(attempt())
    gate.reached.wait()
    sink.write(attempt())
    sink.write(attempt())
    sink.close()
    assert sink.lost == 3

    gate.opened.set()
    assert gate.has_closed.wait(timeout=10)
    assert len(gate.records) == 1
    assert sink.lost == 2


def test_a_sink_that_hangs_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the program came after `close` and waited as long again."""
    gate = Gate()
    sink = QueuedSink(gate, close_seconds=0.01)
    sink.write(attempt())
    gate.reached.wait()
    waits: list[float] = []
    monkeypatch.setattr(threading.Thread, "join", lambda _, timeout: waits.append(timeout))
    sink.close()
    sink.write(attempt())
    sink.close()
    assert (waits, sink.lost) == ([0.01, 0], 2)

    gate.opened.set()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """The queues of one test whose threads are running."""
    monkeypatch.setattr(module, "_STARTED", set())
    return module._STARTED


def test_one_that_is_dropped_delivers_what_it_has_and_lets_go(started: set[Any]) -> None:
    """Its thread ends, its sink is closed, and nothing keeps it."""
    gate, sink = Gate(), weakref.ref(QueuedSink(MemorySink()))
    queued = QueuedSink(gate)
    for number in range(5):
        queued.write(attempt(number=number))
    gate.reached.wait()
    (backlog,) = started
    thread = backlog._thread
    del queued, backlog

    gate.opened.set()
    assert thread is not None
    thread.join()
    gc.collect()
    kept = weakref.ref(gate)
    assert ([record["number"] for record in gate.records], gate.closed) == ([*range(5)], 1)
    del gate
    assert kept() is None
    assert sink() is None
    assert not started


def test_one_that_is_dropped_waits_for_a_server_that_comes_back(started: set[Any]) -> None:
    """Nobody waits for its end, so that it may pause between tries as ever."""

    class Restarting(Flaky):
        def write(self, record: AuditRecord) -> None:
            reached.set()
            dropped.wait()
            super().write(record)

    def waiting(predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        if timeout is None:
            return wait_for(predicate)
        ends_at_once.append(predicate())
        return ends_at_once[-1]

    reached, dropped = threading.Event(), threading.Event()
    ends_at_once: list[bool] = []
    restarting = Restarting(2)
    queued = QueuedSink(restarting, max_attempts=3, retry_seconds=3600)
    queued.write(attempt())
    reached.wait()
    (backlog,) = started
    thread, wait_for = backlog._thread, backlog._changed.wait_for
    backlog._changed.wait_for = waiting
    del queued

    dropped.set()
    assert thread is not None
    thread.join()
    assert ends_at_once == [False, False]
    assert len(restarting.records) == 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_same_queue(copied: Callable[[QueuedSink], QueuedSink]) -> None:
    """One that was a queue of its own closed the sink of both when it went."""
    sink = QueuedSink(MemorySink())
    assert copied(sink) is sink


@pytest.mark.usefixtures("started")
def test_the_end_of_a_program_waits_for_all_queues_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sinks that hang took their time one after the other."""
    clock, waits, gates = ManualClock(), [], [Gate() for _ in range(3)]
    sinks = [QueuedSink(gate, close_seconds=5) for gate in gates]
    for sink, gate in zip(sinks, gates, strict=True):
        sink.write(attempt())
        gate.reached.wait()

    def join(_: threading.Thread, timeout: float) -> None:
        waits.append(timeout)
        clock.advance(timeout)

    monkeypatch.setattr(threading.Thread, "join", join)
    monkeypatch.setattr(time, "monotonic", clock)
    module._close_started()

    monkeypatch.undo()

    assert (waits, [sink.lost for sink in sinks]) == ([5, 0, 0], [1, 1, 1])
    for gate in gates:
        gate.opened.set()
        gate.has_closed.wait()


def test_whatever_a_sink_raises_the_queue_goes_on() -> None:
    """`SystemExit` ended its thread in silence, and no record was delivered ever after."""

    class Leaving(MemorySink):
        def write(self, record: AuditRecord) -> None:
            if record["number"] == 0:
                raise SystemExit
            super().write(record)

    leaving = Leaving()
    with QueuedSink(leaving, max_attempts=1) as sink:
        for number in range(3):
            sink.write(attempt(number=number))

    assert [record["number"] for record in leaving.records] == [1, 2]
    assert sink.lost == 1


def test_the_sink_behind_is_closed() -> None:
    """After its last record, and also if there was none."""
    idle, busy = Gate(), Gate()
    busy.opened.set()
    for gate in (idle, busy):
        sink = QueuedSink(gate)
        if gate is busy:
            sink.write(attempt())
        sink.close()

    assert (idle.closed, busy.closed) == (1, 1)


def test_a_sink_that_cannot_be_closed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """In the log, as nobody is there to catch the exception."""

    class Stuck(MemorySink):
        def close(self) -> None:
            msg = "already gone"
            raise ConnectionError(msg)

    with QueuedSink(Stuck()) as sink:
        sink.write(attempt())

    assert caplog.messages == ["Stuck cannot be closed: already gone"]


def test_the_logger_counts_what_the_queue_cost() -> None:
    """In one figure: what found no room, and what was lost behind it."""
    gate, flaky = Gate(), Flaky(1)
    full = QueuedSink(gate, max_records=1)
    lossy = QueuedSink(flaky, max_attempts=1)
    audit = AuditLogger(None, sinks=[full, lossy])
    audit.record(attempt())
    gate.reached.wait()
    audit.record(attempt())
    audit.record(attempt())
    gate.opened.set()
    audit.close()

    assert (full.dropped, lossy.lost) == (1, 1)
    assert audit.write_errors == audit.summary().write_errors == 2


class Moody(MemorySink):
    """A sink that refuses as it was told."""

    def __init__(self, refusals: list[bool]) -> None:
        super().__init__()
        self.refusals = iter(refusals)

    def write(self, record: AuditRecord) -> None:
        if next(self.refusals, False):
            raise ConnectionError
        super().write(record)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans()), st.integers(1, 5), st.integers(1, 3), st.integers(0, 20))
def test_every_record_is_delivered_or_counted(
    refusals: list[bool], max_records: int, tries: int, count: int
) -> None:
    """Whatever the sink does, no record is lost in silence, and the order stays."""
    moody = Moody(refusals)
    sink = QueuedSink(moody, max_records=max_records, max_attempts=tries, retry_seconds=0)
    for number in range(count):
        with suppress(queue.Full):
            sink.write(attempt(number=number))
    sink.close()

    delivered = [record["number"] for record in moody.records]
    assert delivered == sorted(delivered)
    assert len(delivered) + sink.dropped + sink.lost == count


def _write_in_child(sink: QueuedSink) -> None:
    sink.write(attempt(number=2))
    sink.close()
    os._exit(sink.lost)


# Python 3.12 warns of forks beside threads. The child starts its own.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_queue_of_its_own(tmp_path: Path) -> None:
    """It delivers its own records, and the parent's are delivered by the parent, once."""

    class Slow(JsonlSink):
        def write(self, record: AuditRecord) -> None:
            if record["number"] == 1:
                reached.set()
                forked.wait()
            super().write(record)

    reached, forked = threading.Event(), threading.Event()
    path = tmp_path / "audit.jsonl"
    sink = QueuedSink(Slow(path))
    sink.write(attempt(number=1))
    reached.wait()
    child = forking.Process(target=_write_in_child, args=(sink,))
    child.start()
    child.join(timeout=10)
    forked.set()
    sink.close()

    assert child.exitcode == 0
    assert sorted(record["number"] for record in FileTrail(path).to_records()) == [1, 2]


def test_a_program_that_ends_delivers_what_is_queued(tmp_path: Path) -> None:
    """Also without `close`."""
    path = tmp_path / "audit.jsonl"
    code = (
        "import sys; from langchain_control.sinks import JsonlSink, QueuedSink\n"
        "sink = QueuedSink(JsonlSink(sys.argv[1]))\n"
        "for n in range(500): sink.write({'id': str(n), 'event': 'x', 'request_id': 'x'})"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)

    assert len(list(FileTrail(path).to_records())) == 500


def test_a_program_that_ends_delivers_before_clients_close() -> None:
    """Clients often close themselves with `atexit` from when they are made."""
    code = """if True:
        import atexit, sys, time
        from langchain_control.sinks import QueuedSink

        class Client:
            def __init__(self):
                self.sent = 0
                atexit.register(self.close)

            def write(self, record):
                time.sleep(0.01)
                self.sent += 1

            def close(self):
                sys.stdout.write(f"{self.sent}\\n")  # at once: two threads may close
                self.write = None

        for _ in range(2):
            sink = QueuedSink(Client())
            for number in range(20):
                sink.write({"id": str(number)})
        """
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    assert set(ended.stdout.split()) == {b"20"}


def test_a_pickled_copy_begins_empty() -> None:
    """Queued records stay in the process that wrote them."""
    sink = QueuedSink(MemorySink(max_records=7), max_records=3)
    sink.write(attempt())
    thawed = pickle.loads(pickle.dumps(sink))
    sink.close()

    assert repr(thawed) == "QueuedSink(MemorySink(max_records=7, records=0), dropped=0, lost=0)"


@pytest.mark.parametrize(
    "wrong", [{"max_records": 0}, {"max_attempts": 0}, {"retry_seconds": -1}, {"close_seconds": -1}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    """At construction, by name."""
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}`"):
        QueuedSink(MemorySink(), **wrong)
