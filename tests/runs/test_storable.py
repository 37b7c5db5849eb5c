"""What a graph asks of answers beyond their contract."""

import pytest
from langchain_core.messages import AIMessage

from langchain_control import ResponseValidator
from langchain_control._effects import run
from langchain_control.runs.storable import StorableAnswers

ANSWERS = StorableAnswers(ResponseValidator(must_be_json=True))


@pytest.mark.parametrize("number", [1 << 64, -(1 << 63) - 1, 10**30])
@pytest.mark.parametrize("shape", ["{}", '{{"a": [{}]}}', "[[{}, 1]]"])
def test_an_integer_that_no_checkpoint_stores_is_rejected(shape, number):
    """The correction says what to do: its digits in a string are as exact and go everywhere."""
    verdict = run(ANSWERS.judge(AIMessage(shape.format(number))))

    assert [violation.rule for violation in verdict.violations] == ["json.big_integer"]
    assert "as a string" in verdict.violations[0].expected


@pytest.mark.parametrize("text", [str((1 << 64) - 1), str(-(1 << 63)), "1e300", f'"{10**30}"'])
def test_what_fits_passes(text):
    """The bounds themselves, long fractions and strings of digits are fine."""
    verdict = run(ANSWERS.judge(AIMessage(text)))

    assert verdict.passed
    assert ANSWERS.clean(AIMessage(text), verdict).additional_kwargs["parsed"] == verdict.value


def test_other_failures_are_told_as_they_are():
    """What breaks the contract is told by the contract."""
    verdict = run(ANSWERS.judge(AIMessage("no")))

    assert [violation.rule for violation in verdict.violations] == ["json.no_json"]
