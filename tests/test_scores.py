"""What is measured of an answer stays apart: shape, coverage, meaning, confidence."""

from __future__ import annotations

from math import log

import pytest
from langchain_core.messages import AIMessage

from langchain_control import (
    ControlPolicy,
    FallbackRouter,
    ResponseValidator,
    RetryEngine,
    with_control,
)
from langchain_control.outcomes import Scores
from langchain_control.rules import Expresses
from langchain_control.testing import ScriptedChatModel
from tests.doors import DOORS
from tests.scenarios import AT_ONCE, CITY, GOOD

HALF_SURE = {"logprobs": {"content": [{"token": "x", "logprob": log(0.5)}]}}


class Words:
    """Texts as counts of two words."""

    def embed_documents(self, texts):
        return [[float("refund" in t), float("sorry" in t)] for t in texts]


def scores(text, **settings):
    return ResponseValidator(**settings).inspect(AIMessage(text)).scores


def test_what_is_not_measured_is_none():
    """No figure is made up for it."""
    assert scores("Hello.") == Scores()


@pytest.mark.parametrize(("text", "score"), [(GOOD, 1.0), ('{"city": 7}', 0.0), ("Paris", 0.0)])
def test_the_shape_is_met_or_not(text, score):
    """Where the contract asks for one."""
    assert scores(text, response_schema=CITY).schema == score


def test_rules_for_content_leave_the_shape_alone():
    """A long answer may have the right shape."""
    assert scores(GOOD, response_schema=CITY, max_length=3).schema == 1.0


def test_coverage_is_the_share_of_the_phrases():
    """Whether that is enough, is another question."""
    found = scores("A refund.", must_contain=["refund", "30 days"], min_score=0)

    assert found == Scores(coverage=0.5)


def test_an_embedding_model_ranks_and_rejects_nothing():
    """By default; its score stands beside the others."""
    rule = Expresses(["we refund", "we are sorry"], Words())
    verdict = ResponseValidator(rules=[rule]).inspect("You get a refund.")

    assert (verdict.passed, verdict.scores) == (True, Scores(meaning=0.5))


def test_a_rule_that_gates_by_meaning_asks_the_model_once():
    """Embedding is the expensive part, so its score is in the violation only."""
    rule = Expresses(["we are sorry"], Words(), min_score=1.0)
    verdict = ResponseValidator(rules=[rule]).inspect("You get a refund.")

    assert (verdict.passed, verdict.scores.meaning) == (False, None)


def test_confidence_is_what_the_provider_reports():
    """And no part of any other score."""
    answer = AIMessage(GOOD, response_metadata=HALF_SURE)
    verdict = ResponseValidator(response_schema=CITY).inspect(answer)

    assert (verdict.score, verdict.scores.schema) == (1.0, 1.0)
    assert verdict.scores.confidence == pytest.approx(0.5)


# --- through the doors ----------------------------------------------------------------------------


def policy(**changes):
    return ControlPolicy(
        validator=ResponseValidator(response_schema=CITY), retry=RetryEngine(**AT_ONCE), **changes
    )


@pytest.mark.parametrize("door", DOORS)
def test_a_result_has_the_scores_of_its_answer(door):
    """Those of earlier attempts are gone."""
    said = ["no", AIMessage(GOOD, response_metadata=HALF_SURE)]

    found = door(ScriptedChatModel(script=said), policy()).scores

    assert (found.schema, found.confidence) == (1.0, pytest.approx(0.5))


@pytest.mark.parametrize("door", DOORS)
def test_without_an_answer_they_are_those_of_the_last_try(door):
    """It says how near it came."""
    assert door(ScriptedChatModel(script=["no"] * 3), policy()).scores == Scores(schema=0.0)


def test_a_fallback_answer_has_none(call):
    """The model's would be taken for its."""
    spare = policy(fallback=FallbackRouter(strategies=[("spare", GOOD)]))
    controlled = with_control(ScriptedChatModel(script=["no"] * 3), spare, include_result=True)

    result = call(controlled, "Which city?")

    assert (result.status, result.scores) == ("fallback", Scores())
