"""Texts that LangChain writes into conversations by itself are never taken for attacks."""

from __future__ import annotations

import ast
import warnings
from functools import cache
from pathlib import Path
from typing import get_args

import langchain
import langchain_core
import langgraph.prebuilt
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.utils.function_calling import tool_example_to_messages
from pydantic import BaseModel

from langchain_control import InputGuard, with_control
from langchain_control.detectors.framework_texts import FRAMEWORK_TEXTS
from langchain_control.detectors.presets import Preset
from langchain_control.testing import ScriptedChatModel
from tests.scenarios import ATTACK

PACKAGES = [langchain, langchain_core, langgraph.prebuilt]


class Person(BaseModel):
    """A person."""

    name: str


@cache
def installed() -> tuple[frozenset[str], frozenset[str]]:
    """Return every string in the installed packages, and those that are a tool message's text."""
    strings, contents = set(), set()
    for package in PACKAGES:
        for path in Path(next(iter(package.__path__))).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    strings.add(node.value)
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ToolMessage":
                    given = [
                        *node.args[:1],
                        *(k.value for k in node.keywords if k.arg == "content"),
                    ]
                    contents |= {g.value for g in given if isinstance(g, ast.Constant)}
    return frozenset(strings), frozenset(contents)


def examples():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tool_example_to_messages("Fiona travelled far.", [Person(name="Fiona")])


@pytest.mark.parametrize("text", sorted(FRAMEWORK_TEXTS))
def test_each_known_text_is_one_that_an_installed_package_writes(text):
    """A text that nobody writes any more would be a hole for nothing."""
    assert text in installed()[0]


@pytest.mark.parametrize("preset", get_args(Preset))
def test_what_installed_packages_write_as_a_tool_passes(preset):
    """Also what they write that is not in the table."""
    guard = InputGuard(preset=preset)
    written = {*FRAMEWORK_TEXTS, *installed()[1], examples()[2].text}

    for source in ("tool", "context"):
        assert [text for text in written if not guard.inspect(text, source=source).passed] == []


def test_few_shot_examples_reach_the_model_as_they_are(call):
    """LangChain's own text for the result of an example was withheld."""
    model = ScriptedChatModel(script=["Jo"])

    result = call(
        with_control(model, include_result=True), [*examples(), HumanMessage("Jo is here.")]
    )

    assert [m.text for m in model.calls[0]] == [
        "Fiona travelled far.",
        "",
        "You have correctly called this tool.",
        "Jo is here.",
    ]
    assert result.notes == ()


@pytest.mark.parametrize("text", sorted(FRAMEWORK_TEXTS))
def test_nothing_hides_beside_a_known_text(text):
    """Only the whole text is known."""
    guard, blocks = InputGuard(), [{"type": "text", "text": t} for t in (text, ATTACK)]

    assert not guard.inspect(f"{text} {ATTACK}", source="tool").passed
    assert not guard.inspect([ToolMessage(blocks, tool_call_id="1")]).passed


def test_a_detector_of_ones_own_is_not_asked_about_a_known_text():
    """Nobody could say anything about it that is not known before."""
    asked = []
    guard = InputGuard(detectors=[lambda text: asked.append(text) or []])

    guard.inspect([AIMessage(""), ToolMessage("[cleared]", tool_call_id="1")])
    guard.inspect("[cleared]")

    assert asked == ["[cleared]"]
