"""A rotated trail has every record once, whoever writes beside it and whoever is killed."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import shutil
import signal
import stat
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langchain_control.sinks import JsonlSink
from langchain_control.sinks.file_lock import release, try_exclusive, try_shared
from langchain_control.trail import FileTrail
from langchain_control.trail.rotated import rotated_files
from tests.audit_records import attempt

forking = multiprocessing.get_context("fork")

# Python 3.12 warns of forks beside threads, whoever started them. The children use none of them.
may_fork = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
SECONDS_PER_DAY = 86_400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "audit.jsonl"


def write(sink: JsonlSink, *numbers: int, **fields: Any) -> None:
    for number in numbers:
        sink.write(attempt(number=number, **fields))


def numbers_in(path: Path) -> list[int]:
    return [json.loads(line)["number"] for line in path.read_bytes().splitlines()]


def told(path: Path) -> list[int]:
    return [record["number"] for record in FileTrail(path).to_records()]


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


# --- when ---------------------------------------------------------------------------------------


def test_a_file_does_not_grow_beyond_its_size(path: Path) -> None:
    """The record that would not fit begins the next file."""
    with JsonlSink(path, rotate_bytes=500) as sink:
        write(sink, *range(10))

    sizes = [file.stat().st_size for file in path.parent.iterdir()]
    assert max(sizes) <= 500
    assert min(sizes) > 250  # as much as fits
    assert told(path) == list(range(10))


def test_a_record_larger_than_a_file_has_a_file_of_its_own(path: Path) -> None:
    """No record is refused for its size, and no empty file is rotated."""
    with JsonlSink(path, rotate_bytes=1) as sink:
        write(sink, 1, 2, 3)

    assert len(names(path)) == 3
    assert told(path) == [1, 2, 3]


def test_a_day_begins_with_a_new_file(path: Path) -> None:
    """The first record of a day rotates what the day before has left, and no other does."""
    with JsonlSink(path, rotate_daily=True, clock=lambda: NOON) as sink:
        write(sink, 1)
        os.utime(path, (NOON - SECONDS_PER_DAY, NOON - SECONDS_PER_DAY))
        write(sink, 2)
        os.utime(path, (NOON - 3600, NOON - 3600))
        write(sink, 3)

    (yesterday,) = rotated_files(path)
    assert numbers_in(yesterday.plain) == [1]
    assert numbers_in(path) == [2, 3]


def test_a_clock_that_is_set_back_rotates_nothing(path: Path) -> None:
    """A file from tomorrow is not an old one."""
    with JsonlSink(path, rotate_daily=True, clock=lambda: NOON) as sink:
        write(sink, 1)
        os.utime(path, (NOON + SECONDS_PER_DAY, NOON + SECONDS_PER_DAY))
        write(sink, 2)

    assert names(path) == ["audit.jsonl"]


def test_without_rules_nothing_is_rotated(path: Path) -> None:
    """The default is one file that grows."""
    with JsonlSink(path) as sink:
        write(sink, *range(100))

    assert names(path) == ["audit.jsonl"]


# --- what becomes of it -------------------------------------------------------------------------


def test_rotated_files_are_named_for_the_moment(path: Path) -> None:
    """Names sort by time, keep their suffix and are never used twice, whatever the clock says."""
    moments = iter([NOON, NOON, NOON - 60])
    with JsonlSink(path, rotate_bytes=1, clock=lambda: next(moments)) as sink:
        write(sink, 1, 2, 3, 4)

    assert names(path) == [
        "audit-20261123T120000.000000Z.jsonl",
        "audit-20261123T120000.000001Z.jsonl",
        "audit-20261123T120000.000002Z.jsonl",
        "audit.jsonl",
    ]
    assert told(path) == [1, 2, 3, 4]


def test_only_so_many_are_kept(path: Path) -> None:
    """The oldest make room; files of other names are left alone."""
    stranger = path.with_name("audit-errors.jsonl")
    stranger.touch()
    with JsonlSink(path, rotate_bytes=1, keep=2) as sink:
        write(sink, *range(10))

    assert told(path) == [7, 8, 9]
    assert len(rotated_files(path)) == 2
    assert stranger.exists()


def test_rotated_files_are_compressed(path: Path) -> None:
    """`close` waits for it; what anybody may read stays the same."""
    with JsonlSink(path, rotate_bytes=1, compress=True) as sink:
        write(sink, 1, 2, 3)

    first, second = rotated_files(path)
    assert names(path) == [first.compressed.name, second.compressed.name, "audit.jsonl"]
    assert json.loads(gzip.decompress(first.compressed.read_bytes()))["number"] == 1
    assert stat.S_IMODE(first.compressed.stat().st_mode) == 0o600


def test_what_was_left_uncompressed_is_compressed_later(path: Path) -> None:
    """A process that was killed leaves its work to the next."""
    with JsonlSink(path, rotate_bytes=1) as sink:
        write(sink, 1, 2)
    (left,) = rotated_files(path)
    left.unfinished.write_bytes(b"half")
    with JsonlSink(path, rotate_bytes=1, compress=True) as sink:
        write(sink, 3)

    assert [file.plain.exists() for file in rotated_files(path)] == [False, False]
    assert not left.unfinished.exists()
    assert told(path) == [1, 2, 3]


def test_a_rotation_that_fails_loses_no_record(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file grows on, and one warning says so."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with JsonlSink(path, rotate_bytes=1) as sink:
        write(sink, 1, 2, 3)

    assert numbers_in(path) == [1, 2, 3]
    assert [record.getMessage() for record in caplog.records] == [
        "the audit file cannot be rotated: [Errno 13] permission denied"
    ]


def test_a_link_is_not_renamed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`/dev/stdout` stays what it is, and so does what an administrator has linked."""
    target = path.with_name("target.jsonl")
    path.symlink_to(target)
    with JsonlSink(path, rotate_bytes=1) as sink:
        write(sink, 1, 2)

    assert names(path) == ["audit.jsonl", "target.jsonl"]
    assert numbers_in(target) == [1, 2]
    assert "audit.jsonl` is a link" in caplog.text


