"""`JsonlSink` loses nothing, whoever writes beside it and whoever is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langchain_control._json import dumps, stdlib_dumps, stdlib_loads
from langchain_control.sinks import JsonlSink
from langchain_control.sinks.jsonl import _line
from langchain_control.trail import FileTrail
from tests.audit_records import attempt

forking = multiprocessing.get_context("fork")

# Python 3.12 warns of forks beside threads, whoever started them. The children use none.
may_fork = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "audit.jsonl"


def read(path: Path) -> list[dict[str, Any]]:
    """Read the file the way other tools do: every line must be one object."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_record_is_one_line_of_json(path: Path) -> None:
    """Line breaks and other characters inside texts do not break the line."""
    record = attempt(message="a\nb\u2028c «ä» 漢字 😀", rules=["x"])
    with JsonlSink(path) as sink:
        sink.write(record)

    assert read(path) == [record]


def test_appends_to_what_is_there(path: Path) -> None:
    """A restart goes on where the last run ended."""
    for number in (1, 2):
        with JsonlSink(path) as sink:
            sink.write(attempt(number=number))

    assert [record["number"] for record in read(path)] == [1, 2]


def test_constructing_touches_nothing(tmp_path: Path) -> None:
    """Neither file nor directory appears before the first record."""
    sink = JsonlSink(tmp_path / "new" / "audit.jsonl")
    assert list(tmp_path.iterdir()) == []

    sink.write(attempt())
    sink.close()
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["audit.jsonl"]


