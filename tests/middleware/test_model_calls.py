"""`wrap_model_call`: bounded attempts around the handler, and nothing rejected in the history."""

from __future__ import annotations

import asyncio
import json
from datetime import date

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import AutoStrategy, ProviderStrategy, ToolStrategy
from langchain_core.exceptions import ModelAuthenticationError, ModelTimeoutError
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import BaseModel, field_serializer

from langchain_control import (
    CircuitBreaker,
    FailureMode,
    FallbackRouter,
    PromptBuilder,
    RateLimiter,
    ResponseValidator,
    RetryEngine,
    TokenBudget,
)
from langchain_control.components.bulkhead import Bulkhead
from langchain_control.errors import AttemptsExhausted
from langchain_control.middleware import ControlMiddleware, agent_result
from langchain_control.strategies import HumanAnswer, other_model
from langchain_control.testing import Reply, Script, ScriptedChatModel
from tests.middleware.agents import (
    THREAD,
    Forecast,
    agent_of,
    ask,
    calling,
    policy,
    tool_call,
    types,
    weather,
)
from tests.openai_provider import Provider
from tests.scenarios import AT_ONCE, CITY, GOOD

FORECAST = {"city": "Oslo", "degrees": 7}
TEXT = '{"city": "Oslo", "degrees": 7}'
RIGHT_CALL = calling(tool_call("weather", city="Oslo"))
WRONG_CALL = calling(tool_call("weather", town="Oslo"))


# --- answers --------------------------------------------------------------------------------------


def test_only_the_accepted_answer_enters_the_history(call):
    """Neither a rejected answer nor the correction is in the agent's messages."""
    rules = policy(validator=ResponseValidator(response_schema=CITY))
    agent, model = agent_of(["no json", GOOD], rules)

    state = call(agent, ask())

    assert types(state) == ["human", "ai"]
    assert state["messages"][-1].content == '{"city":"Paris"}'
    assert state["messages"][-1].additional_kwargs["parsed"] == {"city": "Paris"}
    assert "was not accepted" in model.calls[1][-1].text


def test_tool_calls_are_judged_by_their_schemas_not_by_content_rules(call):
    """Content rules wait for the answer; a call with arguments that fit passes."""
    rules = policy(validator=ResponseValidator(must_contain=["sunny"], min_length=5))
    agent, model = agent_of([RIGHT_CALL, "It is sunny."], rules)

    state = call(agent, ask())

    assert types(state) == ["human", "ai", "tool", "ai"]
    assert len(model.calls) == 2


@pytest.mark.parametrize(
    "wrong",
    [WRONG_CALL, calling(tool_call("wether", city="Oslo"))],
    ids=["arguments", "name"],
)
def test_a_wrong_tool_call_is_corrected_before_it_is_made(call, wrong):
    """Bad arguments and unknown tools cost a retry, and leave no trace in the history."""
    agent, model = agent_of([wrong, RIGHT_CALL, "Sunny."])

    state = call(agent, ask())

    assert types(state) == ["human", "ai", "tool", "ai"]
    assert state["messages"][2].content == "It is sunny in Oslo."
    assert "weather" in model.calls[1][-1].text


def test_arguments_are_converted_as_the_tool_would():
    """A number written as text is what the tool itself accepts: no reason for a retry."""

    @tool
    def double(n: int) -> int:
        """Double a number."""
        return 2 * n

    agent, model = agent_of([calling(tool_call("double", n="4")), "Eight."], tools=[double])

    assert agent.invoke(ask())["messages"][2].content == "8"
    assert len(model.calls) == 2


def test_the_corrected_prompt_keeps_the_agents_list_as_it_is(call):
    """The correction is added at the end; system message and history stay in their order."""
    agent, model = agent_of([RIGHT_CALL, "", "Sunny."], system_prompt="You know the weather.")

    call(agent, ask())

    first, again = model.calls[1], model.calls[2]
    assert again[:-1] == first
    assert [m.type for m in again] == ["system", "human", "ai", "tool", "human"]


def test_the_policys_words_join_the_agents_system_message(call):
    """System prompt and constraints of the policy are said once, around the agent's own."""
    prompt = PromptBuilder(system_prompt="Be brief.", constraints=["No jokes."])
    agent, model = agent_of(["Sunny."], policy(prompt=prompt), system_prompt="You know it.")

    call(agent, ask())

    [system, question] = model.calls[0]
    assert isinstance(system, SystemMessage)
    assert [part in system.text for part in ("Be brief.", "You know it.", "1. No jokes.")] == [
        1
    ] * 3
    assert system.text.index("Be brief.") < system.text.index("You know it.")
    assert question.type == "human"


