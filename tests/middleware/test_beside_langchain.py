"""Beside LangChain's own middleware, before and after it in the list."""

from __future__ import annotations

import pytest
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelCallLimitMiddleware,
    ModelFallbackMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
    ToolRetryMiddleware,
    hook_config,
)
from langchain_core.exceptions import ModelAuthenticationError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_control import FallbackRouter, ResponseValidator
from langchain_control.middleware import agent_result
from langchain_control.strategies import HumanAnswer
from langchain_control.testing import ScriptedChatModel
from tests.middleware.agents import (
    THREAD,
    agent_of,
    ask,
    audited,
    calling,
    policy,
    tool_call,
    types,
)
from tests.scenarios import ATTACK

RIGHT_CALL = calling(tool_call("weather", city="Oslo"))
WRONG_CALL = calling(tool_call("weather", town="Oslo"))


@pytest.fixture(params=["before", "after"])
def beside(request):
    """Make an agent with another middleware before or after the control layer."""

    def make(script, other, rules=None, **options):
        return agent_of(script, rules, **{request.param: [other]}, **options)

    make.order = request.param
    return make


def test_pii_is_redacted_and_the_answer_controlled(call, beside):
    """The model sees the redacted question; its wrong answer is corrected."""
    pii = PIIMiddleware("email", strategy="redact")
    rules = policy(validator=ResponseValidator(must_contain=["sunny"]))
    agent, model = beside(["Rain.", "It is sunny."], pii, rules)

    state = call(agent, ask("I am a@b.org. How is Oslo?"))

    assert "a@b.org" not in str(model.calls)
    assert state["messages"][-1].content == "It is sunny."
    assert len(model.calls) == 2


def test_a_summary_never_meets_a_blocked_attack(call, beside):
    """What is summarized is the history as screened."""
    writer = ScriptedChatModel(script=lambda _: "They greeted each other.")
    summary = SummarizationMiddleware(writer, trigger=("messages", 4), keep=("messages", 1))
    agent, model = beside(["Fine."], summary)
    history = [HumanMessage(ATTACK), AIMessage("No."), HumanMessage("Hi."), AIMessage("Hi.")]

    state = call(agent, {"messages": [*history, HumanMessage("How is Oslo?")]})

    assert agent_result(state).status == "accepted"
    assert len(writer.calls) == 1
    assert "previous instructions" not in str([*writer.calls, *model.calls])
    assert "They greeted each other." in str(model.calls[0])


def test_a_call_limit_counts_answers_not_attempts(call, beside):
    """Retries are the control layer's; the limit counts what reaches the history."""
    limit = ModelCallLimitMiddleware(run_limit=2)
    agent, model = beside([WRONG_CALL, RIGHT_CALL, "", "Sunny."], limit)

    state = call(agent, ask())

    assert state["messages"][-1].content == "Sunny."
    assert len(model.calls) == 4


def test_a_call_limit_ends_an_agent_that_goes_round_its_tools(call, beside):
    """Right calls for ever are no failure of an answer; the limit ends them, the trail closes."""
    limit = ModelCallLimitMiddleware(run_limit=3)
    agent, model = beside(lambda _: RIGHT_CALL, limit)

    state = call(agent, ask())

    assert len(model.calls) == 3
    assert "limit" in state["messages"][-1].text


def test_langchains_fallback_models_take_over(call, beside):
    """Inside, another model answers before the control layer hears of it; outside, afterwards."""
    second = ScriptedChatModel(script=["Sunny."], model_name="second")
    agent, model = beside(
        [ModelAuthenticationError("401")],
        ModelFallbackMiddleware(second),
        control={"exit_behavior": "error"},
    )

    state = call(agent, ask())

    assert state["messages"][-1].content == "Sunny."
    assert agent_result(state).status == "accepted"
    assert (len(model.calls), len(second.calls)) == (1, 1)


class Changing(AgentMiddleware):
    """Changes what a model is asked with, as `dynamic_prompt` and a choice of model do."""

    def __init__(self, **changes):
        super().__init__()
        self.changes = changes

    def wrap_model_call(self, request, handler):
        return handler(request.override(**self.changes))

    async def awrap_model_call(self, request, handler):
        return await handler(request.override(**self.changes))


def test_a_prompt_made_before_keeps_the_constraints(call):
    """Made after the control layer, it would have the last word."""
    rules = policy(prompt={"constraints": ["Never name prices"]})
    told = Changing(system_message=SystemMessage("Be kind."))
    agent, model = agent_of(["Sunny."], rules, before=[told])

    call(agent, ask())

    assert model.calls[0][0].text.startswith("Be kind.")
    assert "Never name prices" in model.calls[0][0].text


