"""`PerProcess` gives each process a value of its own."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_control import _per_process
from langchain_control._per_process import PerProcess

SetPid = Callable[[int], None]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> SetPid:
    """Pretend to be another process."""
    return lambda pid: monkeypatch.setattr(_per_process.os, "getpid", lambda: pid)


def test_builds_nothing_before_it_is_asked() -> None:
    """Constructing costs nothing."""
    built: list[int] = []
    PerProcess(lambda: built.append(1))

    assert built == []


def test_one_process_has_one_value() -> None:
    """Asked again, it is the same."""
    value = PerProcess(object)

    assert value.get() is value.get()


def test_threads_agree_on_the_value() -> None:
    """Also when all of them are the first to ask."""
    together, value = threading.Barrier(8), PerProcess(object)

    def ask(_: int) -> object:
        together.wait()
        return value.get()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_a_child_builds_its_own(in_process: SetPid) -> None:
    """What the parent had is let go in the child."""

    class Built:
        """Unlike a plain object, one that can be referred to weakly."""

    value = PerProcess(Built)
    in_process(1)
    parents = weakref.ref(value.get())
    in_process(2)

    assert isinstance(value.get(), Built)
    assert parents() is None
