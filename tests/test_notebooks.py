"""Every notebook runs from top to bottom, and shows what it gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.notebooks import NOTEBOOKS, comparable, executed, stored

ROOT = Path(__file__).parents[1]


@pytest.mark.enable_socket  # the kernel talks over loopback
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_gives_what_it_shows(path, tmp_path):
    """Offline, in an empty folder, and without paths of a machine."""
    shown, run = stored(path), executed(path, str(tmp_path))

    assert [comparable(cell) for cell in shown.cells] == [comparable(cell) for cell in run.cells]
    assert not any(place in str(shown) for place in ("/home/", "/tmp/", str(ROOT)))
