"""Tokens and cost are capped over the whole loop, through every door."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from langchain_core.exceptions import ModelAuthenticationError
from langchain_core.messages import AIMessage, HumanMessage

from langchain_control import (
    ControlMiddleware,
    ControlPolicy,
    FallbackRouter,
    ResponseValidator,
    RetryEngine,
    with_control,
)
from langchain_control.errors import AttemptsExhausted
from langchain_control.middleware import agent_result
from langchain_control.testing import Reply, ScriptedChatModel
from tests.doors import DOORS
from tests.openai_provider import Provider
from tests.scenarios import AT_ONCE, CITY, GOOD

BAD = Reply("no", input_tokens=90, output_tokens=10)
PRICES = {"scripted": {"input_per_million": 1000, "output_per_million": 1000}}


def policy(*, fallback=(), **limits):
    return ControlPolicy(
        validator=ResponseValidator(response_schema=CITY),
        retry=RetryEngine(max_attempts=9, **AT_ONCE),
        fallback=FallbackRouter(strategies=fallback),
        usage_limits=limits,
    )


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    "limits",
    [{"max_total_tokens": 150}, {"max_cost": 0.15, "prices": PRICES}],
    ids=["tokens", "cost"],
)
def test_no_attempt_is_begun_beyond_a_limit(door, limits):
    """The second attempt reaches it; the failure has a name and says how."""
    model = ScriptedChatModel(script=[BAD] * 9)

    result = door(model, policy(**limits))

    assert len(model.calls) == 2
    assert (result.status, result.failure_mode) == ("exhausted", "usage_limit_exceeded")
    assert result.reason.endswith("after `schema_violation`")
    assert result.usage["total_tokens"] == 200


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_an_answer_that_reaches_a_limit_is_an_answer(door):
    """What was paid for is not thrown away."""
    model = ScriptedChatModel(script=[Reply(GOOD, input_tokens=1000)])

    assert door(model, policy(max_total_tokens=10)).status == "accepted"


def test_the_cost_is_told(call):
    """Of each attempt and of the request."""
    model = ScriptedChatModel(script=[BAD, Reply(GOOD, input_tokens=90, output_tokens=10)])
    controlled = with_control(model, policy(prices=PRICES), include_result=True)

    result = call(controlled, "Which city?")

    assert [a["cost"] for a in result.attempts] == [pytest.approx(0.1)] * 2
    assert result.cost == pytest.approx(0.2)


def test_where_no_price_is_known_neither_is_the_cost(call):
    """It is not 0."""
    model = ScriptedChatModel(script=[GOOD])

    assert call(with_control(model, policy(), include_result=True), "Which city?").cost is None


def test_a_fallback_model_is_not_asked_beyond_a_limit(call):
    """A prepared answer costs nothing and is given."""
    other, last = ScriptedChatModel(script=[GOOD]), '{"city": "unknown"}'
    limited = policy(
        max_total_tokens=50, fallback=[("model", other), ("chain", other | str), ("canned", last)]
    )

    result = call(
        with_control(ScriptedChatModel(script=[BAD]), limited, include_result=True), "Which city?"
    )

    assert other.calls == []
    assert (result.strategy, result.failure_mode) == ("fallback:canned", "usage_limit_exceeded")


def test_the_limits_hold_for_an_agents_whole_run():
    """A second model call finds nothing left."""
    asking = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "1"}])
    model = ScriptedChatModel(script=[Reply(asking, input_tokens=90, output_tokens=10)])

    def look() -> str:
        """Look."""
        return "seen"

    control = ControlMiddleware(ControlPolicy(usage_limits={"max_total_tokens": 100}))
    agent = create_agent(model, [look], middleware=[control])

    result = agent_result(agent.invoke({"messages": [HumanMessage("Which city?")]}))

    assert len(model.calls) == 1
    assert result.failure_mode == "usage_limit_exceeded"


def test_it_is_raised_like_any_request_without_an_answer(call):
    """As `AttemptsExhausted`, with the mode on it."""
    model = ScriptedChatModel(script=[BAD])

    with pytest.raises(AttemptsExhausted, match="tokens are used up") as caught:
        call(with_control(model, policy(max_total_tokens=1)), "Which city?")

    assert caught.value.failure_mode == "usage_limit_exceeded"


def test_limits_come_from_the_environment():
    """Like any part of a policy."""
    variables = {"LANGCHAIN_CONTROL_USAGE_LIMITS__MAX_TOTAL_TOKENS": "5000"}

    assert ControlPolicy.from_env(environ=variables).usage_limits.max_total_tokens == 5000


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_what_fallback_models_use_counts_too(door):
    """A stand-in that answered wrongly has used its share: the next one is not asked."""
    strategies = [
        ("wrong", ScriptedChatModel(script=[BAD])),
        ("unasked", ScriptedChatModel(script=[])),
        ("canned", GOOD),
    ]
    limited = policy(max_total_tokens=100, prices=PRICES, fallback=strategies)

    result = door(ScriptedChatModel(script=[ModelAuthenticationError("401")]), limited)

    assert [(f["name"], f["outcome"], f["failure_mode"]) for f in result.fallbacks] == [
        ("wrong", "rejected", "schema_violation"),
        ("unasked", "refused", "usage_limit_exceeded"),
        ("canned", "answered", "none"),
    ]
    assert result.usage["total_tokens"] == 100
    assert result.cost == pytest.approx(0.1)


def test_a_policy_changes_one_limit_and_keeps_the_prices():
    """As with any of its parts."""
    priced = ControlPolicy(usage_limits={"prices": PRICES})

    changed = priced.override(usage_limits={"max_cost": 1}).usage_limits

    assert (changed.max_cost, [*changed.prices]) == (1, ["scripted"])


def test_a_fallback_model_has_a_price_under_any_of_its_names(call):
    """Its provider answers under another name than the one it was configured with."""
    answer = AIMessage(GOOD, response_metadata={"model_name": "scripted@eu"})
    other = ScriptedChatModel(script=[Reply(answer, input_tokens=90, output_tokens=10)])
    priced = policy(prices=PRICES, fallback=[("other", other)])
    model = ScriptedChatModel(script=[ModelAuthenticationError("401")])

    result = call(with_control(model, priced, include_result=True), "Which city?")

    assert (result.model, result.cost) == ("scripted@eu", pytest.approx(0.1))


def test_a_fallback_model_that_reports_no_tokens_has_them_counted(call):
    """As attempts have; a text in its place has none."""
    silent = ScriptedChatModel(script=["no"], usage=False)
    model = ScriptedChatModel(script=[ModelAuthenticationError("401")])
    rules = policy(fallback=[("silent", silent), ("canned", GOOD)])

    result = call(with_control(model, rules, include_result=True), "Which city?")

    counted, canned = result.fallbacks
    assert counted["input_tokens"] > 0
    assert counted["output_tokens"] > 0
    assert (canned["input_tokens"], canned["output_tokens"]) == (0, 0)


TOLD = {
    "type": "json_schema",
    "json_schema": {
        "name": "City",
        "strict": True,
        "schema": {**CITY, "additionalProperties": False},
    },
}


@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_what_a_client_raises_over_counts(door):
    """Of a request with a response format OpenAI's client raises for an answer cut off."""
    provider = Provider({"content": '{"city": "Par', "finish_reason": "length"})
    model = provider.model(model_kwargs={"response_format": TOLD})
    other = provider.model(model="other", model_kwargs={"response_format": TOLD})

    result = door(model, policy(max_total_tokens=4, fallback=[("other", other)]))
    stand_in = door(
        ScriptedChatModel(script=[ModelAuthenticationError("401")]),
        policy(fallback=[("other", other)]),
    )

    assert result.failure_mode == "usage_limit_exceeded"
    assert [a["failure_mode"] for a in result.attempts] == ["truncated"] * 2
    assert result.usage["total_tokens"] == 4
    assert stand_in.usage["total_tokens"] == 2


