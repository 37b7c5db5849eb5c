"""The public names are those the documentation lists."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import langchain_control

ARCHITECTURE = Path(__file__).parents[1] / "docs" / "architecture.md"


NAMES = list(langchain_control._MODULE_OF)
WITH_AN_EXTRA = {"ControlMiddleware"}


def test_all_is_sorted_and_complete():
    """`__all__` is sorted, and lists exactly what can be loaded without an extra."""
    assert sorted(langchain_control.__all__) == langchain_control.__all__
    assert set(langchain_control.__all__) == set(NAMES) - WITH_AN_EXTRA


def test_everything_can_be_imported_without_an_extra():
    """Without the extra `agents`, `from langchain_control import *` was an `ImportError`."""
    code = "import sys; sys.modules['langchain'] = None; from langchain_control import *"

    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_needs_no_extra():
    """Whoever looks through the package finds what can be had; the rest says what it needs."""
    code = """
import inspect, pydoc, sys
sys.modules["langchain"] = None
import langchain_control
pydoc.render_doc(langchain_control)
assert "with_control" in dict(inspect.getmembers(langchain_control))
try:
    from langchain_control import ControlMiddleware
except ImportError as exc:
    assert "langchain-control[agents]" in str(exc)
"""

    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_loads_and_is_documented(name):
    """Each name can be imported and says what it is."""
    assert getattr(langchain_control, name).__doc__


def test_the_documentation_lists_exactly_these_names():
    """The table of public names in the architecture page is complete."""
    page = ARCHITECTURE.read_text(encoding="utf-8")
    section = page.split("## Public names")[1].split("\n## ")[0]

    assert set(re.findall(r"`(\w+)`", section)) == set(NAMES)


def test_unknown_names_are_an_attribute_error():
    """A misspelt name fails like any other."""
    with pytest.raises(AttributeError, match="InputGard"):
        _ = langchain_control.InputGard


def test_the_version_is_the_distributions():
    """`__version__` is what is installed."""
    assert re.match(r"\d+\.\d+", langchain_control.__version__)


def test_what_is_not_installed_has_no_version(monkeypatch):
    """Tools that look a module over go on where it was vendored without its metadata."""

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)

    assert not hasattr(langchain_control, "__version__")
    assert inspect.getmembers(langchain_control)


def test_dir_lists_the_names():
    """Tab completion finds names that are not loaded yet."""
    assert set(NAMES) <= set(dir(importlib.reload(langchain_control)))


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("circuits", "FailureWindow"),
        ("retries", "RetryBudget"),
        ("retries", "UsageLimits"),
        ("rules", "LocalEmbedder"),
        ("stores", "RedisRateStore"),
    ],
)
def test_a_package_offers_what_its_users_name(package, name):
    """Nobody has to know in which of its modules something is."""
    module = importlib.import_module(f"langchain_control.{package}")

    assert getattr(module, name).__name__ == name
    assert name in module.__all__


@pytest.mark.parametrize("package", ["circuits", "retries", "stores"])
def test_a_package_has_no_other_names(package):
    """Also where names are loaded on demand, a misspelt one fails like any other."""
    module = importlib.import_module(f"langchain_control.{package}")

    with pytest.raises(AttributeError, match=f"'langchain_control.{package}'.*'Nothing'"):
        _ = module.Nothing