# --- bounds ---------------------------------------------------------------------------------------

STRATEGIES = {
    "none": None,
    "tool": ToolStrategy(Forecast),
    "provider": ProviderStrategy(Forecast),
    "auto": AutoStrategy(Forecast),
    "raw": Forecast,
    "dict": ToolStrategy(Forecast.model_json_schema()),
    "strict": ToolStrategy(Forecast, handle_errors=False),
}
HOPELESS = {
    "prose": "It is sunny.",
    "wrong call": calling(tool_call("Forecast", city="Oslo", degrees="warm")),
    "wrong json": '{"city": "Oslo"}',
    "two calls": calling(
        tool_call("Forecast", id="1", **FORECAST), tool_call("Forecast", id="2", **FORECAST)
    ),
}


@pytest.mark.parametrize("answer", HOPELESS.values(), ids=HOPELESS)
@pytest.mark.parametrize("strategy", list(STRATEGIES)[1:])
def test_a_model_that_never_answers_rightly_ends_after_max_attempts(strategy, answer):
    """Whatever the strategy and however wrong the answers, the run ends with a named failure."""
    agent, model = agent_of(lambda _: answer, response_format=STRATEGIES[strategy])

    state = agent.invoke(ask())

    result = agent_result(state)
    assert (result.status, result.failure_mode) == ("exhausted", FailureMode.SCHEMA_VIOLATION)
    assert len(model.calls) == 3
    assert types(state) == ["human", "ai"]
    assert state.get("structured_response") is None


@pytest.mark.parametrize("strategy", list(STRATEGIES)[1:])
def test_async_ends_the_same_way(strategy):
    """The bound holds in `ainvoke`, too."""
    agent, model = agent_of(lambda _: "It is sunny.", response_format=STRATEGIES[strategy])

    state = asyncio.run(agent.ainvoke(ask()))

    assert agent_result(state).status == "exhausted"
    assert len(model.calls) == 3


def test_a_model_that_always_calls_wrongly_ends_after_max_attempts(call):
    """Without structured output, too, wrong tool calls do not go round for ever."""
    agent, model = agent_of(
        lambda _: WRONG_CALL, policy(retry=RetryEngine(max_attempts=2, **AT_ONCE))
    )

    assert agent_result(call(agent, ask())).status == "exhausted"
    assert len(model.calls) == 2


def test_exhaustion_can_be_an_exception(call):
    """With `exit_behavior="error"` a run without an answer raises, carrying its attempts."""
    agent, _ = agent_of(lambda _: "", control={"exit_behavior": "error"})

    with pytest.raises(AttemptsExhausted) as caught:
        call(agent, ask())

    assert len(caught.value.result.attempts) == 3


def test_a_list_over_the_budget_is_a_failure_before_any_call(call):
    """A budget that was set bounds the whole list, system message included; nothing is cut."""
    prompt = PromptBuilder(budget=TokenBudget(total_tokens=40))
    agent, model = agent_of([], policy(prompt=prompt), system_prompt="word " * 60)

    result = agent_result(call(agent, ask()))

    assert (result.status, result.failure_mode) == ("rejected", FailureMode.TOKEN_OVERFLOW)
    assert result.step == "build"
    assert model.calls == []


def test_the_tools_on_offer_count(call):
    """Their definitions are sent with every call."""
    prompt = PromptBuilder(budget=TokenBudget(total_tokens=60))
    without, _ = agent_of(["Fine."], policy(prompt=prompt), tools=[])
    offered, model = agent_of([], policy(prompt=prompt), tools=[weather, {"type": "web_search"}])

    assert agent_result(call(without, ask())).passed
    assert agent_result(call(offered, ask())).failure_mode is FailureMode.TOKEN_OVERFLOW
    assert model.calls == []


def test_a_budget_that_nobody_set_does_not_bind_an_agent(call):
    """The default of 800 tokens is meant for one question."""
    agent, _ = agent_of(["Fine."], system_prompt="word " * 1000)

    assert agent_result(call(agent, ask())).status == "accepted"


