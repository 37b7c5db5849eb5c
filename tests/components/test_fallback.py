"""The fallback router: which strategy answers, and what becomes of the others."""

import asyncio
import json
import logging
import pickle
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.exceptions import ModelAPIError, ModelAuthenticationError
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser, StrOutputParser
from langchain_core.prompt_values import StringPromptValue
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.errors import GraphBubbleUp
from pydantic import BaseModel, Field, ValidationError

from langchain_control import (
    ControlPolicy,
    RateLimiter,
    ResponseValidator,
    with_control,
)
from langchain_control._effects import Call
from langchain_control.components.breaker import CircuitBreaker
from langchain_control.components.fallback import FALLBACK, FallbackRouter
from langchain_control.components.shapes import Component
from langchain_control.errors import (
    AttemptsExhausted,
    BudgetExceeded,
    CircuitOpen,
    InputRejected,
    RateLimited,
)
from langchain_control.outcomes import ControlResult, FailureMode, Violation, failure, passed
from langchain_control.stores import InMemoryCircuitStore
from langchain_control.strategies import (
    CannedAnswer,
    FallbackRequest,
    HumanAnswer,
    LastGoodAnswer,
    other_model,
)
from langchain_control.strategies.asking import Calls
from langchain_control.testing import ManualClock, Reply, ScriptedChatModel


def answers(question):
    """A strategy of the question."""
    return f"You asked: {question}"


def passes(question):
    """A strategy without an answer."""


def crashes(question):
    """A strategy that fails, with content in its message."""
    msg = f"secret {question}"
    raise RuntimeError(msg)


async def answers_later(question):
    """An async strategy."""
    await asyncio.sleep(0)
    return f"Later: {question}"


def router(*strategies, **settings):
    """A router of strategies, named by number."""
    named = [(str(n), strategy) for n, strategy in enumerate(strategies, start=1)]
    return FallbackRouter(strategies=named, **settings)


class Heard(BaseCallbackHandler):
    """Keeps the fallback events."""

    run_inline: ClassVar[bool] = True

    def __init__(self):
        """Start with nothing heard."""
        self.events = []

    def on_custom_event(self, name, data, **kwargs):
        """Keep the event."""
        if name == "control.fallback":
            self.events.append(data)


class Wants:
    """A contract: the answer holds a word. What passes comes back in capitals."""

    expects_type = False

    def __init__(self, word):
        """Want `word`."""
        self.word = word

    def judge(self, message):
        """Look for the word."""
        yield from ()
        if self.word in message.text:
            return passed({"word": self.word})
        violation = Violation("must_contain", self.word)
        return failure(
            FailureMode.CONSTRAINT_VIOLATION, "a word is missing", violations=(violation,)
        )

    def clean(self, message, verdict):
        """Show that the answer went through here."""
        return message.model_copy(update={"content": message.text.upper()})


QUESTION = (HumanMessage("Why?"),)


class Asks(Component[FallbackRequest, Any]):
    """Performs the flow of a router, as the state machine does."""

    router: FallbackRouter
    contract: Any = None
    make_call: Any = Call
    breaker: Any = None

    def _flow(self, value, config):
        calls = Calls(make=self.make_call, breaker=self.breaker)
        return self.router.route(value, self.contract, config, calls)


@pytest.fixture
def heard():
    """What was told."""
    return Heard()


def told_on(handler):
    """Return a Runnable's config on which a handler hears events."""
    return {"callbacks": [handler]}


# --- which answer wins ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategies", "winner"),
    [
        ([answers], "1"),
        ([passes, answers], "2"),
        ([crashes, answers], "2"),
        ([crashes, passes, lambda q: " \n", lambda q: AIMessage(""), answers, crashes], "5"),
        ([lambda q: {"no", "answer"}, answers], "2"),
    ],
    ids=["first", "after none", "after a crash", "after all kinds", "after a wrong type"],
)
def test_the_first_valid_answer_wins(call, strategies, winner):
    """Whoever passes, crashes or says nothing is skipped."""
    answer = call(router(*strategies), "Why?")

    assert answer.text == "You asked: Why?"
    assert answer.response_metadata[FALLBACK] == winner


class City(BaseModel):
    """A place, under the name that its schema has for it."""

    city: str = Field(alias="cityName")


