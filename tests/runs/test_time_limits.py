"""The deadline of a request holds for the plug-ins that judge for it."""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda

from langchain_control import (
    CircuitBreaker,
    ControlPolicy,
    FailureMode,
    FallbackRouter,
    InputGuard,
    ResponseValidator,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.circuits import Outcome
from langchain_control.runs.results import result_of
from langchain_control.runs.state import state_of
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.strategies import other_model
from langchain_control.testing import ManualClock, ScriptedChatModel


class Hangs:
    """A rule, or a detector, that waits for ever, and knows whether it was cut off."""

    def __init__(self, clock=None):
        """Move the clock, if there is one, as waiting would."""
        self.clock, self.was_cancelled = clock, False

    async def _wait(self):
        if self.clock is not None:
            self.clock.advance(60)
        try:
            await asyncio.Event().wait()
        finally:
            self.was_cancelled = True

    async def check(self, answer):
        """Judge an answer."""
        await self._wait()

    async def detect(self, text):
        """Judge a text."""
        await self._wait()


async def through_chain(model, policy):
    return await with_control(model, policy, include_result=True).ainvoke("Q?")


async def through_graph(model, policy):
    return result_of(await create_control_graph(model, policy).ainvoke(state_of("Q?")))


DOORS = [through_chain, through_graph]


def hurried(**changes):
    """A policy whose deadline is all but over."""
    return ControlPolicy(
        deadline_seconds=0.03, clock=ManualClock(), retry=RetryEngine(max_attempts=1), **changes
    )


@pytest.mark.parametrize("door", DOORS)
async def test_a_rule_that_waits_is_cut_off(door):
    """An answer that nobody could judge in time is none; the failure says so."""
    clock = ManualClock()
    rule = Hangs(clock)
    policy = hurried(validator=ResponseValidator(rules=[rule])).override(clock=clock)

    result = await door(ScriptedChatModel(script=["hi"]), policy)

    assert (result.status, result.failure_mode) == ("exhausted", FailureMode.DEADLINE_EXCEEDED)
    assert "while a plug-in judged" in result.reason
    assert len(result.attempts) == 1


@pytest.mark.parametrize("door", DOORS)
async def test_a_detector_that_waits_is_cut_off(door):
    """An input that nobody could judge in time reaches no model."""
    detector = Hangs()
    policy = hurried(guard=InputGuard(detectors=[detector]))
    model = ScriptedChatModel(script=[])

    result = await door(model, policy)

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.DEADLINE_EXCEEDED)
    assert model.calls == []


@pytest.mark.parametrize("fails", ["block", "pass"])
@pytest.mark.parametrize("door", DOORS)
async def test_what_nobody_judged_in_time_reaches_no_fallback(door, fails):
    """A detector that is cut off has not failed: the deadline is the request's."""
    seen = []
    policy = hurried(
        guard=InputGuard(detectors=[Hangs()], when_detector_fails=fails),
        fallback=FallbackRouter(strategies=[("f", seen.append)]),
    )

    result = await door(ScriptedChatModel(script=[]), policy)

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.DEADLINE_EXCEEDED)
    assert seen == []


def never_answers(clock, seconds=0):
    """A model that was cut off after so many seconds of the clock."""

    def answer(_):
        clock.advance(seconds)
        return TimeoutError()

    return ScriptedChatModel(script=answer, model_name="m")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("settings", [{}, {"timeout_seconds": 20}], ids=["default", "equal"])
async def test_a_model_that_never_answers_within_the_deadline_opens_its_circuit(door, settings):
    """The deadline is its time limit where that is no longer; each request waited for all of it."""
    clock = ManualClock()
    policy = ControlPolicy(
        clock=clock, deadline_seconds=20, retry=RetryEngine(max_attempts=1), **settings
    )
    model = never_answers(clock, 20)

    for _ in range(7):
        await door(model, policy)

    assert (len(model.calls), policy.breaker.state("m")) == (5, "open")


async def test_what_is_left_by_others_is_no_verdict():
    """A second attempt in the last seconds says little about the model."""
    clock = ManualClock()
    policy = ControlPolicy(
        clock=clock,
        deadline_seconds=20,
        breaker=CircuitBreaker(failure_threshold=2),
        retry=RetryEngine(max_attempts=2, base_delay_seconds=0, jitter_seconds=0),
    )
    model = never_answers(clock, 11)

    await through_chain(model, policy)

    assert (len(model.calls), policy.breaker.snapshot()["default:m"]["failures_in_a_row"]) == (2, 1)


@pytest.mark.parametrize(("seconds_before", "state"), [(0, "open"), (11, "half_open")])
async def test_a_probe_that_had_most_of_the_deadline_decides(seconds_before, state):
    """One that had little leaves its turn to the next: it would shut out a model that is well."""
    clock = ManualClock()

    class Takes:
        def detect(self, text):
            clock.advance(seconds_before)
            return []

    breaker = CircuitBreaker(failure_threshold=1, store=InMemoryCircuitStore(clock=clock))
    policy = ControlPolicy(
        clock=clock,
        deadline_seconds=20,
        guard=InputGuard(detectors=[Takes()]),
        breaker=breaker,
        retry=RetryEngine(max_attempts=1),
    )
    breaker.record(breaker.acquire("m"), Outcome.FAILURE)
    clock.advance(30)

    await through_chain(never_answers(clock), policy)

    assert (breaker.state("m"), breaker.snapshot()["default:m"]["probes"]) == (state, 0)