def test_a_model_chosen_before_makes_room_for_the_one_in_its_place(call):
    """Chosen after the control layer, it would answer for every other model, under its name."""
    chosen = ScriptedChatModel(script=[TimeoutError()], model_name="chosen")
    backup = ScriptedChatModel(script=["Sunny."], model_name="backup")
    rules = policy(retry={"max_attempts": 1}, fallback=FallbackRouter(strategies=[("b", backup)]))
    agent, own = agent_of([], rules, before=[Changing(model=chosen)])

    result = agent_result(call(agent, ask()))

    assert [tried["model"] for tried in (*result.attempts, *result.fallbacks)] == [
        "chosen",
        "backup",
    ]
    assert [len(model.calls) for model in (own, chosen, backup)] == [0, 1, 1]


def test_retries_of_tools_after_are_one_call(call):
    """Before the control layer they would see no error: it makes them values."""
    tries = []

    @tool
    def flaky(city: str) -> str:
        """Fail at first."""
        tries.append(city)
        if len(tries) < 3:
            raise ConnectionError
        return "Sunny."

    rules, sink = audited()
    again = ToolRetryMiddleware(max_retries=3, initial_delay=0, jitter=False)
    script = [calling(tool_call("flaky", city="Oslo")), "Sunny."]
    agent, _ = agent_of(script, rules, after=[again], tools=[flaky])

    state = call(agent, ask())

    assert (len(tries), state["messages"][2].text) == (3, "Sunny.")
    [told] = [r for r in sink.records if r["event"] == "control.tool_called"]
    assert told["status"] == "answered"


class Doorkeeper(AgentMiddleware):
    """Ends every run but the first before it begins."""

    @hook_config(can_jump_to=["end"])
    def before_agent(self, state, runtime):
        return {"jump_to": "end"} if len(state["messages"]) > 2 else None


def test_a_run_that_others_end_first_is_not_told_as_the_one_before(call):
    """On a thread, the trail does not close the earlier request a second time."""
    rules, sink = audited()
    agent, _ = agent_of(["Fine."], rules, before=[Doorkeeper()], checkpointer=InMemorySaver())

    call(agent, ask(), THREAD)
    call(agent, ask(), THREAD)

    assert [r["event"] for r in sink.records] == ["control.attempt", "control.finished"]


DECISIONS = {
    "approve": ({"type": "approve"}, "It is sunny in Oslo."),
    "edit": (
        {
            "type": "edit",
            "edited_action": {"name": "weather", "args": {"city": "Rome"}},
        },
        "It is sunny in Rome.",
    ),
    "reject": ({"type": "reject", "message": "Better not."}, "Better not."),
}


@pytest.mark.parametrize(("decision", "said"), DECISIONS.values(), ids=DECISIONS)
def test_a_person_decides_about_tool_calls_that_were_accepted(call, beside, decision, said):
    """Only a corrected call is put to the person, once, and no model call is repeated."""
    review = HumanInTheLoopMiddleware(interrupt_on={"weather": True})
    agent, model = beside([WRONG_CALL, RIGHT_CALL, "Done."], review, checkpointer=InMemorySaver())

    paused = call(agent, ask(), THREAD)
    state = call(agent, Command(resume={"decisions": [decision]}), THREAD)

    [request] = paused["__interrupt__"][0].value["action_requests"]
    assert request["args"] == {"city": "Oslo"}
    assert any(said in m.text for m in state["messages"] if m.type == "tool")
    assert state["messages"][-1].content == "Done."
    assert len(model.calls) == 3
    assert agent_result(state).status == "accepted"


def test_two_people_may_be_asked(call, beside):
    """A fallback's person and the reviewer of tool calls do not get in each other's way."""
    review = HumanInTheLoopMiddleware(interrupt_on={"weather": True})
    rules = policy(
        retry={"max_attempts": 1}, fallback=FallbackRouter(strategies=[("person", HumanAnswer())])
    )
    agent, model = beside([RIGHT_CALL, ""], review, rules, checkpointer=InMemorySaver())

    call(agent, ask(), THREAD)
    second = call(agent, Command(resume={"decisions": [{"type": "approve"}]}), THREAD)
    state = call(agent, Command(resume="Sunny, I think."), THREAD)

    assert second["__interrupt__"][0].value["failure_mode"] == "constraint_violation"
    assert types(state) == ["human", "ai", "tool", "ai"]
    assert state["messages"][-1].content == "Sunny, I think."
    assert len(model.calls) == 2