def test_a_failure_to_compress_is_told(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays as it is, readable, and nothing half-made stays beside it."""

    def refuse(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(shutil, "copyfileobj", refuse)
    with JsonlSink(path, rotate_bytes=1, compress=True) as sink:
        write(sink, 1, 2)

    assert "cannot be compressed or removed: [Errno 28] no space left" in caplog.text
    assert told(path) == [1, 2]
    assert len(names(path)) == 2


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"rotate_bytes": 0}, "`rotate_bytes`"),
        ({"rotate_bytes": "1e8"}, "`rotate_bytes`.*'1e8'"),
        ({"rotate_bytes": 1, "keep": 0}, "`keep`"),
        ({"keep": 3}, "`keep`.*`rotate_bytes`"),
        ({"compress": True}, "`compress`.*`rotate_bytes`"),
        ({"fsync": "always"}, "`fsync`"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    path: Path, wrong: dict[str, Any], named: str
) -> None:
    """At construction, by name; so are those that would do nothing."""
    with pytest.raises(ValueError, match=named):
        JsonlSink(path, **wrong)


# --- several writers ----------------------------------------------------------------------------


def test_others_follow_to_the_new_file(path: Path) -> None:
    """Who has the old file open writes to the one that has the name now."""
    with JsonlSink(path) as other, JsonlSink(path, rotate_bytes=1) as sink:
        write(other, 1)
        write(sink, 2)
        write(other, 3)

    assert numbers_in(path) == [2, 3]
    assert told(path) == [1, 2, 3]


def test_a_file_in_use_is_not_taken_away(path: Path) -> None:
    """While somebody writes, the file grows a little longer instead."""
    with JsonlSink(path, rotate_bytes=1) as sink, path.open("ab") as other:
        write(sink, 1)
        assert try_shared(other.fileno())
        write(sink, 2)
        assert numbers_in(path) == [1, 2]

        release(other.fileno())
        write(sink, 3)

    assert numbers_in(path) == [3]


def test_a_file_held_for_good_is_an_error_not_a_wait(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped in the middle of a rotation does not stop the others."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    with JsonlSink(path) as sink, path.open("ab") as other:
        assert try_exclusive(other.fileno())
        with pytest.raises(TimeoutError, match=r"audit\.jsonl"):
            write(sink, 1)

        release(other.fileno())
        write(sink, 2)

    assert numbers_in(path) == [2]


def test_five_threads_and_a_reader_lose_nothing(path: Path) -> None:
    """Figures asked for in the middle never go back, and end up complete."""
    trail, seen = FileTrail(path), [0]
    with JsonlSink(path, rotate_bytes=2000, compress=True) as sink:
        threads = [
            threading.Thread(target=write, args=(sink, *range(60)), kwargs={"model": str(thread)})
            for thread in range(5)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            seen.append(trail.summary().attempts)
        for thread in threads:
            thread.join()

    assert seen == sorted(seen)
    assert trail.summary().attempts == 300
    written = Counter((record["model"], record["number"]) for record in trail.to_records())
    assert written == Counter((str(thread), number) for thread in range(5) for number in range(60))


def _write_many(path: Path, process: int, count: int) -> None:
    with JsonlSink(path, rotate_bytes=30_000, compress=True) as sink:
        for number in range(count):
            write(sink, number, model=str(process), message="x" * (number % 700))


@may_fork
def test_four_processes_lose_nothing(path: Path) -> None:
    """Every record is there once, each process's in order, in files that all of them rotate."""
    processes = [
        forking.Process(target=_write_many, args=(path, process, 500)) for process in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    numbers: dict[str, list[int]] = {}
    for record in FileTrail(path).to_records():
        numbers.setdefault(record["model"], []).append(record["number"])
    assert numbers == {str(process): list(range(500)) for process in range(4)}
    assert len(rotated_files(path)) > 20
    assert FileTrail(path).summary().unreadable_lines == 0


TORN = b'{"id":"torn","event":"control.attempt","message":"'


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    writers=st.lists(st.tuples(st.integers(1, 3000), st.booleans()), min_size=1, max_size=3),
    turns=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 900)), max_size=25),
    asked_after=st.sets(st.integers(0, 25)),
)
def test_any_writers_in_any_order_with_any_sizes(
    tmp_path_factory: pytest.TempPathFactory,
    writers: list[tuple[int, bool]],
    turns: list[tuple[int, int]],
    asked_after: set[int],
) -> None:
    """Every record is read back once and in order, by who looks once and by who looks often.

    A turn may also be one of a writer that was killed in the middle of its line.
    """
    path = tmp_path_factory.mktemp("trail") / "audit.jsonl"
    sinks = [JsonlSink(path, rotate_bytes=size, compress=gz) for size, gz in writers]
    trail, written, torn = FileTrail(path), 0, 0
    for turn, (writer, length) in enumerate(turns):
        if writer < 3:
            write(sinks[writer % len(sinks)], written, message="x" * length)
            written += 1
        else:
            with path.open("ab") as file:
                file.write(TORN[: 1 + length % len(TORN)])
            torn += 1
        if turn in asked_after:
            assert trail.summary().attempts == written
    for sink in sinks:
        sink.close()

    assert told(path) == list(range(written))
    assert trail.summary() == FileTrail(path).summary()
    assert bool(torn) <= trail.summary().unreadable_lines <= torn


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 2000), keep=st.integers(1, 4), count=st.integers(0, 30))
def test_what_is_kept_is_the_newest(
    tmp_path_factory: pytest.TempPathFactory, size: int, keep: int, count: int
) -> None:
    """Records are dropped from the oldest on, by whole files, and figures agree with them."""
    path = tmp_path_factory.mktemp("trail") / "audit.jsonl"
    trail = FileTrail(path)
    with JsonlSink(path, rotate_bytes=size, keep=keep) as sink:
        for number in range(count):
            write(sink, number)
            trail.refresh()

    kept = told(path)
    assert kept == list(range(count))[count - len(kept) :]
    assert len(rotated_files(path)) <= keep
    assert trail.summary().attempts == len(kept)