def test_a_correction_that_does_not_fit_is_left_out(call):
    """The list comes first: what is left of the budget is the correction's."""
    prompt = PromptBuilder(budget=TokenBudget(total_tokens=30))
    agent, model = agent_of(["", "Fine."], policy(prompt=prompt), tools=[])

    result = agent_result(call(agent, ask()))

    assert (result.status, result.strategy) == ("accepted", "simple")
    assert [len(messages) for messages in model.calls] == [1, 1]


@pytest.mark.parametrize(
    "prompt",
    [PromptBuilder(), PromptBuilder(budget=TokenBudget(total_tokens=4000))],
    ids=["no budget of its own", "a budget of its own"],
)
def test_a_correction_that_was_sent_is_written_down(call, prompt):
    """The attempt names the correction that stood in its prompt."""
    agent, _ = agent_of(["", "Fine."], policy(prompt=prompt), tools=[])

    result = agent_result(call(agent, ask()))

    assert result.strategy == "prompt_mutation"
    assert [a["mutation"] for a in result.attempts] == [None, "constraint_violation"]


# --- failures of transport ------------------------------------------------------------------------


def test_transport_failures_are_retried(call):
    """A timeout of the provider is tried again."""
    agent, model = agent_of([ModelTimeoutError("t"), ConnectionError(), "Fine."])

    result = agent_result(call(agent, ask()))

    assert [a["failure_mode"] for a in result.attempts] == ["timeout", "model_error", "none"]
    assert len(model.calls) == 3


def test_a_slow_model_is_given_up_in_time():
    """The policy's time limit holds for the call of the handler."""
    agent, _ = agent_of(
        [Reply("late", delay_seconds=0.5)],
        policy(timeout_seconds=0.05, retry=RetryEngine(max_attempts=1)),
    )

    assert agent_result(agent.invoke(ask())).failure_mode is FailureMode.TIMEOUT


def test_an_open_circuit_is_not_asked(call):
    """With the circuit open the run ends at once, with its name."""
    rules = policy(breaker=CircuitBreaker(failure_threshold=1))
    agent, model = agent_of([ModelTimeoutError("t")] * 5, rules)

    results = [agent_result(call(agent, ask())) for _ in range(2)]

    assert results[1].failure_mode is FailureMode.CIRCUIT_OPEN
    assert len(model.calls) == 1


def test_programming_errors_pass(call):
    """What is no failure of a model is raised as it is."""
    agent, _ = agent_of([ZeroDivisionError()])

    with pytest.raises(ZeroDivisionError):
        call(agent, ask())


# --- structured output ----------------------------------------------------------------------------

RIGHT = {
    "tool": calling(tool_call("Forecast", **FORECAST)),
    "provider": TEXT,
    "auto": calling(tool_call("Forecast", **FORECAST)),
    "raw": calling(tool_call("Forecast", **FORECAST)),
    "dict": calling(tool_call("Forecast", **FORECAST)),
    "strict": calling(tool_call("Forecast", **FORECAST)),
}


@pytest.mark.parametrize("strategy", RIGHT)
def test_the_structured_response_is_kept(call, strategy):
    """After a wrong answer the right one gives `structured_response`, as LangChain made it."""
    agent, _ = agent_of(["prose", RIGHT[strategy]], response_format=STRATEGIES[strategy])

    state = call(agent, ask())

    given = state["structured_response"]
    assert (given if isinstance(given, dict) else given.model_dump()) == FORECAST
    assert agent_result(state).status == "accepted"


class Departure(BaseModel):
    """A departure that is dumped as something else than it is read from."""

    day: date

    @field_serializer("day")
    def _german(self, day):
        return day.strftime("%d.%m.%Y")


@pytest.mark.parametrize(
    "said", [calling(tool_call("Departure", day="2024-01-02")), '{"day": "2024-01-02"}']
)
def test_structured_output_is_read_as_its_type_reads_it(call, said):
    """It was put through the serializers of its type, and broke the contract then."""
    agent, _ = agent_of([said], response_format=ToolStrategy(Departure))

    state = call(agent, ask())

    assert state.get("structured_response") == Departure(day=date(2024, 1, 2))


@pytest.mark.parametrize("strategy", ["tool", "provider", "auto"])
def test_json_in_a_fence_is_no_reason_for_another_call(call, strategy):
    """Structured output that came as text counts if it is right."""
    fenced = f"Here you are:\n```json\n{TEXT}\n```"
    agent, model = agent_of([fenced], response_format=STRATEGIES[strategy])

    state = call(agent, ask())

    assert state["structured_response"] == Forecast(**FORECAST)
    assert len(model.calls) == 1


