"""`before_agent`: what a user says is judged before the agent does anything."""

from __future__ import annotations

import asyncio

import pytest
from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain_core.exceptions import ModelAuthenticationError
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_control import FailureMode, FallbackRouter, InputGuard, RateLimiter
from langchain_control.errors import AttemptsExhausted, InputRejected, RateLimited
from langchain_control.middleware import agent_result
from langchain_control.runs.screening import WITHHELD
from langchain_control.strategies import HumanAnswer
from langchain_control.testing import ScriptedChatModel
from tests.middleware.agents import (
    HARMLESS,
    THREAD,
    Forecast,
    agent_of,
    ask,
    audited,
    policy,
    types,
)
from tests.scenarios import ATTACK


def test_a_rejection_ends_the_run_with_a_named_result_and_no_model_call(call):
    """An attack costs no model call; the state names what happened."""
    agent, model = agent_of([])

    state = call(agent, ask(ATTACK))

    result = agent_result(state)
    assert (result.status, result.failure_mode) == ("rejected", FailureMode.PROMPT_INJECTION)
    assert result.step == "guard"
    assert state["messages"][-1].response_metadata["control_status"] == "rejected"
    assert model.calls == []


def test_a_rejection_can_be_an_exception(call):
    """With `exit_behavior="error"` the same rejection is raised, and told to the trail."""
    rules, sink = audited()
    agent, _ = agent_of([], rules, control={"exit_behavior": "error"})

    with pytest.raises(InputRejected) as caught:
        call(agent, ask(ATTACK))

    assert caught.value.failure_mode is FailureMode.PROMPT_INJECTION
    assert [r["event"] for r in sink.records] == ["control.blocked", "control.finished"]


def test_a_raised_error_names_its_cause(call):
    """What the provider said was lost on the way out of an agent."""
    down = ModelAuthenticationError("no such key")
    agent, _ = agent_of([down], control={"exit_behavior": "error"})

    with pytest.raises(AttemptsExhausted) as caught:
        call(agent, ask())

    assert caught.value.__cause__ is down


def test_an_unknown_exit_behavior_is_an_error():
    """A misspelt option fails at construction."""
    with pytest.raises(ValueError, match="exit_behavior"):
        agent_of([], control={"exit_behavior": "explode"})


def test_a_blocked_attack_does_not_come_back_as_history(call):
    """On the next turn of the thread, neither the model nor anything else meets the attack."""
    agent, model = agent_of(["Fine."], checkpointer=InMemorySaver())

    call(agent, ask(ATTACK), THREAD)
    state = call(agent, ask(), THREAD)

    assert agent_result(state).status == "accepted"
    assert types(state) == ["human", "ai", "human", "ai"]
    assert not any("previous instructions" in m.text for m in [*model.calls[0], *state["messages"]])


@pytest.mark.parametrize("fallback", [None, "Sorry."])
def test_a_rejected_turn_has_no_structured_response(call, fallback):
    """On a thread it kept the one of the turn before, as if the attack had been answered."""
    stand_ins = [("canned", fallback)] if fallback else []
    rules = policy(fallback=FallbackRouter(strategies=stand_ins, answer_blocked_input=True))
    agent, _ = agent_of(
        ['{"city": "Oslo", "degrees": 7}'],
        rules,
        response_format=Forecast,
        checkpointer=InMemorySaver(),
    )
    first = call(agent, ask(), THREAD)
    assert first["structured_response"] == Forecast(city="Oslo", degrees=7)

    state = call(agent, ask(ATTACK), THREAD)

    assert agent_result(state).status == ("fallback" if fallback else "rejected")
    assert state["structured_response"] is None


def test_attacks_in_the_history_are_withheld_in_their_place(call):
    """An earlier attack does not block a harmless question, and does not reach the model."""
    agent, model = agent_of(["Fine."])
    history = [HumanMessage(ATTACK), AIMessage("No."), HumanMessage(HARMLESS)]

    state = call(agent, {"messages": history})

    assert [m.text for m in model.calls[0]] == [WITHHELD, "No.", HARMLESS]
    assert agent_result(state).status == "accepted"


def test_the_question_reaches_the_model_sanitized(call):
    """Invisible characters are gone from the question, in the model's prompt and in the state."""
    agent, model = agent_of(["Fine."])

    state = call(agent, ask("How is\u200b it?"))

    assert model.calls[0][0].text == state["messages"][0].text == "How is it?"


def limited():
    limiter = RateLimiter(requests_per_minute=1, key=lambda config: config["configurable"]["user"])
    return policy(limiter=limiter)


def test_the_rate_limit_holds_per_user(call):
    """A user over the limit is turned away; another one is served."""
    agent, model = agent_of(["Fine."] * 2, limited())

    states = [call(agent, ask(), {"configurable": {"user": user}}) for user in ("a", "a", "b")]

    assert [agent_result(s).status for s in states] == ["accepted", "rejected", "accepted"]
    assert agent_result(states[1]).failure_mode is FailureMode.RATE_LIMITED
    assert len(model.calls) == 2