@dataclass
class Place:
    """A place."""

    city: str


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"city": "Århus"}, '{"city": "Århus"}'),
        (MappingProxyType({"a": 1}), '{"a": 1}'),
        ([{"a": None}], '[{"a": null}]'),
        (City(cityName="Oslo"), '{"cityName": "Oslo"}'),
        ([City(cityName="Oslo")], '[{"cityName": "Oslo"}]'),
        (Place("Oslo"), '{"city": "Oslo"}'),
    ],
    ids=repr,
)
def test_an_object_is_an_answer_in_json(call, given, text):
    """It was a `TypeError` in the outage, and what everybody tries first."""
    assert call(router(lambda q: given), "Why?").text == text
    assert CannedAnswer(given).text == text


@pytest.mark.parametrize(
    "given",
    [
        HumanMessage("secret"),
        {"messages": [AIMessage("secret")]},
        [Document("secret")],
        {"secret": float("nan")},
        7,
        City,
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_answer_is_told_by_its_type(call, given):
    """A conversation or a document must not become one; the record holds no content."""
    with pytest.raises(AttemptsExhausted) as caught:
        call(router(lambda q: given), "Why?")

    [tried] = caught.value.result.fallbacks
    assert (tried["outcome"], tried["failure_mode"]) == ("crashed", "model_error")
    assert tried["message"].startswith("an answer is a `str`, an `AIMessage`, or")
    assert tried["message"].endswith(f"got `{type(given).__name__}`")


def test_later_strategies_are_not_asked():
    """An answer ends the search."""
    asked = []

    router(answers, asked.append).invoke("Why?")

    assert asked == []


@pytest.mark.parametrize(
    "given",
    [
        "Why?",
        [HumanMessage("Why?")],
        HumanMessage("Why?"),
        [SystemMessage("s"), HumanMessage("Why?"), AIMessage("a")],
        StringPromptValue(text="Why?"),
        [("user", "Why?")],
    ],
    ids=["text", "messages", "message", "conversation", "prompt value", "pairs"],
)
def test_a_function_gets_the_question(given):
    """Whatever the caller sent: the text of the last human message."""
    assert router(answers).invoke(given).text == "You asked: Why?"


def test_a_function_of_two_gets_the_request_too(call):
    """A strategy can see why it was asked."""

    def explains(question, request):
        return f"{question} {request.failure_mode} {request.request_id}"

    request = FallbackRequest(QUESTION, failure_mode=FailureMode.TIMEOUT, request_id="r1")
    answer, _ = call(Asks(router=router(explains), contract=Wants("timeout")), request)

    assert answer.message.text == "WHY? TIMEOUT R1"


def test_an_async_function_answers_async_calls():
    """Strategies may be async."""
    answer = asyncio.run(router(answers_later).ainvoke("Why?"))

    assert answer.text == "Later: Why?"


def test_an_async_function_is_skipped_in_a_sync_call(heard):
    """It cannot answer there; the trail says so and the next one is asked."""
    answer = router(answers_later, answers).invoke("Why?", told_on(heard))

    assert answer.text == "You asked: Why?"
    assert heard.events[0]["message"] == "AsyncInSyncCallError"


def test_a_crash_is_logged_with_its_place_and_without_content(call, caplog):
    """A bug in a strategy was a name in the trail: nobody could tell where it was."""

    def buggy(question):
        raise KeyError(question)

    with caplog.at_level(logging.WARNING, "langchain_control"):
        assert call(router(buggy, answers), "Why?").text == "You asked: Why?"

    [line] = [r.getMessage() for r in caplog.records]
    assert line.startswith("the fallback strategy `1` failed with `KeyError` in `buggy` (")
    assert "Why" not in caplog.text


def test_a_refusal_is_no_crash(call, caplog):
    """An open circuit is expected, and told by the trail alone."""
    breaker = CircuitBreaker(failure_threshold=1)
    down = other_model(ScriptedChatModel(script=[ModelAPIError("down")]), breaker=breaker)

    call(router(down, answers), "Why?")
    call(router(down, answers), "Why?")

    assert [r.getMessage().split(" in ")[0] for r in caplog.records] == [
        "the fallback strategy `1` failed with `ModelAPIError`"
    ]


def test_a_function_may_hand_on_an_awaitable():
    """A function around an async one is awaited, or skipped in a sync call."""

    def hands_on(question):
        return answers_later(question)

    indirect = router(hands_on, answers)

    assert asyncio.run(indirect.ainvoke("Why?")).text == "Later: Why?"
    assert indirect.invoke("Why?").text == "You asked: Why?"


def test_a_model_gets_the_messages(call):
    """Without a prompt, a Runnable gets what the caller sent."""
    model = ScriptedChatModel(script=["hi"])

    call(router(model), "Why?")

    assert model.calls == [list(QUESTION)]


def test_a_model_gets_the_prompt_of_the_first_model(call):
    """Another model needs the system prompt and the constraints to meet the same contract."""
    model = ScriptedChatModel(script=["hi"])
    prompt = (SystemMessage("Be brief."), HumanMessage("Why?"))

    call(Asks(router=router(model), contract=None), FallbackRequest(QUESTION, prompt=prompt))

    assert model.calls == [list(prompt)]


def test_a_text_is_an_answer(call):
    """A sentence in a configuration file is a strategy."""
    assert call(FallbackRouter(strategies={"apology": "Sorry."}), "Why?").text == "Sorry."


@pytest.mark.parametrize(
    ("content", "is_answer"),
    [
        ([], False),
        ([{"type": "text", "text": " "}], False),
        (["", " "], False),
        ([{"type": "text", "text": "hi"}], True),
        ([{"type": "image", "url": "http://a.test/b.png"}], True),
    ],
    ids=str,
)
def test_an_answer_in_blocks_needs_a_block_that_says_something(call, content, is_answer):
    """Blank blocks are no answer; a picture is one."""
    winner = call(router(lambda q: AIMessage(content), answers), "Why?").response_metadata[FALLBACK]

    assert winner == ("1" if is_answer else "2")


def test_a_streamed_chunk_is_an_answer(call):
    """A strategy may hand on what a model's stream added up to."""
    answer = call(router(lambda q: AIMessageChunk("hi")), "Why?")

    assert type(answer) is AIMessage


def test_a_call_for_tools_is_an_answer(call):
    """An agent's fallback may act instead of speaking."""
    wants_tool = AIMessage("", tool_calls=[{"name": "t", "args": {}, "id": "1"}])

    assert call(router(lambda q: wants_tool), "Why?").tool_calls == wants_tool.tool_calls


# --- under a contract -----------------------------------------------------------------------------


def test_an_answer_must_meet_the_contract(call):
    """A fallback answer is judged like a model's, and comes back as it passed."""
    strategies = [lambda q: "no", lambda q: "yes"]

    answer, _ = call(
        Asks(router=router(*strategies), contract=Wants("yes")), FallbackRequest(QUESTION)
    )

    assert (answer.name, answer.message.text) == ("2", "YES")
    assert answer.message.response_metadata == {FALLBACK: "2"}


def test_an_answer_says_what_was_tried_before_it(call):
    """All causes are kept, without content."""
    strategies = [crashes, passes, lambda q: "no", lambda q: "yes"]

    _, tries = call(
        Asks(router=router(*strategies), contract=Wants("yes")), FallbackRequest(QUESTION)
    )

    told = ("name", "outcome", "failure_mode", "message")
    assert [tuple(tried[field] for field in told) for tried in tries] == [
        ("1", "crashed", "model_error", "RuntimeError"),
        ("2", "passed", "constraint_violation", "no answer"),
        ("3", "rejected", "constraint_violation", "a word is missing"),
        ("4", "answered", "none", ""),
    ]


def test_a_crash_is_a_failure_whatever_it_carries(call):
    """An error of ours without a failure mode must not look like an answer in the trail."""

    def gives_up(question):
        raise AttemptsExhausted

    asks = Asks(router=router(gives_up, answers))

    _, (crashed, _) = call(asks, FallbackRequest(QUESTION))

    assert crashed["failure_mode"] == FailureMode.MODEL_ERROR


def test_without_a_valid_answer_there_is_none(call):
    """The caller decides how the run ends."""
    found = call(
        Asks(router=router(crashes, lambda q: "no"), contract=Wants("y")), FallbackRequest(QUESTION)
    )

    assert found.answer is None


def test_without_strategies_there_is_no_answer(call):
    """The default router routes nowhere."""
    nowhere = Asks(router=FallbackRouter(), contract=None)

    assert call(nowhere, FallbackRequest(QUESTION)) == (None, ())


def test_the_caller_decides_how_strategies_are_called(call):
    """A time limit of the whole request holds for fallbacks, too."""
    made = []

    def noted(runnable, given, config):
        made.append(runnable.get_name())
        return Call(runnable, given, config)

    asks = Asks(router=router(crashes, answers), make_call=noted)

    assert call(asks, FallbackRequest(QUESTION)).answer.name == "2"
    assert made == ["1", "2"]


# --- failures that are none -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GraphBubbleUp, KeyboardInterrupt, asyncio.CancelledError])
def test_interrupts_and_cancellation_pass_through(kind):
    """A human in the loop may be a strategy, and a cancelled call stays cancelled."""

    def stop(question):
        raise kind

    with pytest.raises(kind):
        router(stop, answers).invoke("Why?")


def test_an_interrupt_passes_through_in_an_event_loop():
    """So it does in async graphs."""

    async def stop(question):
        raise GraphBubbleUp

    with pytest.raises(GraphBubbleUp):
        asyncio.run(router(stop, answers).ainvoke("Why?"))


def test_cancellation_reaches_an_async_strategy():
    """Cancelling the request cancels the fallback that is under way."""
    ended = []

    async def hangs(question):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(question)

    async def cancelled():
        task = asyncio.create_task(router(hangs, answers).ainvoke("Why?"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    begun = asyncio.Event()
    asyncio.run(cancelled())
    assert ended == ["Why?"]


# --- the trail ------------------------------------------------------------------------------------


def test_every_strategy_asked_is_told(call, heard):
    """The trail shows who was asked, what came of it and how long it took, without content."""
    model = ScriptedChatModel(script=["hi there"], model_name="backup")
    clock = ManualClock()
    slow = RunnableLambda(lambda m: clock.advance(0.25))

    call(router(crashes, slow, model, timer=clock), "Why?", told_on(heard))

    crashed, silent, answered = heard.events
    assert (crashed["strategy"], crashed["status"]) == ("fallback:1", "crashed")
    assert (crashed["failure_mode"], crashed["message"]) == ("model_error", "RuntimeError")
    assert (silent["status"], silent["latency_ms"]) == ("passed", 250)
    assert (answered["status"], answered["failure_mode"]) == ("answered", "none")
    assert (answered["model"], answered["input_tokens"], answered["output_tokens"]) == (
        "backup",
        1,
        2,
    )
    assert "secret" not in str(heard.events)


def test_a_rejected_answer_is_told_with_its_rules(call, heard):
    """The trail names what the fallback answer broke, and in which request."""
    asks = Asks(router=router(lambda q: "no"), contract=Wants("yes"))

    call(asks, FallbackRequest(QUESTION, request_id="r1"), told_on(heard))

    (event,) = heard.events
    assert (event["status"], event["rules"]) == ("rejected", ["must_contain"])
    assert event["request_id"] == "r1"


# --- models that are down -------------------------------------------------------------------------


def tried(name, retry_after=None, latency_ms=0):
    """What became of a strategy."""
    return {"name": name, "retry_after": retry_after, "latency_ms": latency_ms}


def test_an_open_circuit_is_told_and_costs_no_call(call, heard):
    """The next strategy answers at once; the trail says who refused, and until when."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_seconds=30)
    breaker.open()
    down = ScriptedChatModel(script=[], model_name="down")

    call(router(other_model(down, breaker=breaker), answers), "Why?", told_on(heard))

    refused, _ = heard.events
    assert (refused["status"], refused["failure_mode"]) == ("refused", "circuit_open")
    assert (refused["model"], refused["message"]) == ("down", "the circuit of `default` is open")
    assert down.calls == []


def test_the_next_one_answers_until_a_probe_succeeds(call):
    """Whose circuit has opened is not called; once it is due, one probe decides."""
    clock = ManualClock()
    breaker = CircuitBreaker(
        failure_threshold=1, recovery_seconds=30, store=InMemoryCircuitStore(clock=clock)
    )
    first = ScriptedChatModel(script=[TimeoutError(), TimeoutError(), "back"])
    routing = router(other_model(first, breaker=breaker), answers)

    winners = []
    for seconds in (0, 20, 10, 20, 10):
        clock.advance(seconds)
        winners.append(call(routing, "Why?").response_metadata[FALLBACK])

    assert winners == ["2", "2", "2", "2", "1"]
    assert len(first.calls) == 3


def test_a_model_without_a_circuit_gets_one_of_the_breaker_at_hand(call):
    """In a policy no stand-in is waited for by every request of an outage."""
    breaker = CircuitBreaker(failure_threshold=1)
    down = ScriptedChatModel(script=[TimeoutError()], model_name="down")
    asks = Asks(router=router(down, answers), breaker=breaker)

    outcomes = [call(asks, FallbackRequest(QUESTION)).tries[0]["outcome"] for _ in range(2)]

    assert outcomes == ["crashed", "refused"]
    assert breaker.state("fallback:1:down") == "open"


def test_a_model_keeps_the_circuit_it_brings(call):
    """The breaker at hand does not count what another one guards."""
    breaker, own = CircuitBreaker(), CircuitBreaker(name="own")
    routing = router(other_model(ScriptedChatModel(script=["hi"]), breaker=own))

    call(Asks(router=routing, breaker=breaker), FallbackRequest(QUESTION))

    assert (list(breaker.snapshot()), list(own.snapshot())) == ([], ["own"])


def test_a_call_that_is_given_up_counts_against_the_circuit():
    """The time limit stands inside of the circuit: a model that hangs opens it."""

    async def hangs(messages):
        await asyncio.Event().wait()

    def hurried(runnable, given, config):
        return Call(runnable, given, config, timeout_seconds=0.001)

    breaker = CircuitBreaker(failure_threshold=1)
    asks = Asks(
        router=router(other_model(RunnableLambda(hangs), breaker=breaker)), make_call=hurried
    )

    asyncio.run(asks.ainvoke(FallbackRequest(QUESTION)))

    assert breaker.state() == "open"


@pytest.mark.parametrize(
    ("tries", "of_model", "expected"),
    [
        ([], None, None),
        ([tried("1")], None, None),
        ([tried("1", 5.0)], None, 5.0),
        ([tried("1", 5.0), tried("2", 3.0)], None, 3.0),
        ([tried("1", 5.0), tried("2", latency_ms=2000)], None, 3.0),
        ([tried("1", 5.0), tried("2", latency_ms=9000)], None, 0.0),
        ([tried("1", 5.0, latency_ms=1000)], 4.0, 3.0),
    ],
    ids=["nobody", "nobody said", "one", "earliest", "time has passed", "due", "the model first"],
)
def test_the_wait_is_for_the_first_that_comes_back(tries, of_model, expected):
    """Seconds count from when they were said; what was asked meanwhile took some of them."""
    assert router(answers, passes).seconds_to_wait(tries, of_model) == expected


def test_without_strategies_nothing_is_waited_for():
    """An open circuit refuses at once where there is nothing to route to."""
    assert FallbackRouter().seconds_to_wait([], 5.0) is None


# --- as a Runnable --------------------------------------------------------------------------------


def test_alone_it_raises_when_nobody_answers(call):
    """The error lists every cause by name, and no content."""
    with pytest.raises(AttemptsExhausted) as caught:
        call(router(crashes, passes), "Why?")

    assert str(caught.value) == (
        "no fallback strategy answered: `1` crashed (RuntimeError), `2` passed (no answer)"
    )
    assert caught.value.result.status == "exhausted"


def test_alone_without_strategies_it_says_so(call):
    """An empty router is told from one whose strategies failed."""
    with pytest.raises(AttemptsExhausted, match="there are none"):
        call(FallbackRouter(), "Why?")


# --- around a Runnable ----------------------------------------------------------------------------


def failing(error):
    """A Runnable that raises."""

    def fail(_):
        raise error

    return RunnableLambda(fail)


def rejected(kind, mode=FailureMode.NONE, **details):
    """A failure of this package."""
    return kind(result=ControlResult(status="rejected", failure_mode=mode, **details))


def test_a_working_model_is_left_alone(call, heard):
    """No strategy is asked while the model answers."""
    model = ScriptedChatModel(script=["hi"])

    answer = call(router(answers).wrap(model), "Why?", told_on(heard))

    assert (answer.text, FALLBACK in answer.response_metadata) == ("hi", False)
    assert heard.events == []


@pytest.mark.parametrize(
    "error",
    [
        ModelAPIError("503"),
        ModelAuthenticationError("401"),
        TimeoutError(),
        rejected(CircuitOpen, FailureMode.CIRCUIT_OPEN),
        AttemptsExhausted("used up"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_failure_of_the_model_is_answered(call, error):
    """Outages, wrong keys, open circuits and used up retries all land here."""
    assert call(router(answers).wrap(failing(error)), "Why?").text == "You asked: Why?"


@pytest.mark.parametrize(
    "error", [KeyError("bug"), GraphBubbleUp()], ids=lambda e: type(e).__name__
)
def test_what_is_no_failure_of_the_model_is_raised(call, error):
    """A bug does not hide behind an apology."""
    with pytest.raises(type(error)):
        call(router(answers).wrap(failing(error)), "Why?")


TURNED_AWAY = [
    rejected(InputRejected, FailureMode.PROMPT_INJECTION),
    rejected(BudgetExceeded, FailureMode.TOKEN_OVERFLOW),
    rejected(RateLimited, FailureMode.RATE_LIMITED),
]


@pytest.mark.parametrize("error", TURNED_AWAY, ids=lambda e: type(e).__name__)
def test_an_input_that_was_turned_away_is_not_answered(call, error):
    """An attack gets no model's answer through the back door."""
    with pytest.raises(type(error)):
        call(router(answers).wrap(failing(error)), "Why?")


@pytest.mark.parametrize("error", TURNED_AWAY, ids=lambda e: type(e).__name__)
def test_an_input_that_was_turned_away_is_answered_if_asked_for(call, error):
    """A friendly refusal may be a strategy."""
    friendly = router(answers, answer_blocked_input=True)

    assert call(friendly.wrap(failing(error)), "Why?").text == "You asked: Why?"


def test_when_everything_fails_both_causes_are_kept(call):
    """The error says what the strategies did, and its cause is the model's."""
    error = ModelAPIError("503")

    with pytest.raises(AttemptsExhausted, match="`1` crashed") as caught:
        call(router(crashes).wrap(failing(error)), "Why?")

    assert caught.value.failure_mode is FailureMode.MODEL_ERROR
    assert caught.value.__cause__ is error


def test_an_open_circuit_without_an_answer_stays_one(call):
    """The caller still learns when to come back."""
    error = rejected(CircuitOpen, FailureMode.CIRCUIT_OPEN, retry_after=12.0)

    with pytest.raises(CircuitOpen) as caught:
        call(router(passes).wrap(failing(error)), "Why?")

    assert caught.value.retry_after == 12.0


def test_without_strategies_the_original_error_is_raised(call):
    """An empty router changes nothing."""
    with pytest.raises(ModelAPIError):
        call(FallbackRouter().wrap(failing(ModelAPIError("503"))), "Why?")


def test_a_strategy_gets_the_input_of_the_wrapped_chain(call):
    """As with LangChain's own fallbacks, one chain replaces another."""
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "{topic}")])
    model = ScriptedChatModel(script=["hi"])

    call(router(prompt | model).wrap(prompt | failing(TimeoutError())), {"topic": "Why?"})

    assert model.calls == [[SystemMessage("Be brief."), HumanMessage("Why?")]]


@pytest.mark.parametrize(
    ("given", "question"),
    [
        ({"input": "Why?", "context": "c"}, "Why?"),
        ({"topic": "Why?"}, "Why?"),
        ({"a": 1}, ""),
        (7, ""),
    ],
    ids=str,
)
def test_the_question_is_found_in_a_mapping(call, given, question):
    """It is the mapping's `input`, or its only value."""
    answer = call(router(answers).wrap(failing(TimeoutError())), given)

    assert answer.text == f"You asked: {question}"


def test_a_chain_that_gives_text_gets_text(call):
    """Whoever expects a string is not handed a message."""
    chain = failing(TimeoutError()) | StrOutputParser()

    assert call(router(answers).wrap(chain), "Why?") == "You asked: Why?"


def test_a_good_answer_is_remembered(call):
    """In an outage the last good answer is there."""
    model = ScriptedChatModel(script=["good", ModelAPIError("503"), ModelAPIError("503")])
    chain = router(LastGoodAnswer(), "Sorry.").wrap(model)

    assert [call(chain, q).text for q in ("Why?", "Why?", "How?")] == ["good", "good", "Sorry."]


def test_a_call_for_tools_is_not_remembered(call):
    """What stands beside it is no answer yet."""
    asks = AIMessage("Let me see.", tool_calls=[{"name": "look", "args": {}, "id": "1"}])
    model = ScriptedChatModel(script=[asks, TimeoutError()])
    guarded = router(LastGoodAnswer(), "Sorry.").wrap(model)

    assert [call(guarded, "why").text for _ in range(2)] == ["Let me see.", "Sorry."]


def test_a_crash_over_a_good_answer_is_logged_and_the_others_learn_it(call, caplog):
    """An answer that passed was lost to a key without a user."""

    def user(request):
        raise KeyError(request.question)

    memory = LastGoodAnswer()
    chain = router(LastGoodAnswer(key=user), memory).wrap(ScriptedChatModel(script=["good"]))

    assert call(chain, "Why?").text == "good"
    assert len(memory) == 1
    [line] = [r.getMessage() for r in caplog.records]
    assert line.startswith("the fallback strategy `1` failed with `KeyError` in `user` (")
    assert "Why" not in caplog.text


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategies", "says"),
    [
        ([("a", answers), ("a", passes)], "`a` stands for several"),
        ([("a", 3)], "`a` must be a Runnable"),
        ([("a", lambda: "hi")], "`a` must be a Runnable"),
        ([("a", lambda x, y, z: "hi")], "`a` must be a Runnable"),
        ([("a", HumanAnswer)], "`a` must be .* got the class `HumanAnswer`"),
        ([("a",)], "pairs of a name and a strategy"),
        ([answers], "pairs of a name and a strategy"),
        (ScriptedChatModel(script=[]), "pairs of a name and a strategy"),
        (answers, "pairs of a name and a strategy"),
        ("Sorry.", "pairs of a name and a strategy"),
        ([HumanAnswer()], "pairs of a name and a strategy"),
        (("backup", "Sorry."), "pairs of a name and a strategy"),
        (3, "pairs of a name and a strategy"),
    ],
    ids=[
        "twice",
        "number",
        "no args",
        "three args",
        "class",
        "no strategy",
        "no name",
        "model",
        "function",
        "text",
        "list without names",
        "one pair",
        "no list",
    ],
)
def test_a_strategy_that_cannot_be_asked_is_refused(strategies, says):
    """Mistakes show where the router is made, not in an outage."""
    with pytest.raises(ValidationError, match=says):
        FallbackRouter(strategies=strategies)