def test_the_file_is_its_owners_alone(path: Path) -> None:
    """Others may not read it, and child programs do not inherit it."""
    with JsonlSink(path) as sink:
        sink.write(attempt())
        fd = sink._file.get()._fd
        assert fd is not None
        assert not os.get_inheritable(fd)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_relative_path_is_taken_at_construction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later change of directory does not move the trail."""
    monkeypatch.chdir(tmp_path)
    sink = JsonlSink("audit.jsonl")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    sink.write(attempt())
    sink.close()

    assert (tmp_path / "audit.jsonl").exists()


def test_a_deleted_file_is_made_anew(path: Path) -> None:
    """Records do not vanish into a file without a name."""
    with JsonlSink(path) as sink:
        sink.write(attempt(number=1))
        path.unlink()
        sink.write(attempt(number=2))

    assert [record["number"] for record in read(path)] == [2]


def test_a_torn_last_line_harms_no_later_record(path: Path) -> None:
    """What a killed process left unfinished stays on a line of its own."""
    path.write_bytes(b'{"id":"torn')
    with JsonlSink(path) as sink:
        sink.write(attempt(number=1))

    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"id":"torn'
    assert json.loads(whole)["number"] == 1


def test_a_line_torn_by_another_process_while_we_write(path: Path) -> None:
    """Also a tear between two of our own records is noticed."""
    with JsonlSink(path) as sink:
        sink.write(attempt(number=1))
        with path.open("ab") as other:
            other.write(b'{"id":"torn')
        sink.write(attempt(number=2))

    lines = path.read_bytes().splitlines()
    assert json.loads(lines[2])["number"] == 2


def test_five_threads_lose_nothing(path: Path) -> None:
    """Every record of every thread is there, whole."""
    with JsonlSink(path) as sink:

        def work(thread: int) -> None:
            for number in range(10):
                sink.write(attempt(number=number, model=str(thread)))

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    written = {(record["model"], record["number"]) for record in read(path)}
    assert written == {(str(thread), number) for thread in range(5) for number in range(10)}


def _write_many(sink: JsonlSink, process: int, count: int) -> None:
    for number in range(count):
        sink.write(attempt(number=number, model=str(process), message="x" * (number % 700)))


@may_fork
def test_four_processes_lose_nothing(path: Path) -> None:
    """40,000 records of four processes are all there, whole, each process's in order.

    The parent's sink is open when the children are forked.
    """
    sink = JsonlSink(path)
    sink.write(attempt(number=-1, model="parent"))
    processes = [
        forking.Process(target=_write_many, args=(sink, process, 10_000)) for process in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    sink.close()

    numbers: dict[str, list[int]] = {}
    for line in filter(None, path.read_bytes().splitlines()):
        record = json.loads(line)
        numbers.setdefault(record["model"], []).append(record["number"])
    assert numbers.pop("parent") == [-1]
    assert numbers == {str(process): list(range(10_000)) for process in range(4)}


def _write_until_killed(path: Path, under_way: Any) -> None:
    sink = JsonlSink(path)
    while True:
        sink.write(attempt(model="victim", message="x" * 7000))
        under_way.set()


@may_fork
def test_killing_one_writer_harms_no_other(path: Path) -> None:
    """Records of the survivor are all there after `kill -9` of the process beside it."""
    written = 0
    with JsonlSink(path) as survivor:
        for _ in range(5):
            under_way = forking.Event()
            victim = forking.Process(target=_write_until_killed, args=(path, under_way))
            victim.start()
            under_way.wait()
            for step in range(200):
                if step == 100:
                    victim.kill()
                survivor.write(attempt(model="survivor", number=written))
                written += 1
            victim.join()
            assert victim.exitcode == -signal.SIGKILL

    records = FileTrail(path).to_records()
    numbers = [record["number"] for record in records if record["model"] == "survivor"]
    assert numbers == list(range(written))


def _fill_the_disk(path: Path) -> None:
    """Write where only 1,000 bytes fit, then where there is room again."""
    record = attempt(message="x" * 600)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    sink = JsonlSink(path)
    sink.write(record)
    for message in ("short write: ", "File too large"):
        try:
            sink.write(record)
        except OSError as exc:
            assert message in str(exc)  # noqa: PT017  (no pytest in the child)
        else:
            os._exit(1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    sink.write(record)
    os._exit(0)


@may_fork
def test_a_full_disk_is_an_error_and_the_next_record_is_whole(path: Path) -> None:
    """A short write is not taken for success, and what it left does not swallow its successor."""
    child = forking.Process(target=_fill_the_disk, args=(path,))
    child.start()
    child.join()
    assert child.exitcode == 0

    first, half, third = path.read_bytes().splitlines()
    assert json.loads(first)["message"] == json.loads(third)["message"] == "x" * 600
    with pytest.raises(json.JSONDecodeError):
        json.loads(half)


@may_fork
def test_a_child_does_not_inherit_a_held_lock(path: Path) -> None:
    """A fork in the middle of another thread's write leaves the child able to write."""
    sink = JsonlSink(path)
    sink.write(attempt(number=1))
    held, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with sink._file.get()._lock:
            held.set()
            forked.wait()

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    child = forking.Process(target=_write_many, args=(sink, 0, 1))
    child.start()
    child.join(timeout=10)
    child.kill()
    forked.set()
    other.join()
    sink.close()

    assert child.exitcode == 0
    assert len(read(path)) == 2


def test_a_signal_handler_may_write_in_the_middle_of_a_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither takes the file from under the other, even if one of them rotates it."""
    sink = JsonlSink(path, rotate_bytes=400)
    write = os.write

    def interrupted(fd: int, data: bytes) -> int:
        monkeypatch.undo()
        path.rename(path.with_name("moved"))
        sink.write(attempt(number=2))
        sink.close()
        return write(fd, data)

    sink.write(attempt(number=0))
    monkeypatch.setattr(os, "write", interrupted)
    sink.write(attempt(number=1))
    sink.write(attempt(number=3))
    sink.close()

    assert [record["number"] for record in read(path.with_name("moved"))] == [0, 1]
    assert [record["number"] for record in read(path)] == [2, 3]


def test_a_pipe_without_room_is_an_error_not_a_wait(tmp_path: Path) -> None:
    """Nothing may hold up an event loop, not even a reader that stopped reading."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with JsonlSink(pipe) as sink, pytest.raises(BlockingIOError):
        _write_many(sink, 0, 10_000)