def test_a_missing_last_bracket_is_judged_in_an_agent_as_in_a_chain(call):
    """Where the structure shows that nothing else is missing it is forgiven, else told of."""
    rules = policy(retry={"max_attempts": 1})
    unsaid = {"finish_reason": None}
    short = AIMessage('{"degrees": 7, "city": "Oslo"', response_metadata=unsaid)
    cut = AIMessage('{"city": "Oslo", "degrees": 7', response_metadata=unsaid)

    agent, _ = agent_of([short], rules, response_format=STRATEGIES["tool"])
    assert call(agent, ask())["structured_response"] == Forecast(**FORECAST)

    agent, _ = agent_of([cut], rules, response_format=STRATEGIES["tool"])
    assert agent_result(call(agent, ask())).failure_mode is FailureMode.TRUNCATED


GUESS = f"First guess: {TEXT}. Let me check that aga"
UNFIT = {
    "cut off": (GUESS, {"finish_reason": "length"}, FailureMode.TRUNCATED),
    "filtered": (TEXT, {"finish_reason": "content_filter"}, FailureMode.REFUSAL),
    "broken off": (
        GUESS,
        {"finish_reason": None, "model_provider": "openai"},
        FailureMode.MODEL_ERROR,
    ),
}


@pytest.mark.parametrize("strategy", ["tool", "provider", "auto", "raw", "dict"])
@pytest.mark.parametrize("unfit", UNFIT)
def test_structured_output_as_text_ends_as_any_answer_must(call, strategy, unfit):
    """A first guess out of an answer that was cut off became the agent's `structured_response`."""
    text, ending, mode = UNFIT[unfit]
    rules = policy(retry={"max_attempts": 1})
    answer = AIMessage(text, response_metadata=ending)
    agent, _ = agent_of([answer], rules, response_format=STRATEGIES[strategy])

    state = call(agent, ask())

    assert agent_result(state).failure_mode is mode
    assert state.get("structured_response") is None


def test_a_refusal_that_quotes_the_structure_is_no_structured_output(call):
    """OpenAI's `refusal` stands beside the content, and was not looked at."""
    provider = Provider({"content": TEXT, "refusal": "I will not."})
    made = ControlMiddleware(policy(retry={"max_attempts": 1}))
    agent = create_agent(
        provider.model(), response_format=ProviderStrategy(Forecast), middleware=[made]
    )

    state = call(agent, ask())

    assert agent_result(state).failure_mode is FailureMode.REFUSAL
    assert state.get("structured_response") is None


@pytest.mark.parametrize("repair", ["strict", "agreed"])
def test_structured_output_is_mended_as_the_policy_has_it(call, repair):
    """`repair="strict"` was for the plain validator alone: agents took what it refuses."""
    rules = policy(validator=ResponseValidator(repair=repair), retry={"max_attempts": 1})
    agent, _ = agent_of(
        ["{'city': 'Oslo', degrees: 7,}"], rules, response_format=STRATEGIES["tool"]
    )

    state = call(agent, ask())

    assert agent_result(state).passed is (repair == "agreed")


def test_the_policys_rules_hold_for_structured_output(call):
    """Rules for content judge the structured answer as JSON, whichever way it came."""
    rules = policy(validator=ResponseValidator(forbidden_phrases=["Oslo"]))
    agent, _ = agent_of(lambda _: RIGHT["tool"], rules, response_format=STRATEGIES["tool"])

    result = agent_result(call(agent, ask()))

    assert result.failure_mode is FailureMode.CONSTRAINT_VIOLATION


def test_tools_and_structured_output_go_together(call):
    """An agent may use its tools first and answer in structure later."""
    agent, _ = agent_of([RIGHT_CALL, RIGHT["tool"]], response_format=STRATEGIES["tool"])

    state = call(agent, ask())

    assert state["structured_response"] == Forecast(**FORECAST)
    assert types(state) == ["human", "ai", "tool", "ai", "tool"]


# --- fallbacks ------------------------------------------------------------------------------------


class KnowsTools(ScriptedChatModel):
    """Calls the tool that it is given, and talks without one."""

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self.script = Script([RIGHT_CALL if kwargs.get("tools") else "What tools?"])
        return super()._generate(messages, stop, run_manager)

    async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
        return self._generate(messages, **kwargs)


