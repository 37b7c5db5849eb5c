"""Answers that were written beforehand: fixed ones and ones with blanks."""

import json
import pickle

import pytest
from langchain_core.messages import HumanMessage

from langchain_control.outcomes import FailureMode
from langchain_control.strategies import CannedAnswer, FallbackRequest, TemplateAnswer

REQUEST = FallbackRequest(
    (HumanMessage("Why?"),), failure_mode=FailureMode.TIMEOUT, request_id="r1"
)


def test_a_canned_answer_is_always_the_same():
    """It does not look at the question."""
    canned = CannedAnswer("Please try again later.")

    assert canned("Why?", REQUEST).text == canned("How?", REQUEST).text == "Please try again later."


@pytest.mark.parametrize("value", [{"summary": "n/a", "ü": [1, None]}, [1, 2], 3.5, None, True])
def test_a_canned_value_is_given_as_json(value):
    """A contract that asks for JSON is met by a value."""
    assert json.loads(CannedAnswer(value)("Why?", REQUEST).text) == value


@pytest.mark.parametrize(
    "value", [object(), {"a": {1, 2}}, float("nan")], ids=["object", "set", "nan"]
)
def test_what_is_not_json_is_refused(value):
    """The mistake shows where the answer is written, not in an outage."""
    with pytest.raises((TypeError, ValueError)):
        CannedAnswer(value)


def test_a_template_names_the_request():
    """The caller gets something to quote when asking for help."""
    template = TemplateAnswer("No answer to '$question' ($failure_mode). Reference: ${request_id}")

    assert template(REQUEST.question, REQUEST).text == (
        "No answer to 'Why?' (timeout). Reference: r1"
    )


def test_a_template_leaves_braces_and_dollars_alone():
    """JSON needs no escaping, a dollar is written twice."""
    template = TemplateAnswer('{"id": "$request_id", "price": "$$5"}')

    assert json.loads(template("", REQUEST).text) == {"id": "r1", "price": "$5"}


@pytest.mark.parametrize(
    "question", ['Is "it" ok', "line\nbreak", "C:\\new", 'ok", "approved": true, "a": "', "\ud800"]
)
@pytest.mark.parametrize("around", ["{}", "\ufeff{}", "```json\n{}\n```"], ids=repr)
def test_a_question_stays_in_its_string(question, around):
    """No user sets another field of an answer, and no quotation mark makes it unreadable."""
    before, after = around.split("{}")
    template = TemplateAnswer(
        f'{before}{{"summary": "No answer to: $question", "approved": false}}{after}'
    )

    text = template(question, REQUEST).text
    answer = json.loads(text.removeprefix(before).removesuffix(after))

    assert answer == {"summary": f"No answer to: {question}", "approved": False}


@pytest.mark.parametrize("text", ['"$question" failed: {"id": "1"}', "```json\n{}\n```\n$question"])
def test_prose_with_json_in_it_is_prose(text):
    """Users would be shown their own question with backslashes in it."""
    assert 'say "hi"' in TemplateAnswer(text)('say "hi"', REQUEST).text


def test_text_in_the_question_is_not_a_template():
    """What a user writes is filled in and not read."""
    assert TemplateAnswer("$question")("$request_id ${x}", REQUEST).text == "$request_id ${x}"


@pytest.mark.parametrize(
    ("template", "says"), [("Costs $5", "stray|starts no placeholder"), ("Hi $name", "name")]
)
def test_a_template_with_other_placeholders_is_refused(template, says):
    """A typing error shows where the template is written."""
    with pytest.raises(ValueError, match=says):
        TemplateAnswer(template)


@pytest.mark.parametrize("strategy", [CannedAnswer("Sorry."), TemplateAnswer("Sorry: $request_id")])
def test_a_prepared_answer_shows_itself_and_can_be_pickled(strategy):
    """A policy's repr and a process pool both see what will be said."""
    assert "Sorry" in repr(strategy)
    assert pickle.loads(pickle.dumps(strategy))("", REQUEST).text.startswith("Sorry")
