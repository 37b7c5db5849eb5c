"""Regular expressions mean the same to every Python that the package supports."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "langchain_control"
MODULES = sorted(PACKAGE.rglob("*.py"))
POSSESSIVE_GROUP = re.compile(r"\)(?:[*+]|\{\{?[0-9,]+\}\}?)\+")


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_groups_that_repeat_are_atomic_and_not_possessive(module):
    """Before 3.11.5, Python took `(?:a|ab)*+` wrongly (gh-106052), but `(?>(?:a|ab)*)` rightly."""
    found = POSSESSIVE_GROUP.findall(module.read_text(encoding="utf-8"))

    assert found == []