def test_it_survives_pickling(call):
    """A router goes to another process with its strategies."""
    copy = pickle.loads(pickle.dumps(router(answers, ScriptedChatModel(script=["hi"]))))

    assert call(copy, "Why?").text == "You asked: Why?"


def test_its_schema_is_that_of_a_model():
    """Tools can show what goes in."""
    schema = FallbackRouter().get_input_jsonschema()

    assert {"type": "string"} in schema["anyOf"]


DOWN = ModelAPIError("503")
PARSERS = {
    "JSON": (JsonOutputParser(), {"cityName": "Paris"}),
    "object": (PydanticOutputParser(pydantic_object=City), City(cityName="Paris")),
    "text": (StrOutputParser(), '{"cityName": "Paris"}'),
    "function": (RunnableLambda(lambda m: json.loads(m.text)["cityName"]), "Paris"),
    "judged": (ResponseValidator() | JsonOutputParser(), {"cityName": "Paris"}),
}


@pytest.mark.parametrize("dress", [lambda c: c, CircuitBreaker().wrap], ids=["chain", "our own"])
@pytest.mark.parametrize(("parser", "given"), PARSERS.values(), ids=PARSERS)
def test_a_chain_gives_in_an_outage_what_it_gives_otherwise(call, dress, parser, given):
    """Whoever takes objects was handed a message."""
    chain = dress(ScriptedChatModel(script=lambda _: DOWN) | parser)

    assert call(router('{"cityName": "Paris"}').wrap(chain), "Where?") == given


