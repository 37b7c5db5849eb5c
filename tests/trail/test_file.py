"""`FileTrail` reads what others write, torn lines included."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from langchain_control._json import dumps
from langchain_control.events import AuditRecord
from langchain_control.sinks import JsonlSink
from langchain_control.trail import FileTrail
from langchain_control.trail.story import tell
from tests.audit_records import attempt, finished

forking = multiprocessing.get_context("fork")


def append(path: Path, *records: AuditRecord) -> None:
    """Write as another process would."""
    with JsonlSink(path) as sink:
        for record in records:
            sink.write(record)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "audit.jsonl"


def test_a_missing_file_has_no_records(path: Path) -> None:
    """Asking creates nothing."""
    trail = FileTrail(path)

    assert trail.summary().requests == 0
    assert list(trail.to_records()) == []
    assert not path.exists()


def test_figures_survive_restarts(path: Path) -> None:
    """They are counted from the file, whoever wrote it."""
    append(path, finished("accepted"), finished("exhausted"))

    assert FileTrail(path).pass_rate() == 0.5


def test_sees_what_was_appended_since(path: Path) -> None:
    """Each question takes in the rest of the file, and only that."""
    trail = FileTrail(path)
    append(path, finished("accepted"))
    assert trail.summary().requests == 1

    append(path, finished("fallback"))
    assert trail.summary().requests == 2
    trail.refresh()
    assert trail.summary().requests == 2


def test_a_replaced_file_is_read_anew(path: Path) -> None:
    """Rotation does not mix two files' figures."""
    trail = FileTrail(path)
    append(path, finished(), finished())
    assert trail.summary().requests == 2

    path.rename(path.with_suffix(".old"))
    append(path, finished(), finished(), finished())
    assert trail.summary().requests == 3


def test_a_cut_file_is_read_anew(path: Path) -> None:
    """So is one that was emptied in place."""
    trail = FileTrail(path)
    append(path, finished(), finished())
    trail.refresh()

    path.write_bytes(b"")
    assert trail.summary().requests == 0
    append(path, finished())
    assert trail.summary().requests == 1


def test_a_deleted_file_has_no_records(path: Path) -> None:
    """The file is the truth."""
    trail = FileTrail(path)
    append(path, finished())
    trail.refresh()
    path.unlink()

    assert trail.summary().requests == 0


def test_half_a_line_is_waited_for(path: Path) -> None:
    """A record still being written is counted once it is whole, and is no loss."""
    trail = FileTrail(path)
    line = dumps(finished()) + b"\n"
    path.write_bytes(line[:30])
    assert (trail.summary().requests, trail.summary().unreadable_lines) == (0, 1)

    with path.open("ab") as file:
        file.write(line[30:])
    assert (trail.summary().requests, trail.summary().unreadable_lines) == (1, 0)


def test_a_last_line_without_its_end_counts_if_it_is_whole(path: Path) -> None:
    """An editor may have dropped the final line break."""
    path.write_bytes(dumps(finished()))
    trail = FileTrail(path)
    assert trail.summary().requests == 1

    append(path, finished())
    assert trail.summary().requests == 2
    assert trail.summary().unreadable_lines == 0


@pytest.mark.parametrize(
    "torn", [b'{"id":"torn', b"{", b"\0" * 4096, b"\xff\xfe", b'{"id":"a","event":"b","message":"{']
)
def test_a_record_glued_to_half_a_line_is_saved(path: Path, torn: bytes) -> None:
    """What a killed process left may stand before a whole record on the same line."""
    record = finished(metadata={"id": "ann"})  # looks like the beginning of a record
    path.write_bytes(torn + dumps({"id": record["id"], **record}) + b"\n")
    trail = FileTrail(path)

    assert trail.summary().requests == 1
    assert trail.summary().unreadable_lines == 1
    assert list(trail.to_records()) == [record]


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"42",
        b'"text"',
        b"[]",
        b"{}",
        b'{"id":1,"event":"x"}',
        b"[" * 5000,
        b'{"id":"1"}',
        b'{"id":"%s","event":"x"}' % (b"1" * 200),
    ],
)
def test_other_lines_are_counted_and_skipped(path: Path, line: bytes) -> None:
    """JSON that is no record is not taken for one."""
    path.write_bytes(line + b"\n")
    append(path, finished())
    trail = FileTrail(path)

    assert trail.summary().requests == 1
    assert trail.summary().unreadable_lines == 1