STAND_INS = {
    "a model": lambda model: model,
    "with arguments": lambda model: model.bind(temperature=0),
    "other_model": other_model,
    "with a circuit": lambda model: other_model(model, breaker=CircuitBreaker()),
    "with a limit": lambda model: other_model(model, limiter=RateLimiter(requests_per_minute=9)),
    "wrapped": lambda model: Bulkhead().wrap(CircuitBreaker().wrap(model)),
}


@pytest.mark.parametrize("stand_in", STAND_INS.values(), ids=STAND_INS)
def test_another_model_is_asked_with_the_agents_tools(call, stand_in):
    """A fallback model answers in the first one's place, tools bound, and the agent goes on."""
    second = KnowsTools(script=[], model_name="second")
    rules = policy(fallback=FallbackRouter(strategies=[("second", stand_in(second))]))
    agent, _ = agent_of([ModelAuthenticationError("401"), "Sunny."], rules)

    state = call(agent, ask())

    assert types(state) == ["human", "ai", "tool", "ai"]
    assert state["messages"][1].response_metadata["control_fallback"] == "second"
    assert [f["model"] for f in agent_result(state).fallbacks] == ["second"]


def test_a_stand_in_that_is_down_is_not_called_again(call):
    """Its circuit holds for all calls of the agent, and for the next run."""
    down = ScriptedChatModel(script=[ModelTimeoutError("t")], model_name="down")
    rules = policy(
        breaker=CircuitBreaker(failure_threshold=1),
        fallback=FallbackRouter(strategies=[("down", down), ("canned", "Sorry.")]),
    )
    agent, _ = agent_of([ModelAuthenticationError("401")] * 2, rules)

    tries = [agent_result(call(agent, ask())).fallbacks[0] for _ in range(2)]

    assert [tried["outcome"] for tried in tries] == ["crashed", "refused"]
    assert len(down.calls) == 1


def test_a_fallback_gives_structured_output_too(call):
    """A text that meets the schema becomes the `structured_response`."""
    rules = policy(fallback=FallbackRouter(strategies=[("canned", TEXT)]))
    agent, _ = agent_of(lambda _: "prose", rules, response_format=STRATEGIES["tool"])

    state = call(agent, ask())

    assert state["structured_response"] == Forecast(**FORECAST)
    assert agent_result(state).status == "fallback"


def human(**changes):
    strategies = [*changes.pop("first", ()), ("person", HumanAnswer()), ("canned", GOOD)]
    return policy(fallback=FallbackRouter(strategies=strategies), **changes)


def test_a_person_answers_without_another_model_call(call):
    """The agent pauses in a step of its own; on resume the answer is accepted, no call repeated."""
    small = ScriptedChatModel(script=[""])
    rules = human(first=[("small", small)], validator=ResponseValidator(response_schema=CITY))
    agent, model = agent_of(["no"] * 3, rules, checkpointer=InMemorySaver())

    paused = call(agent, ask(), THREAD)
    state = call(agent, Command(resume={"city": "Rome"}), THREAD)

    assert paused["__interrupt__"][0].value["failure_mode"] == "schema_violation"
    assert types(state) == ["human", "ai"]
    assert state["messages"][-1].content == '{"city":"Rome"}'
    assert agent_result(state).strategy == "fallback:person"
    assert (len(model.calls), len(small.calls)) == (3, 1)
    assert len(agent_result(state).attempts) == 3


def test_a_person_who_breaks_the_contract_is_not_the_last_word(call):
    """An answer that does not meet the contract goes on to the next strategy."""
    rules = human(validator=ResponseValidator(response_schema=CITY))
    agent, _ = agent_of(["no"] * 3, rules, checkpointer=InMemorySaver())

    call(agent, ask(), THREAD)
    state = call(agent, Command(resume="dunno"), THREAD)

    assert agent_result(state).strategy == "fallback:canned"