def test_a_chain_around_a_controlled_model_gives_in_an_outage_what_it_gives_otherwise(call):
    """Its answers are messages as well."""
    model = ScriptedChatModel(script=lambda _: DOWN)
    chain = with_control(model, {"retry": {"max_attempts": 1}}) | JsonOutputParser()

    assert call(router('{"n": 1}').wrap(chain), "Where?") == {"n": 1}


def shouted(message: AIMessage) -> AIMessage:
    """Rewrite a message, and say so by an annotation."""
    return AIMessage(message.text.upper())


def test_a_step_that_rewrites_messages_rewrites_the_fallbacks_as_well(call):
    """By what it says that it gives it was taken for the model, and left out."""
    chain = ScriptedChatModel(script=lambda _: DOWN) | RunnableLambda(shouted) | StrOutputParser()

    assert call(router("sorry").wrap(chain), "Where?") == "SORRY"


def test_an_answer_that_the_chain_cannot_read_passes_the_request_on(call):
    """A sentence is no object; the failure names no content."""
    chain = ScriptedChatModel(script=lambda _: DOWN) | JsonOutputParser()

    assert call(router("Sorry.", '{"n": 1}').wrap(chain), "Where?") == {"n": 1}
    with pytest.raises(AttemptsExhausted, match=r"`1` rejected \(.*`OutputParserException`\)"):
        call(router("Sorry.").wrap(chain), "Where?")


