"""The tasks can be solved, and solved wrongly."""

from __future__ import annotations

import json

import pytest

from benchmarks.real_tasks import TASKS, Task
from langchain_control import ResponseValidator

by_name = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


def meets(task: Task, answer: object) -> bool:
    contract = ResponseValidator(response_schema=task.schema())
    return contract.inspect(json.dumps(answer)).passed


def test_there_are_enough_of_them():
    """At least ten, at least eight of them with a right answer, no name twice."""
    assert len(TASKS) >= 10
    assert sum(task.expected is not None for task in TASKS) >= 8
    assert len({task.name for task in TASKS}) == len(TASKS)


@by_name
def test_the_fallback_meets_the_contract(task):
    """And knows nothing: it is right by accident at most."""
    assert meets(task, task.fallback())


@by_name
def test_the_shape_in_the_prompt_names_the_keys_of_the_contract(task):
    """The model is asked for what is judged."""
    assert set(json.loads(task.shape)) == set(task.properties)
    assert task.shape in task.prompt()


@by_name
def test_the_right_answer_meets_the_contract_and_is_right(task):
    """Whatever else an answer must hold is filled in."""
    answer = {**task.fallback(), **(task.expected or {})}

    assert meets(task, answer)
    assert task.is_right(answer)


@by_name
def test_an_unknown_key_breaks_the_contract(task):
    """Contracts are closed."""
    assert not meets(task, {**task.fallback(), "comment": "hello"})


def test_case_and_a_full_stop_do_not_make_an_answer_wrong():
    """A person would not mind either."""
    country = next(task for task in TASKS if task.name == "country")

    assert country.is_right({"country": "FRANCE."})
    assert not country.is_right({"country": "Italy"})
