"""The demonstration of an agent under control."""

from __future__ import annotations

import argparse
import io
import re
import sys
from datetime import date

import pytest
from langchain_core.tools import ToolException

from langchain_control import AuditLogger
from langchain_control.commands.demo import declare, run
from langchain_control.console import Console
from langchain_control.demo import Stage, show
from langchain_control.demo.office_tools import convert_length, days_between


def shown() -> str:
    out = io.StringIO()
    show("agent", Stage(Console(out, rich=False), AuditLogger(None)))
    return out.getvalue()


def test_every_scene_ends_as_it_should():
    """A right run, a corrected one, a rejection without a call, and a bounded failure."""
    ends = re.findall(r" (accepted|rejected|exhausted) +(\d) ", shown())

    assert ends == [("accepted", "2"), ("accepted", "4"), ("rejected", "0"), ("exhausted", "3")]


def test_the_story_tells_of_the_tool_that_objected():
    """The trail of the second scene is printed."""
    story = shown()

    assert "correction schema_violation" in story
    assert "tool days_between: failed" in story


def test_without_langchain_the_demonstration_says_so(monkeypatch):
    """The extra is optional, and its lack is no traceback."""
    monkeypatch.setitem(sys.modules, "langchain_control.middleware", None)

    assert "Skipped" in shown()


def test_a_demonstration_can_be_named():
    """`demo agent` gives this one alone."""
    parser = argparse.ArgumentParser()
    declare(parser)
    out = io.StringIO()

    assert run(parser.parse_args(["agent"]), Console(out, rich=False)) == 0
    assert "agent:" in out.getvalue()
    assert "benchmark:" not in out.getvalue()


def test_the_tools_do_what_they_say():
    """They calculate, and object to what makes no sense."""
    assert days_between.func(date(2026, 1, 1), date(2026, 12, 24)) == 357
    assert convert_length.invoke({"amount": 1, "unit": "mi", "into": "m"}) == 1609.344
    with pytest.raises(ToolException, match="swap"):
        days_between.func(date(2026, 12, 24), date(2026, 1, 1))
