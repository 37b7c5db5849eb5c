"""The tasks can be solved, and solved wrongly."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.real_model.desk import Desk
from benchmarks.real_model.tasks import TASKS, TASKS_BY_KIND, Task
from langchain_control import AuditLogger
from langchain_control.testing import ScriptedChatModel

by_name = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


def meets(task: Task, answer: object) -> bool:
    desk = Desk(ScriptedChatModel(script=[]), task, AuditLogger(None))
    return desk.contract.inspect(json.dumps(answer)).passed


def filled(expected: object, blank: object) -> object:
    """Fill in what a right answer may hold anything for."""
    match expected:
        case dict():
            blank = blank if isinstance(blank, dict) else {}
            return {**blank, **{key: filled(v, blank.get(key)) for key, v in expected.items()}}
        case list():
            return [filled(v, blank[0]) for v in expected]
        case set():
            return sorted(expected)
    return expected


def right_answer(task: Task) -> object:
    return filled(task.expected or {}, task.fallback())


def test_there_are_enough_of_them():
    """At least forty, three of four with a right answer, no name twice, ten or more plain ones."""
    assert len(TASKS) >= 40
    assert sum(task.expected is not None for task in TASKS) >= 0.75 * len(TASKS)
    assert len({task.name for task in TASKS}) == len(TASKS)
    assert len(TASKS_BY_KIND["plain"]) >= 10


@by_name
def test_the_fallback_meets_the_contract(task):
    """And knows nothing: it is right by accident at most."""
    assert meets(task, task.fallback())


@by_name
def test_the_shape_in_the_prompt_names_the_keys_of_the_contract(task):
    """The model is asked for what is judged, at every depth and in the same order."""
    schema = task.schema()
    inner = [d["properties"] for d in schema.get("$defs", {}).values() if "properties" in d]
    keys = {key for properties in (schema["properties"], *inner) for key in properties}

    assert set(re.findall(r'"(\w+)":', task.shape)) == keys
    assert task.shape in task.prompt()


@by_name
def test_the_right_answer_meets_the_contract_and_is_right(task):
    """Whatever else an answer must hold is filled in."""
    assert meets(task, right_answer(task))
    assert task.is_right(right_answer(task))


@by_name
def test_the_right_answer_is_short_enough(task):
    """At two characters a token, which is few, it fits the limit of an answer."""
    assert len(json.dumps(right_answer(task))) <= 160


@by_name
def test_an_unknown_key_breaks_the_contract(task):
    """Contracts are closed."""
    assert not meets(task, {**task.fallback(), "comment": "hello"})


@pytest.mark.parametrize(
    "task", [t for t in TASKS if t.expected is not None], ids=lambda task: task.name
)
def test_another_answer_that_meets_the_contract_is_wrong(task):
    """Change any one thing that is known, and the answer is not right any more."""
    expected = task.expected or {}
    for key in expected:
        others = {**right_answer(task), key: _other_than(expected[key])}
        assert not task.is_right(others), key


def _other_than(value: object) -> object:
    match value:
        case dict():
            return {key: _other_than(v) for key, v in value.items()}
        case list():
            return [_other_than(v) for v in value]
        case set():
            return ["something else"]
        case None:
            return "red"
    return not value if isinstance(value, bool) else "something else" if value else 1


def test_case_and_a_full_stop_do_not_make_an_answer_wrong():
    """A person would not mind either."""
    country = next(task for task in TASKS if task.name == "country")

    assert country.is_right({"country": "FRANCE."})
    assert not country.is_right({"country": "Italy"})


def test_the_order_of_a_set_does_not_matter_but_its_members_do():
    """One label too few, too many or twice is not the same."""
    labels = next(task for task in TASKS if task.name == "labels")

    assert labels.is_right({"labels": ["damaged", "late"]})
    assert not labels.is_right({"labels": ["late"]})
    assert not labels.is_right({"labels": ["late", "late", "damaged"]})
    assert not labels.is_right({"labels": ["late", "damaged", "price"]})


def test_a_list_has_to_be_whole_and_in_order():
    """As a sorted one, for instance."""
    numbers = next(task for task in TASKS if task.name == "sorted")

    assert numbers.is_right({"numbers": [3, 5, 8]})
    assert not numbers.is_right({"numbers": [8, 3, 5]})
    assert not numbers.is_right({"numbers": [3, 5]})
