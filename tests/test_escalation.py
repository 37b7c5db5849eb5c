"""The rungs above the first, through every door: another model, and what it is asked."""

from __future__ import annotations

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_control import (
    AuditLogger,
    CircuitBreaker,
    ControlPolicy,
    FallbackRouter,
    ResponseValidator,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.circuits import Outcome
from langchain_control.sinks import MemorySink
from langchain_control.testing import ScriptedChatModel
from tests.doors import DOORS
from tests.scenarios import AT_ONCE, CITY, GOOD


def larger(*script):
    return ScriptedChatModel(script=list(script), model_name="larger")


def policy(other=None, *, retry=None, **changes):
    return ControlPolicy(
        validator=ResponseValidator(response_schema=CITY),
        retry=RetryEngine(other_model=other, **(retry or {}), **AT_ONCE),
        **changes,
    )


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_the_last_attempt_asks_the_other_model(door):
    """Its answer is an accepted one, with its name on it, and it heard what was wrong."""
    model, other = ScriptedChatModel(script=["no"] * 2), larger(GOOD)

    result = door(model, policy(other))

    assert result.status == "accepted"
    assert [(a["model"], a["rung"]) for a in result.attempts] == [
        ("scripted", "same_model"),
        ("scripted", "native_schema"),
        ("larger", "other_model"),
    ]
    [asked] = other.calls
    assert "Which city?" in asked[-2].text + asked[-1].text
    assert "requested shape" in asked[-1].text + asked[-2].text


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_the_other_model_fails_like_the_first(door):
    """Its attempt is the last one."""
    result = door(ScriptedChatModel(script=["no"] * 2), policy(larger("no")))

    assert (result.status, len(result.attempts)) == ("exhausted", 3)


def test_each_model_has_its_own_circuit(call):
    """Trouble of the larger model is not the first one's, and does not wait for it."""
    other, breaker = larger(), CircuitBreaker(failure_threshold=1)
    breaker.record(breaker.acquire("larger"), Outcome.FAILURE)
    spare = FallbackRouter(strategies=[("spare", GOOD)])
    controlled = with_control(
        ScriptedChatModel(script=["no"] * 2),
        policy(other, breaker=breaker, fallback=spare),
        include_result=True,
    )

    result = call(controlled, "Which city?")

    assert other.calls == []
    assert (result.strategy, result.failure_mode) == ("fallback:spare", "circuit_open")
    assert breaker.state("scripted") == "closed"


def test_the_trail_says_how_each_attempt_asked(call):
    """With what failed alike under one fingerprint."""
    sink = MemorySink()
    audited = policy(larger(GOOD), audit=AuditLogger(None, sinks=[sink]))

    call(with_control(ScriptedChatModel(script=["no"] * 2), audited), "Which city?")

    told = [r for r in sink.records if r["event"] == "control.attempt"]
    assert [r["rung"] for r in told] == ["same_model", "native_schema", "other_model"]
    assert told[0]["fingerprint"] == told[1]["fingerprint"]
    assert "fingerprint" not in told[2]


def test_the_other_model_may_be_a_function(call):
    """Or any Runnable."""
    controlled = with_control(ScriptedChatModel(script=["no"] * 2), policy(lambda _: GOOD))

    assert call(controlled, "Which city?").text == '{"city":"Paris"}'


@pytest.mark.parametrize(("listed", "is_quoted"), [(("scripted",), True), ((), False)])
def test_a_rejected_answer_is_quoted_only_to_listed_models(call, listed, is_quoted):
    """By default a model does not see what it did wrong, only what was wrong with it."""
    model = ScriptedChatModel(script=["It is Rome.", GOOD])
    controlled = with_control(model, policy(retry={"quote_answers_of": listed}))

    call(controlled, "Which city?")

    prompt = "\n".join(message.text for message in model.calls[1])
    assert ("It is Rome." in prompt) is is_quoted


def test_a_retry_draws_anew(call):
    """A model with a seed and no temperature would say the same again."""
    drawn = []

    class Seeded(ScriptedChatModel):
        seed: int = 7
        temperature: float = 0.0

        def _generate(self, *args, **kwargs):
            drawn.append((self.seed, self.temperature))
            return super()._generate(*args, **kwargs)

        async def _agenerate(self, *args, **kwargs):
            drawn.append((self.seed, self.temperature))
            return await super()._agenerate(*args, **kwargs)

    call(with_control(Seeded(script=["no", "no", GOOD]), policy()), "Which city?")

    assert drawn == [(7, 0.0), (8, 0.2), (9, 0.4)]


def test_a_chain_is_repeated_as_it_is(call):
    """Its settings are nobody's business but its own."""
    model = ScriptedChatModel(script=["no", GOOD])

    assert call(with_control(model | RunnableLambda(lambda m: m), policy()), "Which city?")


@pytest.mark.parametrize("door", [with_control, create_control_graph], ids=lambda d: d.__name__)
def test_another_model_that_retries_by_itself_is_warned_about(door):
    """Its retries multiply like those of the first."""
    other = larger().with_retry(stop_after_attempt=3)

    with pytest.warns(UserWarning, match="3 calls"):
        door(ScriptedChatModel(script=[]), policy(other))