def test_a_rate_limit_error_says_when_to_come_back(call):
    """Raised, a rejection of the limiter carries `retry_after`."""
    agent, _ = agent_of(["Fine."], limited(), control={"exit_behavior": "error"})
    user = {"configurable": {"user": "a"}}
    call(agent, ask(), user)

    with pytest.raises(RateLimited) as caught:
        call(agent, ask(), user)

    assert caught.value.retry_after > 0


def test_the_tokens_of_the_whole_run_are_settled(call):
    """What the limiter had estimated is replaced by what all model calls used."""
    limiter = RateLimiter(tokens_per_minute=1000, answer_tokens=900)
    agent, _ = agent_of(["Fine."] * 2, policy(limiter=limiter))

    states = [call(agent, ask()) for _ in range(2)]

    assert [agent_result(s).status for s in states] == ["accepted", "accepted"]


def test_a_blocked_input_is_answered_where_the_policy_says_so(call):
    """With `answer_blocked_input` a fallback answers, and the run ends there."""
    fallback = FallbackRouter(strategies=[("no", "I cannot do that.")], answer_blocked_input=True)
    agent, model = agent_of([], policy(fallback=fallback))

    state = call(agent, ask(ATTACK))

    assert state["messages"][-1].content == "I cannot do that."
    assert agent_result(state).status == "fallback"
    assert model.calls == []


def test_a_run_without_messages_of_a_person_is_none_of_the_guards_business():
    """An agent that is handed answers alone is not blocked for lack of a question."""
    agent, _ = agent_of(["Fine."])

    state = asyncio.run(agent.ainvoke({"messages": [AIMessage("Hello.")]}))

    assert agent_result(state).status == "accepted"


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_person_who_answers_a_blocked_input_is_asked_once(call, place):
    """The pause was within the opening: on resume the limiter turned the run away."""
    asked = []
    strategies = [("silent", asked.append), ("person", HumanAnswer())]
    rules, sink = audited(
        limiter=RateLimiter(requests_per_minute=1),
        fallback=FallbackRouter(strategies=strategies, answer_blocked_input=True),
    )
    limit = ModelCallLimitMiddleware(run_limit=1)
    agent, model = agent_of([], rules, checkpointer=InMemorySaver(), **{place: [limit]})

    paused = call(agent, ask(ATTACK), THREAD)
    state = call(agent, Command(resume="A person answers."), THREAD)

    shown = paused["__interrupt__"][0].value
    result = agent_result(state)
    assert (shown["failure_mode"], shown["question"]) == ("prompt_injection", ATTACK)
    assert (result.status, result.failure_mode) == ("fallback", FailureMode.PROMPT_INJECTION)
    assert result.request_id == shown["request_id"]
    assert [m.text for m in state["messages"]] == [WITHHELD, "A person answers."]
    assert asked == [ATTACK]
    assert [f["name"] for f in result.fallbacks] == ["silent", "person"]
    assert {r["request_id"] for r in sink.records} == {result.request_id}
    assert model.calls == []


def test_a_blocked_input_that_nobody_answers_is_rejected(call):
    """As without anybody to ask."""
    fallback = FallbackRouter(strategies=[("person", HumanAnswer())], answer_blocked_input=True)
    agent, model = agent_of([], policy(fallback=fallback), checkpointer=InMemorySaver())

    call(agent, ask(ATTACK), THREAD)
    result = agent_result(call(agent, Command(resume=""), THREAD))

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.PROMPT_INJECTION)
    assert model.calls == []


def test_whoever_answers_a_blocked_input_after_a_person_has_no_tools(call):
    """An attacker must not reach them by a pause: without one, nobody has them either."""
    last = ScriptedChatModel(script=["No."])
    strategies = [("person", HumanAnswer()), ("last", last)]
    fallback = FallbackRouter(strategies=strategies, answer_blocked_input=True)
    agent, _ = agent_of([], policy(fallback=fallback), checkpointer=InMemorySaver())

    call(agent, ask(ATTACK), THREAD)
    result = agent_result(call(agent, Command(resume=""), THREAD))

    assert result.strategy == "fallback:last"
    assert [[m.text for m in messages] for messages in last.calls] == [[WITHHELD]]


@pytest.mark.parametrize(("when_fails", "times"), [("block", 1), ("pass", 2)])
def test_the_history_is_judged_once(call, when_fails, times):
    """Every run judged all of it anew; only where a detector may fail unnoticed it still must."""
    seen = []
    detectors = (*InputGuard().detectors, lambda text: seen.append(text) or ())
    guard = InputGuard(detectors=detectors, when_detector_fails=when_fails)
    agent, _ = agent_of(lambda _: "Fine.", policy(guard=guard))
    history = [HumanMessage("Hello there."), AIMessage("Hello.")]

    for question in ("How are you?", "And now?"):
        call(agent, {"messages": [*history, HumanMessage(question)]})

    assert seen.count("Hello there.") == times
    assert {"How are you?", "And now?"} <= set(seen)


def test_an_edited_history_is_judged(call):
    """A message that was changed under its id is as new as any."""
    agent, model = agent_of(lambda _: "Fine.", checkpointer=InMemorySaver())
    first = call(agent, ask(), THREAD)["messages"][0]
    agent.update_state(THREAD, {"messages": [first.model_copy(update={"content": ATTACK})]})

    state = call(agent, ask(), THREAD)

    assert state["messages"][0].text == WITHHELD
    assert ATTACK not in str(model.calls)