@pytest.mark.parametrize("parser", [StrOutputParser(), JsonOutputParser()])
def test_what_the_model_said_behind_a_parser_is_remembered(call, parser):
    """What could not be read never is."""
    model = ScriptedChatModel(script=['{"n": 1}', *[DOWN] * 2])
    chain = router(LastGoodAnswer(), "{}").wrap(model | parser)
    first, again, other = (call(chain, question) for question in ("Why?", "Why?", "How?"))

    assert first == again != other


# --- a model under control as a strategy ----------------------------------------------------------

ONCE = {"retry": {"max_attempts": 1}}
WRONG = Reply("no", input_tokens=100, output_tokens=100)
PRICES = {"prices": {"stand-in": {"input_per_million": 1000, "output_per_million": 1000}}}


def controlled(*replies, **settings):
    """A model under control that has to answer in JSON."""
    model = ScriptedChatModel(script=[*replies], model_name="stand-in")
    retry = {"max_attempts": len(replies), "base_delay_seconds": 0, "jitter_seconds": 0}
    policy = ControlPolicy(validator=ResponseValidator(required_keys=["x"]), retry=retry)
    return with_control(model, policy, **settings)


def in_place_of_a_model(call, strategy, **settings):
    """What a request comes to whose own model is away."""
    away = ScriptedChatModel(script=[TimeoutError()])
    fallback = router(strategy, "Sorry.")
    policy = ControlPolicy(fallback=fallback, usage_limits=PRICES, **ONCE, **settings)
    return call(with_control(away, policy, include_result=True), "why")


