"""What is measured of an answer stays apart: shape, coverage, meaning, confidence."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from math import log
from typing import ClassVar

import pytest
from langchain_core.embeddings import Embeddings
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
from langchain_control.testing import ManualClock, ScriptedChatModel
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


class Down:
    """An embedder whose server is gone."""

    def __init__(self, error=ConnectionError):
        self._error = error

    def embed_documents(self, texts):
        raise self._error


def judged(rule, how, text="You get a refund."):
    validator = ResponseValidator(rules=[rule])
    return validator.inspect(text) if how == "sync" else asyncio.run(validator.ainspect(text))


@pytest.mark.parametrize("how", ["sync", "async"])
def test_an_embedder_that_is_down_takes_no_answer_with_it(how):
    """A rule that only ranks took the request down, past any fallback."""
    verdict = judged(Expresses(["we refund"], Down()), how)

    assert (verdict.passed, verdict.scores.meaning) == (True, None)


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize(
    ("error", "mode"), [(ConnectionError, "model_error"), (TimeoutError, "timeout")]
)
def test_a_gate_whose_embedder_is_down_fails_by_name(how, error, mode):
    """The answer is not known to be wrong, so it is not called unsupported."""
    verdict = judged(Expresses(["we refund"], Down(error), min_score=1.0), how)

    assert (verdict.passed, verdict.failure_mode) == (False, mode)


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("min_score", [None, 1.0])
def test_a_bug_in_an_embedder_is_a_bug(how, min_score):
    """Nothing that a provider does raises a `KeyError`."""
    with pytest.raises(KeyError):
        judged(Expresses(["we refund"], Down(KeyError), min_score=min_score), how)


class InTheLoop(Words):
    """Embeds in the loop, and must not be asked to embed in sync code there."""

    def embed_documents(self, texts):
        raise AssertionError

    async def aembed_documents(self, texts):
        await asyncio.sleep(0)
        return super().embed_documents(texts)


class InAThread(Words):
    """Notes in which thread it embeds."""

    where: ClassVar[list[int]] = []

    def embed_documents(self, texts):
        self.where.append(threading.get_ident())
        return super().embed_documents(texts)


@pytest.mark.parametrize("min_score", [None, 0.1])
@pytest.mark.parametrize("embedder", [InTheLoop(), InAThread()], ids=lambda e: type(e).__name__)
def test_embedding_does_not_stop_the_loop(embedder, min_score):
    """An embedder of half a second stopped every request of the process for as long."""
    assert judged(Expresses(["we refund"], embedder, min_score=min_score), "async").passed
    assert threading.get_ident() not in InAThread.where


def test_a_gate_that_cannot_be_asked_is_a_provider_in_trouble(call):
    """Its attempts are counted as such, and the caller gets a result instead of the error."""
    policy = ControlPolicy(
        validator=ResponseValidator(rules=[Expresses(["we refund"], Down(), min_score=1.0)]),
        retry=RetryEngine(max_attempts=2, **AT_ONCE),
    )
    model = ScriptedChatModel(script=lambda _: "Yes.")

    result = call(with_control(model, policy, include_result=True), "A refund?")

    assert [a["failure_mode"] for a in result.attempts] == ["model_error"] * 2


def test_an_embedder_is_given_up_at_the_deadline():
    """The request ends when it has to, whoever it waits for."""

    class Hangs(InTheLoop):
        async def aembed_documents(self, texts):
            await asyncio.Event().wait()

    policy = ControlPolicy(
        validator=ResponseValidator(rules=[Expresses(["we refund"], Hangs())]),
        retry=RetryEngine(max_attempts=1),
        deadline_seconds=0.1,
    )
    controlled = with_control(ScriptedChatModel(script=["Yes."]), policy, include_result=True)

    assert asyncio.run(controlled.ainvoke("?")).failure_mode == "deadline_exceeded"


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


class Stuck(Embeddings):
    """An embedder without async whose server hangs."""

    def __init__(self, gate, clock):
        """Take what it waits for, and the clock that shows how long."""
        self.gate, self.clock = gate, clock

    def embed_documents(self, texts):
        """Turn texts into vectors, once the gate is open."""
        self.clock.advance(60)
        self.gate.wait()
        return [[1.0] for _ in texts]

    def embed_query(self, text):
        """Turn a text into a vector."""
        return self.embed_documents([text])[0]


async def test_an_embedder_that_hangs_takes_no_thread_of_the_event_loop():
    """With all of them taken, nobody in the process could use any, and the loop not close."""
    gate, clock, loop = threading.Event(), ManualClock(), asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    rule = Expresses(["we refund"], Stuck(gate, clock))
    validator = ResponseValidator(rules=[rule])
    policy = ControlPolicy(deadline_seconds=1, clock=clock, validator=validator)
    controlled = with_control(ScriptedChatModel(script=["We refund."]), policy, include_result=True)
    try:
        result = await controlled.ainvoke("Q?")
        free = loop.run_in_executor(None, lambda: "free")

        assert "while a plug-in judged" in result.reason
        assert await asyncio.wait_for(free, 10) == "free"
    finally:
        gate.set()