def test_the_directory_is_named_when_it_cannot_be_made(tmp_path: Path) -> None:
    """The operator sees which path is wrong."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file/audit\.jsonl"):
        JsonlSink(tmp_path / "file" / "audit.jsonl").write(attempt())


@pytest.mark.parametrize("wrong", [{"path": ""}, {"path": "x", "max_line_bytes": 10}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    """The error names the setting."""
    with pytest.raises(ValueError, match=r"`(path|max_line_bytes)`"):
        JsonlSink(**wrong)


def test_shows_its_path(path: Path) -> None:
    """The repr is what one would type."""
    assert repr(JsonlSink(path)) == f"JsonlSink({str(path)!r})"
    assert repr(JsonlSink(path, rotate_bytes=9, keep=2, fsync="record")) == (
        f"JsonlSink({str(path)!r}, rotate_bytes=9, keep=2, fsync='record')"
    )


# --- long records -------------------------------------------------------------------------------


def test_a_long_record_is_cut_and_says_so(path: Path) -> None:
    """The longest field gives way; the rest stays whole."""
    with JsonlSink(path) as sink:
        sink.write(attempt(message="short", content="x" * 100_000, number=7))

    assert path.stat().st_size <= 8192
    (record,) = read(path)
    assert record["truncated"] == ["content"]
    assert 7500 < len(record["content"]) < 8192
    assert (record["message"], record["number"]) == ("short", 7)


def test_the_id_comes_first(path: Path) -> None:
    """Readers find the start of a record by it."""
    with JsonlSink(path) as sink:
        sink.write({"event": "control.attempt", "id": "a"})

    assert path.read_bytes().startswith(b'{"id":"a",')


def test_a_record_just_short_enough_is_not_cut() -> None:
    """The limit is a limit, not less."""
    record = attempt(message="")
    record["message"] = "x" * (1024 - len(_line(record, 1024)))

    assert len(_line(record, 1024)) == 1024
    assert b"truncated" not in _line(record, 1024)


def test_a_record_that_cannot_be_cut_is_an_error(path: Path) -> None:
    """An endless id is nobody's record."""
    with JsonlSink(path) as sink, pytest.raises(ValueError, match="too long"):
        sink.write(attempt(request_id="x" * 10_000))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    message=st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: text * 50),
    rules=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=50)),
    repeat=st.integers(1, 100),
)
def test_every_line_keeps_its_limit(message: str, rules: list[str], repeat: int) -> None:
    """Whatever the texts hold, a line is JSON, short enough, and starts with its id."""
    line = _line(attempt(message=message * repeat, rules=rules * repeat), 1024)

    assert len(line) <= 1024
    assert line.startswith(b'{"id":"')
    assert line.count(b"\n") == 1
    assert message.startswith(json.loads(line)["message"][: len(message)])


# --- without orjson -----------------------------------------------------------------------------


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**53)))
def test_the_standard_library_writes_the_same(value: dict[str, int]) -> None:
    """Files do not depend on whether orjson is installed."""
    assert stdlib_dumps(value) == dumps(value)
    assert stdlib_loads(dumps(value)) == value


def test_deep_nesting_is_bad_json_for_the_standard_library_too() -> None:
    """A hostile line is an unreadable one, not a crash."""
    with pytest.raises(ValueError, match="nested"):
        stdlib_loads(b"[" * 200_000)


def test_metadata_are_cut_too(path: Path) -> None:
    """A record that nothing can be cut of is lost."""
    metadata = {f"key {number}": "x" * 128 for number in range(100)}
    with JsonlSink(path) as sink:
        sink.write(attempt(metadata=metadata))

    (record,) = FileTrail(path).to_records()
    assert record["truncated"] == ["metadata"]
    assert record["metadata"].items() < metadata.items()
