"""The command `audit` reads any form of a trail."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from langchain_control.cli import main
from langchain_control.sinks import JsonlSink, SqliteSink
from langchain_control.trail.rotated import rotated_files
from tests.audit_records import attempt, finished


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a trail of two files, one request in each."""
    path = tmp_path / "audit.jsonl"
    with JsonlSink(path, rotate_bytes=1) as sink:
        sink.write(finished("accepted", request_id="abc"))
        sink.write(attempt("timeout", number=1, request_id="def"))
    return path


def test_what_was_rotated_is_read_too(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One name gives the whole trail, also before the next record makes the file anew."""
    assert main(["--plain", "audit", str(path)]) == 0
    assert "requests          1" in capsys.readouterr().out

    path.unlink()
    assert main(["--plain", "audit", str(path), "--request", "abc"]) == 0
    assert "finished: accepted" in capsys.readouterr().out


def test_one_rotated_file_can_be_asked_for(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its own name, compressed or not."""
    (rotated,) = rotated_files(path)
    rotated.compressed.write_bytes(gzip.compress(rotated.plain.read_bytes()))

    for name in (rotated.plain, rotated.compressed):
        assert main(["--plain", "audit", str(name)]) == 0
        assert "requests          1" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt name is no empty trail."""
    assert main(["audit", str(tmp_path / "adit.jsonl")]) == 2
    assert "adit.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["audit.jsonl", "audit.jsonl/deeper"])
def test_a_file_that_cannot_be_read_is_no_traceback(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another user's file, or whatever else the system says no to."""

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)  # root may read all files
    assert main(["audit", str(path.parent / name)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"langchain-control audit: cannot read {path.parent / name}: ")


def test_does_not_say_what_the_file_cannot_know(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It said `write errors 0` of a trail whose writer had lost records."""
    main(["--plain", "audit", str(path)])
    assert "write errors" not in capsys.readouterr().out


@pytest.mark.parametrize("request_id", ["xx", ""])
def test_a_request_that_is_not_there_is_no_success(
    path: Path, request_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that asked for an id it had mistyped, or lost, was told that all is well."""
    assert main(["audit", str(path), "--request", request_id]) == 1
    assert "no records" in capsys.readouterr().out


@pytest.mark.parametrize("ask", [[], ["--request", "abc"]])
def test_a_database_is_refused(
    ask: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some of its pages read like records, so that figures were wrong and stories cut short."""
    database = tmp_path / "audit.db"
    sink = SqliteSink(database)
    for _ in range(50):
        sink.write(finished("accepted", request_id="abc"))
    sink.close()

    assert main(["audit", str(database), *ask]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "is an SQLite file" in told.err


@pytest.mark.parametrize("text", ["one line\nand another\n", '{"level": "info"}\n\n'])
def test_another_file_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was summed up as a trail without requests."""
    other = tmp_path / "other.log"
    other.write_text(text, encoding="utf-8")

    assert main(["audit", str(other)]) == 2
    assert "there is no record in it" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "\n", '{"id":"half'])
def test_a_trail_that_has_just_begun_is_none_of_them(text: str, tmp_path: Path) -> None:
    """Its first line may still be written."""
    begun = tmp_path / "audit.jsonl"
    begun.write_text(text, encoding="utf-8")

    assert main(["audit", str(begun)]) == 0
