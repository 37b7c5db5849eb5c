"""Contestants differ in what they tell the model after a bad answer, and in nothing else."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from benchmarks.real_model import control, loops
from benchmarks.real_model.contestants import CONTESTANTS, CONTROL, SHORT, taking_part
from benchmarks.real_model.desk import ATTEMPTS, Desk, render
from benchmarks.real_model.tasks import TASKS
from langchain_control import AuditLogger
from langchain_control.testing import ScriptedChatModel

TASK = next(task for task in TASKS if task.name == "person")
GOOD, BAD = '{"name": "Maria Lopez", "age": 34}', '{"name": "Maria Lopez", "age": "old"}'
MODES = ("json_schema", "function_calling", "json_mode")


async def asked(make: Callable[[Desk], Any], *script: str) -> tuple[Any, list[list[BaseMessage]]]:
    """Put the task to a contestant; return its answer and the prompts that the model saw."""
    model = ScriptedChatModel(script=list(script))
    answer = await make(Desk(model, TASK, AuditLogger(None)))(TASK.prompt())
    return answer, model.calls


LOOPS = (loops.re_roll, loops.general_hint, loops.exact_paths, loops.re_ask)
PROMPT_ONLY = (*LOOPS, control.by_default, control.without_schema_mode)


@pytest.mark.parametrize("make", PROMPT_ONLY, ids=lambda make: make.__name__)
async def test_everybody_begins_with_the_same_prompt_and_may_call_as_often(make):
    """And takes the first answer that meets the contract."""
    answer, calls = await asked(make, *[BAD] * (ATTEMPTS - 1), GOOD)

    assert [m.text for m in calls[0]] == [m.text for m in render(TASK.prompt())]
    assert len(calls) == ATTEMPTS
    assert answer.value == {"name": "Maria Lopez", "age": 34}


@pytest.mark.parametrize("make", LOOPS, ids=lambda make: make.__name__)
async def test_a_loop_without_an_acceptable_answer_ends_with_none(make):
    """After its attempts."""
    answer, calls = await asked(make, *[BAD] * ATTEMPTS)

    assert answer is None
    assert len(calls) == ATTEMPTS


async def test_a_single_call_is_single():
    """Whatever comes of it."""
    answer, calls = await asked(loops.single_call, BAD)

    assert (answer, len(calls)) == (None, 1)


async def test_the_hint_names_no_place_and_the_exact_paths_do():
    """Neither shows the bad answer as one of the model's."""
    _, hinted = await asked(loops.general_hint, BAD, GOOD)
    _, placed = await asked(loops.exact_paths, BAD, GOOD)

    assert "/age" not in hinted[1][-1].text
    assert "/age" in placed[1][-1].text
    assert {m.type for m in (*hinted[1], *placed[1])} == {"system", "human"}


async def test_a_re_ask_shows_the_bad_answer_and_then_the_same_correction():
    """So only the quoting differs from the exact paths."""
    _, quoted = await asked(loops.re_ask, BAD, GOOD)
    _, placed = await asked(loops.exact_paths, BAD, GOOD)

    *_, said, correction = quoted[1]
    assert (said.type, said.text) == ("ai", BAD)
    assert _without_labels(correction.text) == _without_labels(placed[1][-1].text)


def _without_labels(text: str) -> str:
    """Drop the lines of a fence, whose label is new each time."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("<"))


async def test_the_control_layer_falls_back_where_the_loops_have_nothing():
    """Visibly."""
    answer, _ = await asked(control.by_default, *[BAD] * ATTEMPTS)

    assert answer.is_fallback
    assert answer.value == TASK.fallback()


def test_whoever_lacks_a_package_or_a_mode_is_left_out_with_the_reason(monkeypatch):
    """And nobody else is."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    entries, missing = taking_part(CONTESTANTS, {"json_schema"})

    assert entries.keys() | missing.keys() == CONTESTANTS.keys()
    assert missing["LangChain json_mode x3"] == "the server has no `json_mode`"
    assert missing["instructor, JSON x3"] == "`instructor` is not installed"
    assert {*SHORT} <= entries.keys()


def test_the_short_run_has_the_control_layer_in_it():
    """With everything it is compared to."""
    entries, missing = taking_part(SHORT, MODES)

    assert CONTROL in entries
    assert list(entries) == [name for name in CONTESTANTS if name in SHORT]
    assert not missing