@pytest.mark.parametrize("include_result", [True, False])
@pytest.mark.parametrize(
    "guard",
    [lambda model: model, other_model, lambda model: model.with_config(tags=["t"])],
    ids=["bare", "other_model", "with a tag"],
)
def test_all_that_a_controlled_model_used_counts(call, include_result, guard):
    """Not its last answer alone; and the answer is the message, also out of a result."""
    strategy = controlled(WRONG, WRONG, Reply('{"x":1}', None, 0, "stop", 100, 100))

    result = in_place_of_a_model(call, guard(strategy.override(include_result=include_result)))

    assert (result.strategy, result.message.text) == ("fallback:1", '{"x":1}')
    assert (result.model, result.usage["total_tokens"]) == ("stand-in", 600)
    assert result.cost == pytest.approx(0.6)


@pytest.mark.parametrize("include_result", [True, False])
def test_a_controlled_model_without_an_answer_has_failed(call, include_result):
    """The next strategy is asked, and what was used counts all the same."""
    result = in_place_of_a_model(call, controlled(WRONG, WRONG, include_result=include_result))

    assert (result.strategy, result.message.text) == ("fallback:2", "Sorry.")
    failed = result.fallbacks[0]
    assert (failed["outcome"], failed["failure_mode"]) == ("crashed", "schema_violation")
    assert (failed["model"], failed["input_tokens"], failed["output_tokens"]) == (
        "stand-in",
        200,
        200,
    )
    assert failed["cost"] == pytest.approx(0.4)


def test_a_result_without_an_answer_counts_against_the_circuit(call):
    """What is returned in place of raised is a failure all the same."""
    breaker = CircuitBreaker(failure_threshold=1)
    strategy = controlled(TimeoutError(), include_result=True)

    in_place_of_a_model(call, other_model(strategy, breaker=breaker))

    assert breaker.state() == "open"


def test_a_limit_is_told_all_that_a_controlled_model_used(call):
    """It was told what the last answer took."""
    limiter = RateLimiter(tokens_per_minute=1000, answer_tokens=10)
    strategy = other_model(controlled(WRONG, WRONG), limiter=limiter)

    in_place_of_a_model(call, strategy)

    assert not limiter.inspect("word " * 700).passed
