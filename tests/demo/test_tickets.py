"""The clerk fails as often as it is told to, and in the same way for everybody."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from langchain_control.demo.tickets import PROMPT, Clerk, Triage, question, right_answer


def prompt(number: int, correction: str | None = None):
    return PROMPT.build([HumanMessage(question(number))], feedback=correction).messages


def is_right(number: int, text: str) -> bool:
    return text == right_answer(number).model_dump_json()


@pytest.mark.parametrize("rate", [0.0, 0.55, 0.75, 1.0])
def test_the_share_of_damaged_answers_is_the_rate(rate):
    """Within what 2,000 draws leave to chance."""
    clerk = Clerk(rate)

    wrong = sum(not is_right(n, clerk.invoke(prompt(n)).text) for n in range(2000))

    assert wrong / 2000 == pytest.approx(rate, abs=0.04)


def test_two_clerks_have_the_same_luck():
    """So that contestants can be compared ticket by ticket."""
    one, other = Clerk(0.5), Clerk(0.5)

    assert [one.invoke(prompt(n)).text for n in range(50)] == [
        other.invoke(prompt(n)).text for n in range(50)
    ]


def test_another_seed_is_another_luck():
    """A result can be repeated under other circumstances."""
    one, other = Clerk(0.5), Clerk(0.5, seed=1)

    assert [one.invoke(prompt(n)).text for n in range(50)] != [
        other.invoke(prompt(n)).text for n in range(50)
    ]


def test_hints_help_only_as_much_as_the_parameter_says():
    """At 0 a changed prompt is always answered right; at 1 it makes no difference."""
    helped, indifferent, blind = Clerk(0.75, 0.0), Clerk(0.75, 1.0), Clerk(0.75, 0.0)
    for clerk in (helped, indifferent, blind):
        for number in range(100):
            clerk.invoke(prompt(number))

    def right(clerk: Clerk, correction: str | None) -> int:
        return sum(is_right(n, clerk.invoke(prompt(n, correction)).text) for n in range(100))

    assert right(helped, "Only JSON.") == 100
    assert right(indifferent, "Only JSON.") == right(blind, None) < 50


def test_without_the_word_json_the_answer_is_prose():
    """The rule of the article's mock that made its naive contestant score nothing."""
    clerk = Clerk(0.0)

    answer = clerk.invoke([SystemMessage("You sort tickets."), HumanMessage(question(0))])

    with pytest.raises(ValueError, match="JSON"):
        Triage.model_validate_json(answer.text)


def test_calls_and_tokens_are_counted():
    """The meter of the benchmark."""
    clerk = Clerk(0.0)

    answer = clerk.invoke(prompt(0))

    assert clerk.calls == 1
    assert clerk.input_tokens == answer.usage_metadata["input_tokens"] > 0
    assert clerk.output_tokens == answer.usage_metadata["output_tokens"] > 0


def test_a_prompt_without_a_ticket_is_a_mistake():
    """A clerk cannot answer what is no ticket."""
    with pytest.raises(ValueError, match="ticket"):
        Clerk(0.0).invoke("What time is it?")