class HangsOver(Hangs):
    """A detector that waits for ever over one text."""

    async def detect(self, text):
        """Judge a text."""
        if "Doc" in text:
            await self._wait()
        return []


@pytest.mark.parametrize(
    "given",
    [
        {"input": "Q?", "context": ["Doc one", "Doc two"]},
        {"messages": [HumanMessage("Doc?"), AIMessage("No."), HumanMessage("Q?")]},
    ],
    ids=["document", "earlier turn"],
)
async def test_nor_does_what_came_with_it(given):
    """A document or an earlier turn that nobody could judge goes nowhere either."""
    seen = []
    policy = hurried(
        guard=InputGuard(detectors=[HangsOver()]),
        fallback=FallbackRouter(strategies=[("f", seen.append)]),
    )

    result = await with_control(ScriptedChatModel(script=[]), policy, include_result=True).ainvoke(
        given
    )

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.DEADLINE_EXCEEDED)
    assert seen == []


def test_a_document_over_which_a_detector_fails_stops_the_input():
    """As the question does: an attack would wait for it."""

    def unreachable(text):
        if "Doc" in text:
            raise ConnectionError
        return []

    policy = ControlPolicy(guard=InputGuard(detectors=[unreachable]))
    controlled = with_control(ScriptedChatModel(script=[]), policy, include_result=True)

    result = controlled.invoke({"input": "Q?", "context": ["Doc"]})

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.MODEL_ERROR)


async def test_a_fallback_answer_is_not_judged_for_ever():
    """After the deadline its contract has as little time as the strategy itself."""
    clock = ManualClock()
    policy = hurried(
        validator=ResponseValidator(rules=[Hangs(clock)]),
        fallback=FallbackRouter(strategies=[("canned", "Sorry.")]),
    ).override(clock=clock)

    result = await through_chain(ScriptedChatModel(script=["hi"]), policy)

    [tried] = result.fallbacks
    assert (tried["outcome"], tried["failure_mode"]) == ("rejected", "deadline_exceeded")


async def test_what_is_cut_off_is_cancelled():
    """No task of a request outlives it."""
    clock = ManualClock()
    rule = Hangs(clock)
    policy = hurried(validator=ResponseValidator(rules=[rule])).override(clock=clock)

    await through_chain(ScriptedChatModel(script=["hi"]), policy)
    await asyncio.sleep(0)

    assert rule.was_cancelled


async def test_a_timeout_of_its_own_is_a_rules_own():
    """What a rule raises while there is time is taken for a bug, as ever."""

    async def broken(answer):
        raise TimeoutError

    policy = ControlPolicy(
        deadline_seconds=60, validator=ResponseValidator(rules=[broken]), clock=ManualClock()
    )

    with pytest.raises(TimeoutError):
        await through_chain(ScriptedChatModel(script=["hi"]), policy)


def test_an_async_rule_in_a_sync_call_is_told_as_such():
    """With a deadline, too."""

    async def rule(answer):
        return True

    policy = ControlPolicy(deadline_seconds=60, validator=ResponseValidator(rules=[rule]))

    with pytest.raises(TypeError, match="ainvoke"):
        with_control(ScriptedChatModel(script=["hi"]), policy).invoke("Q?")


async def never():
    await asyncio.Event().wait()


class AnswersAtOnce:
    answers_at_once = True

    async def __call__(self, question):
        await never()


class HandsOn:
    answers_at_once = True

    def __call__(self, question):
        return never()


NEVER_ANSWER = {
    "function": lambda _: never(),
    "runnable": RunnableLambda(lambda _: never()),
    "async": AnswersAtOnce(),
    "plain": HandsOn(),
}


@pytest.mark.parametrize("bound", ["timeout_seconds", "deadline_seconds"])
@pytest.mark.parametrize("strategy", NEVER_ANSWER.values(), ids=NEVER_ANSWER)
async def test_what_a_strategy_leaves_to_be_awaited_has_a_time_limit(strategy, bound):
    """A function that hands on what its client gives is cut off as one that awaits it."""
    fallback = FallbackRouter(strategies=[("never", strategy), ("canned", "Sorry.")])
    policy = ControlPolicy(retry=RetryEngine(max_attempts=1), fallback=fallback, **{bound: 0.5})
    asked = through_chain(ScriptedChatModel(script=[ConnectionError()]), policy)

    result = await asyncio.wait_for(asked, 10)

    assert result.message.text == "Sorry."
    assert result.fallbacks[0]["message"] == "TimeoutError"


@pytest.mark.parametrize("door", DOORS)
async def test_no_fallback_model_is_asked_after_the_deadline(door):
    """It could not answer in time, and costs money; what is prepared answers."""
    clock = ManualClock()
    spare = ScriptedChatModel(script=lambda _: "late")
    strategies = [
        ("model", spare),
        ("chain", RunnableLambda(list) | spare),
        ("other", other_model(spare)),
        ("canned", "Sorry."),
    ]
    policy = ControlPolicy(
        clock=clock,
        deadline_seconds=20,
        retry=RetryEngine(max_attempts=1),
        fallback=FallbackRouter(strategies=strategies),
    )

    result = await door(never_answers(clock, 20), policy)

    assert (result.message.text, spare.calls) == ("Sorry.", [])
    refused = [(tried["outcome"], tried["failure_mode"]) for tried in result.fallbacks[:-1]]
    assert refused == [("refused", "deadline_exceeded")] * 3
