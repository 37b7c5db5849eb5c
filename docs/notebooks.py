"""Store in the notebooks what their cells give: `python -m docs.notebooks`.

Readers of the repository see results without running anything. Cells whose results differ only in
times and ids are left as they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

__all__ = ["NOTEBOOKS", "comparable", "executed", "refreshed", "stored"]

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))

_VARYING = re.compile(
    r"\b[0-9a-f]{32}\b"  # ids
    r"|\d{4}-\d\d-\d\dT[\d:.]+\+00:00"  # times
    r"|\b\d[\d,]*(?:\.\d+)? m?s\b"  # durations
)


def stored(path: Path) -> nbformat.NotebookNode:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call, no-any-return]


def executed(path: Path, folder: str) -> nbformat.NotebookNode:
    """Run a notebook in a folder, and return it with what its cells gave, log lines left out."""
    notebook = stored(path)
    NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
        record_timing=False,
        coalesce_streams=True,
    ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


def comparable(cell: nbformat.NotebookNode) -> list[Any]:
    """Return what a cell gave, the same for every run."""
    outputs = cell.get("outputs", [])
    return [_VARYING.sub("…", str(o.get("text") or sorted(o["data"].items()))) for o in outputs]


def refreshed(notebook: nbformat.NotebookNode, run: nbformat.NotebookNode) -> None:
    """Give a notebook the results of a run, where they differ from what is stored."""
    for kept, new in zip(notebook.cells, run.cells, strict=True):
        if new.cell_type == "code":
            kept.execution_count = new.execution_count
            kept.outputs = kept.outputs if comparable(kept) == comparable(new) else new.outputs


if __name__ == "__main__":
    for path in NOTEBOOKS:
        with TemporaryDirectory() as folder:
            run = executed(path, folder)
        notebook = stored(path)
        refreshed(notebook, run)
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