def test_empty_lines_are_nothing(path: Path) -> None:
    """They are not torn lines."""
    path.write_bytes(b"\n \r\n" + dumps(finished()) + b"\r\n\n")

    summary = FileTrail(path).summary()
    assert (summary.requests, summary.unreadable_lines) == (1, 0)


def test_an_endless_line_does_not_fill_the_memory(path: Path) -> None:
    """Reading holds a few lines' worth, whatever the file holds; what follows is read."""
    with path.open("wb") as file:
        for _ in range(32):
            file.write(b"x" * (1 << 20))
        file.write(b"\n")
    append(path, finished())
    trail = FileTrail(path)

    tracemalloc.start()
    summary = trail.summary()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (summary.requests, summary.unreadable_lines) == (1, 1)
    assert peak < 16 << 20


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A trail that goes to a pipe cannot be read back, and asking does not hang."""
    os.mkfifo(tmp_path / "pipe")

    assert FileTrail(tmp_path / "pipe").summary().requests == 0


def test_a_record_written_twice_is_read_once(path: Path) -> None:
    """Rows of a DataFrame agree with the figures."""
    record = finished()
    append(path, record, record)
    trail = FileTrail(path)

    assert trail.summary().requests == len(list(trail.to_records())) == 1


def test_travels_as_its_path(path: Path) -> None:
    """A pickled copy reads for itself."""
    append(path, finished())
    trail = FileTrail(path)
    copy = pickle.loads(pickle.dumps(trail))

    assert copy.summary() == trail.summary()
    assert repr(copy) == f"FileTrail({str(path)!r})"


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(0, 2000), max_size=6), count=st.integers(1, 8))
def test_reading_in_pieces_comes_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], count: int
) -> None:
    """However a file grows, the figures end up as if it had been read at once."""
    path = tmp_path_factory.mktemp("trail") / "audit.jsonl"
    data = b"".join(dumps(attempt("timeout", latency_ms=n)) + b"\n" for n in range(count))
    trail = FileTrail(path)
    for cut in sorted(cuts):
        path.write_bytes(data[:cut])
        trail.refresh()
    path.write_bytes(data)

    assert trail.summary() == FileTrail(path).summary()


@settings(max_examples=50, deadline=None)
@given(
    request_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    other=st.text("ab-1"),
)
@example(request_id='a"\\\n', other="")
@example(request_id="Straße:1", other="Stra")
def test_a_story_misses_no_record(
    tmp_path_factory: pytest.TempPathFactory, request_id: str, other: str
) -> None:
    """Whatever a request id holds, and however another program writes its JSON."""
    path = tmp_path_factory.mktemp("trail") / "audit.jsonl"
    records = [attempt(number=1, request_id=request_id), finished(request_id=other)]
    append(path, *records)
    path.write_bytes(path.read_bytes() + json.dumps(finished(request_id=request_id)).encode())
    trail = FileTrail(path)

    assert trail.story(request_id) == tell(request_id, trail.to_records())
    assert len(trail.story(request_id).splitlines()) >= 3


def _exit_with_the_requests_of(trail: FileTrail) -> None:
    os._exit(trail.summary().requests)


# Python 3.12 warns of forks beside threads, whoever started them. The child uses none.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_does_not_inherit_a_held_lock(path: Path) -> None:
    """A fork in the middle of another thread's question leaves the child able to ask."""
    append(path, finished(), finished(), finished())
    trail = FileTrail(path)
    trail.refresh()
    with trail._progress.get()._lock:
        child = forking.Process(target=_exit_with_the_requests_of, args=(trail,))
        child.start()
        child.join(timeout=10)
    child.kill()

    assert child.exitcode == 3