@pytest.mark.parametrize("usage", [True, False], ids=["reported", "counted"])
@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_an_answer_from_a_cache_uses_nothing(door, usage):
    """No call was made for it."""
    model = ScriptedChatModel(script=[GOOD], usage=usage, cache=InMemoryCache())

    called, cached = [door(model, policy(prices=PRICES)) for _ in range(2)]

    assert called.usage["total_tokens"] > 0
    assert (cached.status, cached.usage["total_tokens"], cached.cost) == ("accepted", 0, None)
    assert len(model.calls) == 1


ODD = [{"model_name": 5}, {"logprobs": {"content": [{"logprob": -1e308}] * 2}}]


@pytest.mark.parametrize("metadata", ODD, ids=list)
@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_what_no_provider_should_report_counts_as_not_reported(door, metadata):
    """It got out as an exception after a good answer had come, which had been paid."""
    answer = AIMessage(GOOD, response_metadata={"finish_reason": "stop", **metadata})

    result = door(ScriptedChatModel(script=[answer] * 2), policy(prices=PRICES))

    assert result.status == "accepted"
    assert result.model == "scripted"
    assert result.cost is not None


@pytest.mark.filterwarnings("ignore:.*already retries")
@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_what_a_controlled_model_without_an_answer_used_counts(door):
    """It counted as nothing: the outer limits let it go on for ever."""
    model = ScriptedChatModel(script=[BAD] * 9)
    inner = with_control(
        model,
        ControlPolicy(
            validator=ResponseValidator(response_schema=CITY),
            retry=RetryEngine(max_attempts=2, **AT_ONCE),
        ),
    )

    result = door(inner, policy(max_total_tokens=150, prices=PRICES))

    assert result.failure_mode == "usage_limit_exceeded"
    assert len(model.calls) == 2
    assert result.usage == {"input_tokens": 180, "output_tokens": 20, "total_tokens": 200}
    assert result.cost == pytest.approx(0.2)
