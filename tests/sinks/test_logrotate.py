"""The real `logrotate`, where it is installed, may rotate a file that is written to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from langchain_control.sinks import JsonlSink
from langchain_control.trail import FileTrail
from tests.audit_records import attempt

LOGROTATE = shutil.which("logrotate", path="/usr/sbin:/sbin:/usr/bin:/bin")

pytestmark = pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed")


def logrotate(path: Path, style: str) -> None:
    configuration = path.with_name("logrotate.conf")
    configuration.write_text(f"{path} {{\nrotate 9\nsize 1\n{style}\n}}\n")
    configuration.chmod(0o600)
    command = [LOGROTATE, "--state", path.with_name("state"), configuration]
    subprocess.run(command, check=True)


@pytest.mark.parametrize(
    "style", ["nocreate", "create 0600", "copytruncate", "nocreate\ncompress\ndelaycompress"]
)
def test_every_record_is_in_one_file(tmp_path: Path, style: str) -> None:
    """No signal is needed, and figures follow the file that has the name."""
    path, trail = tmp_path / "audit.jsonl", FileTrail(tmp_path / "audit.jsonl")
    with JsonlSink(path) as sink:
        for number in range(10):
            sink.write(attempt(number=number))
            trail.refresh()
            if number % 3 == 2:
                logrotate(path, style)

    newest_last = sorted(tmp_path.glob("audit.jsonl.*"), reverse=True)
    numbers = [
        record["number"] for file in (*newest_last, path) for record in FileTrail(file).to_records()
    ]
    assert len(newest_last) == 3
    assert numbers == list(range(10))
    assert trail.summary().attempts == 1
