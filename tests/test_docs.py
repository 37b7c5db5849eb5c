"""Every Python block of the README and the documentation runs as it stands."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import Runnable

from docs.tables import FILLERS, MARKER, filled

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMPONENT_PAGES = sorted((ROOT / "docs" / "components").glob("*.md"))
SECTIONS = ["About", "Usage", "Defaults", "Failure modes", "Telemetry", "Anti-patterns"]
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
        exec(compile(padded, str(page), "exec", dont_inherit=True), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_generated_tables_are_up_to_date(page):
    """Tables made from code say what the code says. `python -m docs.tables` writes them."""
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


def component_classes():
    for path in (ROOT / "langchain_control" / "components").glob("[!_]*.py"):
        if path.stem == "shapes":  # what they are made of
            continue
        module = importlib.import_module(f"langchain_control.components.{path.stem}")
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, Runnable | BaseCallbackHandler):
                yield name


def test_every_component_has_a_page():
    """Each component is documented under its own name."""
    expected = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in component_classes()}

    assert {page.stem for page in COMPONENT_PAGES} == expected


@pytest.mark.parametrize("page", COMPONENT_PAGES, ids=lambda p: p.stem)
def test_a_components_page_has_the_sections_that_readers_look_for(page):
    """Whoever knows one page finds the same things in the same order on the next."""
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS
