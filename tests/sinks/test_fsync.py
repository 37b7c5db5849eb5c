"""`JsonlSink` waits for the disk when it is told to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import pytest

from langchain_control.events import EventName
from langchain_control.sinks import JsonlSink
from langchain_control.sinks.jsonl import Fsync
from langchain_control.trail.rotated import rotated_files
from tests.audit_records import attempt, audit_record, finished


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "audit.jsonl"


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """Give the size that each file, by its number, had when the disk was last waited for."""
    sizes: dict[int, int] = {}

    def fsync(fd: int) -> None:
        status = os.fstat(fd)
        sizes[status.st_ino] = status.st_size

    monkeypatch.setattr(os, "fsync", fsync)
    return sizes


def is_on(disk: dict[int, int], path: Path) -> bool:
    status = path.stat()
    return disk.get(status.st_ino) == status.st_size


def test_by_default_the_disk_is_not_waited_for(path: Path, on_disk: dict[int, int]) -> None:
    """A record costs microseconds."""
    with JsonlSink(path) as sink:
        sink.write(finished())

    assert on_disk == {}


def test_each_record_can_be_waited_for(path: Path, on_disk: dict[int, int]) -> None:
    """What `write` has returned from is there after a power cut, under its name."""
    sink = JsonlSink(path, fsync="record")
    for _ in range(2):
        sink.write(attempt())
        assert is_on(on_disk, path)
        assert path.parent.stat().st_ino in on_disk

    sink.close()


@pytest.mark.parametrize("end", [EventName.FINISHED, EventName.CUT_OFF])
def test_a_request_can_be_waited_for_as_a_whole(
    path: Path, on_disk: dict[int, int], end: EventName
) -> None:
    """Its last record waits for all."""
    sink = JsonlSink(path, fsync="request")
    sink.write(attempt())
    assert not is_on(on_disk, path)

    sink.write(audit_record(end))
    assert is_on(on_disk, path)
    sink.close()


def test_a_request_in_two_files_is_waited_for_in_both(path: Path, on_disk: dict[int, int]) -> None:
    """Its first records may be in a file that has been rotated since."""
    sink = JsonlSink(path, fsync="request", rotate_bytes=1)
    sink.write(attempt())
    sink.write(finished())

    (first,) = rotated_files(path)
    assert is_on(on_disk, first.plain)
    assert is_on(on_disk, path)
    sink.close()


def test_a_disk_that_cannot_be_waited_for_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that may be gone is not reported as kept."""

    def fail(_: int) -> None:
        raise OSError(5, "input/output error")

    sink = JsonlSink(path, fsync="record")
    sink.write(attempt())
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="input/output"):
            sink.write(attempt())
    sink.close()


@pytest.mark.parametrize("fsync", get_args(Fsync))
def test_records_are_the_same(path: Path, fsync: Fsync) -> None:
    """The setting is about power cuts alone."""
    with JsonlSink(path, fsync=fsync) as sink:
        sink.write(finished())

    assert len(path.read_bytes().splitlines()) == 1