@pytest.mark.parametrize(
    ("reply", "said"),
    [(AIMessage(GOOD), {"city": "Paris"}), (Forecast(**FORECAST), FORECAST)],
    ids=["message", "object"],
)
def test_a_person_may_answer_what_any_strategy_may(call, reply, said):
    """Anything but JSON was a `TypeError`, in this invocation and in all that came after."""
    agent, _ = agent_of([""] * 3, human(), checkpointer=InMemorySaver())

    call(agent, ask(), THREAD)
    state = call(agent, Command(resume=reply), THREAD)

    assert agent_result(state).strategy == "fallback:person"
    assert json.loads(state["messages"][-1].text) == said


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(HumanMessage(GOOD), "HumanMessage"), ({"due": date(2026, 1, 1)}, "dict")],
)
def test_what_is_no_answer_of_a_person_goes_on_to_the_next(call, reply, kind):
    """It is told by its type, as any other strategy's, and the thread goes on."""
    agent, _ = agent_of([""] * 3, human(), checkpointer=InMemorySaver())

    call(agent, ask(), THREAD)
    result = agent_result(call(agent, Command(resume=reply), THREAD))

    assert result.strategy == "fallback:canned"
    assert result.fallbacks[0]["message"].endswith(f"got `{kind}`")


def test_whoever_comes_after_a_person_gets_the_prompt(call):
    """On resume the next strategy is given what the model was: tools and instructions with it."""
    last = ScriptedChatModel(script=["Fine."])
    strategies = [("person", HumanAnswer()), ("last", last)]
    rules = policy(
        fallback=FallbackRouter(strategies=strategies),
        prompt=PromptBuilder(constraints=["Be brief."]),
    )
    agent, _ = agent_of([""] * 3, rules, checkpointer=InMemorySaver())

    call(agent, ask(), THREAD)
    state = call(agent, Command(resume=""), THREAD)

    assert agent_result(state).strategy == "fallback:last"
    assert "1. Be brief." in last.calls[0][0].text


LATER = {
    "one before": [("canned", GOOD), ("person", HumanAnswer())],
    "another one": [("canned", GOOD)],
    "none": [],
    "one of that name": [("person", GOOD)],
}


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
def test_a_reply_is_that_of_whoever_asked_also_under_another_policy(call, later):
    """A deploy between question and reply put the reply in another strategy's place."""
    saver = InMemorySaver()

    def with_strategies(strategies):
        rules = policy(
            retry=RetryEngine(max_attempts=1), fallback=FallbackRouter(strategies=strategies)
        )
        return agent_of([""], rules, tools=[], checkpointer=saver)[0]

    call(with_strategies([("person", HumanAnswer())]), ask(), THREAD)
    state = call(with_strategies(later), Command(resume="Sunny."), THREAD)

    result = agent_result(state)
    assert (result.strategy, result.message.text) == ("fallback:person", "Sunny.")
    assert [tried["name"] for tried in result.fallbacks] == ["person"]


class ShowsPrompt(HumanAnswer):
    """Shows the person how the model was asked."""

    def asked(self, question, request):
        shown = [message.text for message in request.prompt or ()]
        return {**super().asked(question, request), "prompt": shown}


def test_a_person_is_shown_what_any_strategy_is(call):
    """The request of a fallback that pauses an agent holds the prompt, as in the other doors."""
    rules = policy(
        fallback=FallbackRouter(strategies=[("person", ShowsPrompt())]),
        prompt=PromptBuilder(constraints=["Be brief."]),
    )
    agent, _ = agent_of([""] * 3, rules, checkpointer=InMemorySaver())

    paused = call(agent, ask(), THREAD)

    shown = paused["__interrupt__"][0].value["prompt"]
    assert any("Be brief." in text for text in shown)


# --- hostile answers ------------------------------------------------------------------------------


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = {
    "deep": nested(5000),
    "surrogate": "\ud800",
    "not a number": float("nan"),
    "long": "x" * 1_000_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("strategy", ["none", "tool", "dict"])
def test_nothing_that_a_model_writes_gets_out_as_an_exception(strategy, value):
    """Arguments that no parser likes are a verdict, in tool calls and in structured output."""
    name = "weather" if strategy == "none" else "Forecast"
    hostile = calling(tool_call(name, city="Oslo", degrees=7, more=value))
    wrong = calling(tool_call(name, city=value, degrees=7))

    for answer in (hostile, wrong):
        agent, _ = agent_of(
            lambda m, answer=answer: "Done." if m[-1].type == "tool" else answer,
            policy(retry=RetryEngine(max_attempts=1)),
            response_format=STRATEGIES[strategy],
        )
        assert agent_result(agent.invoke(ask())).status in ("accepted", "exhausted")
