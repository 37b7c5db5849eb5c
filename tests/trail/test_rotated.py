"""`FileTrail` reads what a file was rotated into, however it is kept."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from langchain_control._json import dumps
from langchain_control.sinks import JsonlSink
from langchain_control.trail import FileTrail
from langchain_control.trail import rotated as rotated_module
from langchain_control.trail.rotated import RotatedFile, rotated_files
from tests.audit_records import attempt, finished


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "audit.jsonl"


def rotated(path: Path, *statuses: str) -> RotatedFile:
    """Write one finished request per file, and return the newest of the rotated ones."""
    with JsonlSink(path, rotate_bytes=1) as sink:
        for status in statuses:
            sink.write(finished(status))
    return rotated_files(path)[-1]


def compress(file: RotatedFile) -> None:
    file.compressed.write_bytes(gzip.compress(file.plain.read_bytes()))
    file.plain.unlink()


def test_figures_cover_rotated_files(path: Path) -> None:
    """A restart after a rotation forgets nothing."""
    compress(rotated(path, "accepted", "fallback"))

    assert FileTrail(path).fallback_rate() == 0.5


def test_a_story_may_begin_in_a_rotated_file(path: Path) -> None:
    """Its lines are in order, from file to file."""
    with JsonlSink(path, rotate_bytes=1) as sink:
        sink.write(attempt("timeout", number=1, request_id="abc"))
        sink.write(attempt("model_error", number=2, request_id="abc"))
        sink.write(finished("exhausted", request_id="abc"))
    compress(rotated_files(path)[0])

    first, second, last = FileTrail(path).story("abc").splitlines()[1:]
    assert "timeout" in first
    assert "model_error" in second
    assert "exhausted" in last


def test_a_rotation_between_two_questions_counts_nothing_twice(path: Path) -> None:
    """Nor when the file was only read in part before, nor when it was compressed since."""
    trail = FileTrail(path)
    rotated(path, "accepted", "accepted")
    assert trail.summary().requests == 2

    with JsonlSink(path) as sink:
        sink.write(finished())
    compress(rotated(path, "fallback"))
    assert trail.summary().requests == 4
    assert trail.summary() == FileTrail(path).summary()


def test_a_rotation_while_files_are_listed_hides_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that had the name a moment ago is read once, under whichever name."""
    rotated(path, "accepted", "fallback")
    find = rotated_module.rotated_files

    def rotate_and_find(_: Path) -> list[RotatedFile]:
        monkeypatch.undo()
        rotated(path, "exhausted")
        compress(find(path)[-1])
        return find(path)

    monkeypatch.setattr(rotated_module, "rotated_files", rotate_and_find)
    assert FileTrail(path).summary().requests == 3

    monkeypatch.setattr(rotated_module, "rotated_files", rotate_and_find)
    assert len(list(FileTrail(path).to_records())) == 4


def test_figures_leave_with_the_files(path: Path) -> None:
    """They cover what is kept, the same for who has asked before."""
    trail = FileTrail(path)
    newest = rotated(path, "accepted", "fallback", "exhausted")
    assert trail.summary().requests == 3

    newest.plain.unlink()
    assert (trail.summary().accepted, trail.summary().fallbacks) == (1, 0)
    assert trail.summary() == FileTrail(path).summary()


def test_a_file_compressed_but_not_yet_removed_counts_once(path: Path) -> None:
    """Both forms are there for a moment, and for good if a process is killed in it."""
    file = rotated(path, "accepted", "accepted")
    file.compressed.write_bytes(gzip.compress(file.plain.read_bytes()))

    assert FileTrail(path).summary().requests == 2
    assert len(list(FileTrail(path).to_records())) == 2


def test_a_record_written_twice_across_a_rotation_counts_once(path: Path) -> None:
    """Two loggers hear the same event, and the file is rotated in between."""
    record, trail = finished(), FileTrail(path)
    with JsonlSink(path, rotate_bytes=1) as sink:
        sink.write(record)
        trail.refresh()
        sink.write(record)

    assert trail.summary().requests == FileTrail(path).summary().requests == 1
    assert len(list(trail.to_records())) == 1


def test_a_damaged_archive_is_read_as_far_as_it_goes(path: Path) -> None:
    """What is lost is counted, and the rest of the trail is read."""
    file = rotated(path, "accepted", "fallback")
    whole = gzip.compress(b"".join(dumps(finished()) + b"\n" for _ in range(5000)), mtime=0)
    file.plain.unlink()
    file.compressed.write_bytes(whole[: len(whole) // 2])

    summary = FileTrail(path).summary()
    assert summary.fallbacks == 1
    assert 100 < summary.accepted < 5000
    assert summary.unreadable_lines == 1
    assert len(list(FileTrail(path).to_records())) == summary.requests


@pytest.mark.parametrize("content", [b"", b"no gzip at all"])
def test_an_archive_that_is_none_has_no_records(path: Path, content: bytes) -> None:
    """A name does not make an archive."""
    file = rotated(path, "accepted", "fallback")
    file.plain.unlink()
    file.compressed.write_bytes(content)

    assert FileTrail(path).summary().requests == 1


def test_a_file_emptied_and_grown_again_is_read_anew(path: Path) -> None:
    """As after `logrotate` with `copytruncate`, however much was written since."""
    trail = FileTrail(path)
    with JsonlSink(path) as sink:
        sink.write(finished("accepted"))
        assert trail.summary().accepted == 1

        os.truncate(path, 0)
        for _ in range(3):
            sink.write(finished("fallback"))

    assert (trail.summary().accepted, trail.summary().fallbacks) == (0, 3)


def test_a_file_that_cannot_be_read_spoils_no_figures(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question is an error; once the file can be read, everything counts, once."""
    trail, first = FileTrail(path), rotated(path, "accepted", "fallback", "exhausted")
    opened = RotatedFile.open

    def fail(file: RotatedFile) -> object:
        if file == first:
            raise OSError(5, "input/output error")
        return opened(file)

    with monkeypatch.context() as patch:
        patch.setattr(RotatedFile, "open", fail)
        for _ in range(2):
            with pytest.raises(OSError, match="input/output"):
                trail.summary()

    assert trail.summary().requests == 3
    assert trail.summary() == FileTrail(path).summary()


def test_files_of_other_names_are_not_read(path: Path) -> None:
    """Neither other trails' nor what is half compressed."""
    file = rotated(path, "accepted", "accepted")
    line = file.plain.read_bytes()
    for name in (
        "audit-x.jsonl",
        f"other-{file.stamp}.jsonl",
        file.unfinished.name,
        "audit.jsonl.1",
    ):
        path.with_name(name).write_bytes(line)

    assert FileTrail(path).summary().requests == 2


def test_a_trail_without_its_current_file_is_what_was_rotated(path: Path) -> None:
    """As in the moment after a rotation, before the next record."""
    rotated(path, "accepted", "fallback")
    trail = FileTrail(path)
    assert trail.summary().requests == 2

    path.unlink()
    assert trail.summary().requests == 1