# --- killed -------------------------------------------------------------------------------------

_STEPS = frozenset({"open", "os.rename", "os.remove", "os.listdir", "os.scandir", "fcntl.flock"})
"""What the interpreter tells its audit hooks of, and rotation is made of."""


def _write_until_step(path: Path, last_step: int, written: Any) -> None:
    """Rotate and compress, and die of `kill -9` before the given step."""
    steps = iter(range(last_step))

    def die_in_time(event: str, _: tuple[Any, ...]) -> None:
        if event in _STEPS and next(steps, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sink = JsonlSink(path, rotate_bytes=400, compress=True, keep=50)
    sys.addaudithook(die_in_time)
    while True:
        write(sink, written.value, message="x" * 100)
        written.value += 1
        sink.close()  # waits for the compression, so that each step has its turn


@may_fork
@pytest.mark.parametrize("step", range(1, 46, 3))
def test_a_writer_killed_at_any_step_leaves_a_readable_trail(path: Path, step: int) -> None:
    """What was written is read back once, and the next writer puts things in order."""
    for last_step in range(step, step + 3):
        written = forking.RawValue("i", 0)
        victim = forking.Process(target=_write_until_step, args=(path, last_step, written))
        victim.start()
        victim.join()
        assert victim.exitcode == -signal.SIGKILL

        numbers = told(path)
        assert numbers == list(range(len(numbers)))
        assert written.value <= len(numbers) <= written.value + 1

        with JsonlSink(path, rotate_bytes=1, compress=True) as survivor:
            write(survivor, len(numbers), len(numbers) + 1)
        assert told(path) == list(range(len(numbers) + 2))
        assert all(file.suffix == ".gz" for file in path.parent.iterdir() if file != path)
        for file in path.parent.iterdir():
            file.unlink()


# --- rotated from outside -----------------------------------------------------------------------


def test_a_file_renamed_from_outside_is_left_behind(path: Path) -> None:
    """`logrotate` needs no signal: the next record makes the new file."""
    with JsonlSink(path) as sink:
        write(sink, 1, 2)
        path.rename(path.with_name("audit.jsonl.1"))
        write(sink, 3)

    assert numbers_in(path.with_name("audit.jsonl.1")) == [1, 2]
    assert numbers_in(path) == [3]


def test_a_file_renamed_and_created_from_outside_is_followed(path: Path) -> None:
    """So does `logrotate` with `create`: the name may be taken again at once."""
    with JsonlSink(path) as sink:
        write(sink, 1)
        path.rename(path.with_name("audit.jsonl.1"))
        path.touch()
        write(sink, 2)

    assert numbers_in(path) == [2]


def test_a_file_copied_and_truncated_from_outside_starts_anew(path: Path) -> None:
    """`logrotate` with `copytruncate`: the next record stands at the beginning, without a gap."""
    with JsonlSink(path) as sink:
        write(sink, 1, 2)
        shutil.copy(path, path.with_name("audit.jsonl.1"))
        os.truncate(path, 0)
        write(sink, 3)

    assert numbers_in(path.with_name("audit.jsonl.1")) == [1, 2]
    assert numbers_in(path) == [3]


def test_what_was_rotated_from_outside_can_be_asked_by_its_name(path: Path) -> None:
    """Also compressed."""
    with JsonlSink(path) as sink:
        write(sink, 1, 2)
    archive = path.with_name("audit.jsonl.1.gz")
    archive.write_bytes(gzip.compress(path.read_bytes()))

    assert told(archive) == [1, 2]
    assert FileTrail(archive).summary().attempts == 2
