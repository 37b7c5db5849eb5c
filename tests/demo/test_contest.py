"""Every contestant is judged by what it hands on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage
from pydantic import BaseModel

from langchain_control import ControlPolicy, FallbackRouter, PromptBuilder, ResponseValidator
from langchain_control.demo.contest import (
    Answer,
    Judge,
    Score,
    blind_retry,
    control_layer,
    langchain_retry,
)
from langchain_control.testing import ScriptedChatModel


class City(BaseModel):
    city: str


CONTRACT = ResponseValidator(response_schema=City)
PROMPT = PromptBuilder()
GOOD, BAD = '{"city": "Paris"}', "Paris, I think."
CANNED = City(city="unknown")


def render(question: str) -> list[BaseMessage]:
    return PROMPT.build([HumanMessage(question)]).messages


class NoMeter:
    calls = input_tokens = output_tokens = 0


async def judged(answer: Answer | None, *, truth: Any = None) -> Any:
    """Judge a contestant that always hands on the same answer."""

    async def contestant(_: str) -> Answer | None:
        return answer

    judge = Judge(
        meets=lambda value: CONTRACT.inspect(json.dumps(value)).passed,
        is_right=truth and truth.__eq__,
        meter=NoMeter(),
    )
    return await judge.try_once(contestant, "Which city?")


async def test_an_answer_that_meets_the_contract_may_still_be_wrong():
    """Valid is not right."""
    trial = await judged(Answer({"city": "Rome"}), truth={"city": "Paris"})

    assert (trial.is_met, trial.is_right) == (True, False)


async def test_an_answer_that_breaks_the_contract_is_neither_met_nor_right():
    """Whatever the contestant believes."""
    trial = await judged(Answer({"town": "Paris"}), truth={"town": "Paris"})

    assert (trial.is_met, trial.is_right) == (False, False)


async def test_a_fallback_is_never_met():
    """Even if it would meet the contract."""
    trial = await judged(Answer({"city": "Paris"}, is_fallback=True), truth={"city": "Paris"})

    assert (trial.is_met, trial.is_right, trial.is_fallback) == (False, False, True)


async def test_what_nobody_can_check_is_not_counted_as_checked():
    """Neither as right nor as wrong."""
    score = Score.of([await judged(Answer({"city": "Rome"}))])

    assert (score.met, score.right, score.checkable) == (1, 0, 0)


@pytest.mark.parametrize(("attempts", "answer"), [(1, None), (2, Answer({"city": "Paris"}))])
async def test_blind_retry_sends_the_same_prompt_again(attempts, answer):
    """As often as it may, and not a word differs."""
    model = ScriptedChatModel(script=[BAD, GOOD])

    assert await blind_retry(model, render, CONTRACT, attempts)("Which city?") == answer
    assert all(call == model.calls[0] for call in model.calls)
    assert len(model.calls) == attempts


async def test_langchain_retries_what_its_parser_refuses():
    """The chain that a user of LangChain would write."""
    model = ScriptedChatModel(script=[BAD, GOOD])

    ask = langchain_retry(model, render, City, attempts=2, fallback=CANNED)

    assert await ask("Which city?") == Answer({"city": "Paris"})


async def test_langchain_ends_with_the_canned_answer():
    """Marked as what it is."""
    model = ScriptedChatModel(script=[BAD, BAD])

    ask = langchain_retry(model, render, City, attempts=2, fallback=CANNED)

    assert await ask("Which city?") == Answer(CANNED.model_dump(), is_fallback=True)


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ([BAD, GOOD], Answer({"city": "Paris"})),
        ([BAD, BAD], Answer({"city": "unknown"}, is_fallback=True)),
    ],
)
async def test_control_marks_its_fallback(script, answer):
    """A fallback answer is known as one, whoever looks."""
    policy = ControlPolicy(
        prompt=PROMPT,
        validator=CONTRACT,
        retry={"max_attempts": 2, "base_delay_seconds": 0, "jitter_seconds": 0},
        fallback=FallbackRouter(strategies=[("canned", lambda _: CANNED.model_dump_json())]),
    )

    assert await control_layer(ScriptedChatModel(script=script), policy)("Which city?") == answer


async def test_control_without_an_answer_has_none():
    """No fallback, no answer, and no exception either."""
    policy = ControlPolicy(validator=CONTRACT, retry={"max_attempts": 1})

    assert await control_layer(ScriptedChatModel(script=[BAD]), policy)("Which city?") is None
