"""Every Python block of the README and the documentation runs as it stands."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from docs.tables import FILLERS, MARKER, filled

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[int, str]]:
    text = page.read_text(encoding="utf-8")
    return [(text[: m.start()].count("\n") + 2, m.group(1)) for m in BLOCK.finditer(text)]


@pytest.mark.parametrize(
    "page", [p for p in PAGES if blocks(p)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_examples_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    """The blocks of a page run in order, offline, in one namespace and an empty folder."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "example"}
    for line, code in blocks(page):
        padded = "\n" * (line - 1) + code  # so that a traceback shows the page's own lines
        exec(compile(padded, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_generated_tables_are_up_to_date(page):
    """Tables made from code say what the code says. `make docs` writes them."""
    text = page.read_text(encoding="utf-8")

    assert filled(text) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page):
    """A relative link names a file that exists."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
        assert (page.parent / target).exists(), target


def test_every_marker_has_a_filler():
    """A marker nobody fills would leave an empty place on a page."""
    for page in PAGES:
        for kind, _ in MARKER.findall(page.read_text(encoding="utf-8")):
            assert kind in FILLERS


def test_every_component_has_a_page():
    """Each component is documented under its own name."""
    pages = {p.stem for p in (ROOT / "docs" / "components").glob("*.md")}
    listed = importlib.import_module("langchain_control")._MODULE_OF
    names = [n for n, module in listed.items() if module.startswith("components.")]
    expected = {re.sub(r"(?<!^)(?=[A-Z])", "_", n).lower() for n in names}

    assert pages == expected
