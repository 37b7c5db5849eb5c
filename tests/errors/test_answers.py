"""Answers on exceptions."""

from types import SimpleNamespace

import pytest
from openai import ContentFilterFinishReasonError, LengthFinishReasonError
from openai.types.chat import ChatCompletion

from langchain_control.errors.answers import answer_in


def completion(**changes):
    """What OpenAI replies."""
    message = {"role": "assistant", "content": "It is"}
    return ChatCompletion.model_validate(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m-2026",
            "choices": [{"index": 0, "message": message, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
            **changes,
        }
    )


def carrying(found):
    """An exception of some client."""
    exc = RuntimeError("of a client")
    exc.completion = found
    return exc


def test_a_completion_is_the_answer():
    """Its text, its usage, the model's name and why it ended."""
    answer = answer_in(LengthFinishReasonError(completion=completion()))

    assert answer.text == "It is"
    assert answer.usage_metadata == {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
    assert answer.response_metadata == {"model_name": "m-2026", "finish_reason": "length"}


def test_a_stream_reports_no_usage():
    """What had arrived is there."""
    answer = answer_in(LengthFinishReasonError(completion=completion(usage=None)))

    assert (answer.text, answer.usage_metadata) == ("It is", None)


def test_an_answer_is_found_on_what_an_exception_was_raised_from():
    """Clients wrap the exceptions of others."""
    outer = ValueError("could not parse")
    outer.__cause__ = LengthFinishReasonError(completion=completion())

    assert answer_in(outer).text == "It is"


@pytest.mark.parametrize(
    "exc",
    [
        RuntimeError(),
        ContentFilterFinishReasonError(),
        carrying("It is"),
        carrying(SimpleNamespace(choices=[])),
        carrying(SimpleNamespace(choices=5)),
    ],
)
def test_most_exceptions_carry_none(exc):
    """Whatever else stands there is no completion."""
    assert answer_in(exc) is None


def test_an_unknown_shape_is_an_answer_without_particulars():
    """Nothing of it is taken for a text or a number that is none."""
    found = SimpleNamespace(choices=[{}], usage=SimpleNamespace(prompt_tokens="7"), model=3)

    answer = answer_in(carrying(found))

    assert (answer.text, answer.usage_metadata, answer.response_metadata) == ("", None, {})
