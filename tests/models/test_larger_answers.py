"""A retry with a larger answer limit that the provider may refuse."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import ContextOverflowError, ModelInvalidRequestError
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_control import ControlPolicy, RetryEngine, with_control
from langchain_control.models.settings import unwrapped, varied
from langchain_control.testing import ScriptedChatModel
from tests.scenarios import AT_ONCE

SKY = {
    "title": "Sky",
    "type": "object",
    "properties": {"sky": {"type": "string"}},
    "required": ["sky"],
}
CUT = AIMessage("It is", response_metadata={"finish_reason": "length"})


class Limited(ScriptedChatModel):
    """A model whose server takes no answer limit above 100."""

    error: Any = ModelInvalidRequestError
    limits: Any = None
    answers: Any = None

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        limit = kwargs.get("max_tokens", self.max_tokens)
        self.limits.append(limit)
        if limit and limit > 100:
            raise self.error
        return ChatResult(generations=[ChatGeneration(message=self.answers.pop(0))])

    async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
        return self._generate(messages, **kwargs)


def limited(*answers, **changes):
    return Limited(script=[], limits=[], answers=list(answers), max_tokens=100, **changes)


def asked(call, model, **changes):
    policy = ControlPolicy(retry=RetryEngine(max_attempts=3, **AT_ONCE), **changes)
    return call(with_control(model, policy, include_result=True), "How is it?")


@pytest.mark.parametrize("error", [ModelInvalidRequestError, ContextOverflowError])
def test_a_limit_that_is_refused_is_not_raised(call, error):
    """The correction asks for fewer words, and so the stated limit may do."""
    model = limited(CUT, AIMessage("Fine."), error=error)

    result = asked(call, model)

    assert [attempt["failure_mode"] for attempt in result.attempts] == ["truncated", "none"]
    assert model.limits == [100, 200, 100]


def test_a_limit_in_the_call_arguments_is_lowered_again_too(call):
    """It is stated there, and goes before the model's own."""
    model = limited(CUT, AIMessage("Fine."))

    assert asked(call, model.bind(max_tokens=90)).message.text == "Fine."
    assert model.limits == [90, 180, 90]


def test_an_answer_that_is_cut_off_again_is_truncated(call):
    """That the server refused more says nothing of the request."""
    assert asked(call, limited(CUT, CUT, CUT)).failure_mode == "truncated"


def test_a_model_that_states_no_limit_is_asked_once(call):
    """There is nothing to take back."""
    model = limited(CUT, AIMessage("Fine.")).model_copy(update={"max_tokens": None})

    assert asked(call, model).message.text == "Fine."
    assert model.limits == [None, None]


@pytest.mark.parametrize(("most", "limit"), [(150, 150), (100, 100), (50, 100), (None, 200)])
def test_a_limit_is_raised_to_what_the_model_can_write(most, limit):
    """LangChain has a profile of many models."""
    model = limited(profile={"max_output_tokens": most} if most else {})
    varied_model, _ = unwrapped(varied(model, answer_limit_factor=2))

    assert varied_model.max_tokens == limit


def test_a_model_that_is_told_its_schema_in_words_keeps_its_limit_too(call):
    """It has a retry of its own."""
    model = limited(CUT, AIMessage('{"sky": "clear"}'))
    policy = ControlPolicy(retry=RetryEngine(max_attempts=3, **AT_ONCE))
    told = with_control(model, policy).with_structured_output(SKY, method="prompt")

    assert call(told, "How is it?") == {"sky": "clear"}
    assert model.limits == [100, 200, 100]
