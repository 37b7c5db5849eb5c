"""The LCEL door: an answer, or a named failure."""

from __future__ import annotations

import asyncio
import pickle
import threading
from contextlib import contextmanager

import httpx
import pytest
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import CallbackManager
from langchain_core.documents import Document
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelTimeoutError,
    OutputParserException,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import Field

from langchain_control import (
    AuditLogger,
    CircuitBreaker,
    ControlError,
    ControlPolicy,
    ControlResult,
    FailureMode,
    FallbackRouter,
    InputGuard,
    PromptBuilder,
    RateLimiter,
    ResponseValidator,
    RetryEngine,
    TokenBudget,
    create_control_graph,
    with_control,
)
from langchain_control._threads import BoundedThreads
from langchain_control.circuits import Outcome
from langchain_control.circuits.failure_window import FailureWindow
from langchain_control.errors import (
    AttemptsExhausted,
    BudgetExceeded,
    CircuitOpen,
    InputRejected,
    ResponseRejected,
)
from langchain_control.graph import result_of
from langchain_control.retries.budget import RetryBudget
from langchain_control.runs import time_limits
from langchain_control.sinks import MemorySink
from langchain_control.stores import InMemoryCircuitStore, InMemoryRateStore
from langchain_control.strategies import (
    CannedAnswer,
    LastGoodAnswer,
    TemplateAnswer,
    other_model,
)
from langchain_control.testing import ChaosChatModel, ManualClock, Reply, ScriptedChatModel
from tests.scenarios import AT_ONCE, ATTACK, CITY, GOOD


def policy(**changes) -> ControlPolicy:
    fields = {
        "validator": ResponseValidator(response_schema=CITY),
        "retry": RetryEngine(**AT_ONCE),
    }
    return ControlPolicy(**(fields | changes))


def test_an_accepted_answer_is_a_clean_message(call):
    """The message holds the canonical JSON, and the parsed value beside it."""
    model = ScriptedChatModel(script=[f"Here:\n```json\n{GOOD}\n```"])

    message = call(with_control(model, policy()), "Which city?")

    assert isinstance(message, AIMessage)
    assert message.content == '{"city":"Paris"}'
    assert message.additional_kwargs["parsed"] == {"city": "Paris"}


def test_a_run_without_an_answer_raises_with_its_story(call):
    """The exception carries the result: what was tried and why it failed."""
    controlled = with_control(ScriptedChatModel(script=["no"] * 3), policy())

    with pytest.raises(AttemptsExhausted) as caught:
        call(controlled, "Which city?")

    assert caught.value.failure_mode is FailureMode.SCHEMA_VIOLATION
    assert [a["number"] for a in caught.value.result.attempts] == [1, 2, 3]


def refused(request):
    """What OpenAI's server says to a setting that the model does not take."""
    return httpx.Response(400, json={"error": {"message": "no `temperature`"}})


@pytest.mark.parametrize("structured", [False, True], ids=["plain", "structured"])
def test_what_a_provider_said_is_the_cause(call, caplog, structured):
    """A request that OpenAI refuses failed without a word of why, in the traceback or the log."""
    clients = {
        "http_client": httpx.Client(transport=httpx.MockTransport(refused)),
        "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(refused)),
    }
    model = ChatOpenAI(model="m", api_key="k", max_retries=0, **clients)
    door = with_control(model, ControlPolicy(retry=RetryEngine(**AT_ONCE)))
    if structured:
        door = door.with_structured_output(CITY, method="prompt")

    with pytest.raises(AttemptsExhausted) as caught:
        call(door, "Which city?")

    assert "no `temperature`" in str(caught.value.__cause__)
    [line] = caplog.messages
    assert line.startswith("the model `m` failed with `")
    assert "temperature" not in line


def test_an_answer_that_came_has_no_earlier_cause(call):
    """What failed before the last call did not end the request."""
    model = ScriptedChatModel(script=[ModelAPIError("down"), "no", "no"])

    with pytest.raises(AttemptsExhausted) as caught:
        call(with_control(model, policy()), "Which city?")

    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("given", "kind"),
    [(ATTACK, InputRejected), ("", InputRejected), ("ok", BudgetExceeded)],
)
def test_a_rejected_input_raises_by_kind_and_costs_no_call(call, given, kind):
    """Guard and budget turn inputs away by name, before any call."""
    model = ScriptedChatModel(script=[])
    tight = PromptBuilder(system_prompt="word " * 50, budget={"total_tokens": 20})

    with pytest.raises(kind) as caught:
        call(with_control(model, policy(prompt=tight)), given)

    assert isinstance(caught.value, ControlError)
    assert model.calls == []


def test_include_result_returns_and_never_raises(call):
    """With `include_result` every end is a value."""
    controlled = with_control(ScriptedChatModel(script=["no"] * 3), policy(), include_result=True)

    result = call(controlled, "Which city?")

    assert isinstance(result, ControlResult)
    assert not result.passed
    with pytest.raises(AttemptsExhausted):
        result.unwrap()


@pytest.mark.parametrize(
    "model",
    [
        RunnableLambda(lambda _: GOOD),
        RunnableLambda(lambda _: AIMessage(GOOD)),
        lambda _: GOOD,
        ScriptedChatModel(script=lambda _: GOOD) | StrOutputParser(),
        ScriptedChatModel(script=lambda _: GOOD).bind(stop=["x"]),
        ScriptedChatModel(script=lambda _: GOOD).with_retry(stop_after_attempt=1),
    ],
    ids=["text", "message", "callable", "sequence", "binding", "with_retry"],
)
def test_anything_that_answers_can_be_controlled(call, model):
    """Chat models, Runnables giving messages or text, and plain callables all work."""
    assert call(with_control(model, policy()), "Which city?").content == '{"city":"Paris"}'


def test_a_chunk_is_handed_on_as_a_message(call):
    """A plain function may give one; it went into the history, where no chunk belongs."""
    controlled = with_control(lambda _: AIMessageChunk("hi"))

    assert type(call(controlled, "x")) is AIMessage


def test_a_model_that_returns_something_else_is_a_mistake(call):
    """A model that gives neither a message nor text is the program's mistake, not the model's."""
    with pytest.raises(TypeError, match="`AIMessage` or a `str`"):
        call(with_control(lambda _: 42, policy()), "Which city?")


def test_an_unknown_exception_is_raised_on(call):
    """Only what a provider does is classified; a bug stays a bug, and the circuit stays shut."""
    breaker = CircuitBreaker(failure_threshold=1)

    def buggy(_):
        msg = "a bug"
        raise KeyError(msg)

    with pytest.raises(KeyError):
        call(with_control(buggy, policy(breaker=breaker)), "Which city?")
    assert all(s["state"] == "closed" for s in breaker.snapshot().values())


def test_an_interrupt_passes_through(call):
    """LangGraph's control flow is nobody's failure."""

    def asks_a_person(_):
        raise GraphInterrupt

    with pytest.raises(GraphInterrupt):
        call(with_control(asks_a_person, policy()), "Which city?")


def test_it_pipes_into_a_chain(call):
    """Between a prompt and a parser it behaves like a chat model."""
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")])
    model = ScriptedChatModel(script=["bad", GOOD])
    chain = prompt | with_control(model, policy()) | JsonOutputParser()

    assert call(chain, {"question": "Which city?"}) == {"city": "Paris"}
    assert [m.type for m in model.calls[0]] == ["system", "human"]


def test_it_streams_once_and_whole():
    """Nothing leaves before it is accepted."""
    controlled = with_control(ScriptedChatModel(script=["bad words", GOOD]), policy())

    assert [m.content for m in controlled.stream("Which city?")] == ['{"city":"Paris"}']


def test_batch_keeps_going_past_failures():
    """A batch with `return_exceptions` gives each input its own end."""
    controlled = with_control(ScriptedChatModel(script=lambda _: GOOD), policy())

    answers = controlled.batch(["Q?", ATTACK, "Q?"], return_exceptions=True)

    assert [type(a).__name__ for a in answers] == ["AIMessage", "InputRejected", "AIMessage"]


def test_existing_fallbacks_and_handlers_recognize_the_errors(call):
    """`ControlError` works with LangChain's `with_fallbacks`."""
    controlled = with_control(ScriptedChatModel(script=["no"] * 3), policy())
    safe = controlled.with_fallbacks(
        [RunnableLambda(lambda _: "sorry")], exceptions_to_handle=(ControlError,)
    )

    assert call(safe, "Which city?") == "sorry"
    assert issubclass(ResponseRejected, OutputParserException)


def test_the_circuit_is_asked_before_every_call(call):
    """A threshold of two stops one run after two calls, not after its last attempt."""
    model = ScriptedChatModel(script=[ModelTimeoutError("t")] * 10)
    strict = policy(
        breaker=CircuitBreaker(failure_threshold=2), retry=RetryEngine(max_attempts=10, **AT_ONCE)
    )

    with pytest.raises(CircuitOpen) as caught:
        call(with_control(model, strict), "Which city?")

    assert len(model.calls) == 2
    assert 0 < caught.value.retry_after <= 30


def test_invalid_answers_do_not_open_the_circuit(call):
    """A provider that answers is healthy, whatever it answers."""
    strict = policy(breaker=CircuitBreaker(failure_threshold=1))
    controlled = with_control(ScriptedChatModel(script=lambda _: "no"), strict, include_result=True)

    for _ in range(3):
        assert call(controlled, "Q?").failure_mode is FailureMode.SCHEMA_VIOLATION


def test_auth_errors_are_not_retried(call):
    """What will not get better is not tried again."""
    model = ScriptedChatModel(script=[ModelAuthenticationError("401")])

    with pytest.raises(AttemptsExhausted):
        call(with_control(model, policy()), "Which city?")
    assert len(model.calls) == 1


def test_a_hung_sync_model_is_given_up():
    """The time limit is hard for a model that blocks its thread."""
    gate = threading.Event()
    hasty = policy(timeout_seconds=0.02, retry=RetryEngine(max_attempts=2, **AT_ONCE))

    result = with_control(lambda _: gate.wait(10), hasty, include_result=True).invoke("Q?")

    gate.set()
    assert result.failure_mode is FailureMode.TIMEOUT
    assert len(result.attempts) == 2


def test_a_hung_async_model_is_given_up():
    """The time limit is hard for a model that never answers."""

    async def hangs(_):
        await asyncio.sleep(60)

    hasty = policy(timeout_seconds=0.02, retry=RetryEngine(max_attempts=1))
    controlled = with_control(RunnableLambda(hangs), hasty, include_result=True)

    assert asyncio.run(controlled.ainvoke("Q?")).failure_mode is FailureMode.TIMEOUT


def test_the_deadline_bounds_the_whole_run(call):
    """No attempt starts after the deadline, and no wait goes past it."""
    clock = ManualClock()

    def slow(_):
        clock.advance(4)
        return "no"

    bounded = policy(
        clock=clock, timer=clock, deadline_seconds=10, retry=RetryEngine(max_attempts=9, **AT_ONCE)
    )
    result = call(with_control(slow, bounded, include_result=True), "Q?")

    assert len(result.attempts) == 3
    assert (result.status, result.failure_mode) == ("exhausted", FailureMode.DEADLINE_EXCEEDED)
    assert result.reason == "the deadline of the request has passed after `schema_violation`"


@pytest.mark.parametrize("max_attempts", [1, 3])
def test_a_call_that_the_deadline_cuts_off_ends_the_request_by_it(max_attempts):
    """The request said `timeout`, as if its calls had had the time that was their due."""
    clock = ManualClock()

    async def hangs(_):
        clock.advance(1)
        await asyncio.sleep(60)

    retry = RetryEngine(max_attempts=max_attempts, **AT_ONCE)
    hurried = policy(clock=clock, deadline_seconds=0.02, retry=retry)
    controlled = with_control(RunnableLambda(hangs), hurried, include_result=True)

    result = asyncio.run(controlled.ainvoke("Q?"))

    assert result.failure_mode is FailureMode.DEADLINE_EXCEEDED
    assert [attempt["failure_mode"] for attempt in result.attempts] == ["timeout"]


def test_attempts_that_are_used_up_are_not_the_deadlines_doing(call):
    """What the last answer had wrong is told, however late it came."""
    clock = ManualClock()

    def slow(_):
        clock.advance(11)
        return "no"

    hurried = policy(clock=clock, deadline_seconds=10, retry=RetryEngine(max_attempts=1))
    result = call(with_control(slow, hurried, include_result=True), "Q?")

    assert result.failure_mode is FailureMode.SCHEMA_VIOLATION


def test_a_wait_that_does_not_fit_the_deadline_is_not_waited(call):
    """Where the backoff would pass the deadline, the run goes to its fallback at once."""
    clock = ManualClock()
    bounded = policy(
        clock=clock,
        timer=clock,
        deadline_seconds=5,
        retry=RetryEngine(base_delay_seconds=60, max_delay_seconds=60),
        fallback=FallbackRouter(strategies=[("canned", lambda _: GOOD)]),
    )
    model = ScriptedChatModel(script=[ModelTimeoutError("t")])

    assert call(with_control(model, bounded, include_result=True), "Q?").status == "fallback"


def test_fallbacks_share_what_is_left_of_the_deadline(call):
    """Each strategy gets the time that is left when its turn comes, not when the first's came."""
    clock = ManualClock()
    asked = []

    def slow(question):
        asked.append(question)
        clock.advance(4)

    strategies = [(f"slow {n}", slow) for n in range(4)]
    bounded = policy(
        clock=clock,
        timer=clock,
        deadline_seconds=10,
        fallback=FallbackRouter(strategies=strategies),
        retry=RetryEngine(max_attempts=1),
    )
    limits = []
    flow_call = time_limits.Call

    def noting(*arguments, **more):
        made = flow_call(*arguments, **more)
        limits.append(made.limit_seconds)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_limits, "Call", noting)
        call(with_control(lambda _: "no", bounded, include_result=True), "Q?")

    assert limits == [10, 10, 6, 2, time_limits.GRACE_SECONDS]


def test_one_timer_measures_attempts_and_fallbacks(call):
    """Fallbacks were measured by a clock of the router's own, which nobody had injected."""
    clock = ManualClock()

    def slow(_):
        clock.advance(1)
        return "no"

    timed = policy(
        timer=clock, retry=RetryEngine(max_attempts=1), fallback={"strategies": [("slow", slow)]}
    )
    result = call(with_control(slow, timed, include_result=True), "Q?")

    [attempt], [tried] = result.attempts, result.fallbacks
    assert (attempt["latency_ms"], tried["latency_ms"]) == (1000, 1000)


@pytest.mark.parametrize(
    ("error", "state"), [(TimeoutError(), "closed"), (ConnectionError(), "open")], ids=repr
)
def test_a_call_that_the_deadline_cuts_short_proves_nothing_by_being_late(call, error, state):
    """With less time than a call is due only an error that arrives counts against the circuit."""
    clock, breaker = ManualClock(), CircuitBreaker(failure_threshold=1)

    class Slow:
        def detect(self, text):
            clock.advance(6)
            return []

    hurried = policy(
        clock=clock,
        deadline_seconds=10,
        guard=InputGuard(detectors=[Slow()]),
        breaker=breaker,
        retry=RetryEngine(max_attempts=1),
    )

    call(with_control(ScriptedChatModel(script=[error]), hurried, include_result=True), "Q?")

    assert breaker.state("scripted") == state


@contextmanager
def all_taken(threads):
    """Hold every thread there is."""
    taken = [threads.take(0) for _ in range(threads.limit)]
    yield
    for thread in taken:
        thread.give_back()


def test_a_lack_of_threads_is_not_the_providers_failure(call):
    """Threads that others hold say nothing about the model: its circuit stays closed."""
    breaker = CircuitBreaker(failure_threshold=1)
    crowded = policy(
        threads=1, timeout_seconds=0.01, breaker=breaker, retry=RetryEngine(max_attempts=1)
    )

    with all_taken(crowded.threads):
        result = call(with_control(lambda _: GOOD, crowded, include_result=True), "Q?")

    assert result.failure_mode is FailureMode.TIMEOUT
    assert all(view["state"] == "closed" for view in breaker.snapshot().values())


class LateThreads(BoundedThreads):
    """Threads for which every call waits."""

    def __init__(self, wait):
        super().__init__(1)
        self.wait = wait

    def take(self, max_wait_seconds):
        self.wait()
        return super().take(max_wait_seconds)

    async def atake(self, max_wait_seconds):
        return self.take(max_wait_seconds)


def test_the_wait_for_a_thread_is_not_taken_for_the_providers_time(call):
    """Under a lack of threads every call of a healthy provider was slow, and its circuit opened."""
    clock = ManualClock()
    breaker = CircuitBreaker(
        window=FailureWindow(slow_seconds=5), store=InMemoryCircuitStore(clock=clock)
    )
    threads = LateThreads(lambda: clock.advance(7))
    controlled = with_control(
        lambda _: GOOD, policy(threads=threads, breaker=breaker), include_result=True
    )

    assert [call(controlled, "Q?").status for _ in range(20)] == ["accepted"] * 20


def test_an_open_circuit_is_not_waited_for(call):
    """With all threads held by the calls of a dead provider, its open circuit refuses at once."""
    dead = policy(threads=1, timeout_seconds=0.01, retry=RetryEngine(max_attempts=1))
    dead.breaker.open("dead")
    model = RunnableLambda(lambda _: GOOD, name="dead")

    with all_taken(dead.threads):
        result = call(with_control(model, dead, include_result=True), "Q?")

    assert result.failure_mode is FailureMode.CIRCUIT_OPEN


def recovering():
    """A breaker that one failure opens, and what brings it to where it waits for a probe."""
    clock = ManualClock()
    breaker = CircuitBreaker(failure_threshold=1, store=InMemoryCircuitStore(clock=clock))
    return breaker, lambda: clock.advance(breaker.recovery_seconds)


def test_a_probe_is_not_waited_for(call):
    """A half-open circuit refuses at once where no thread is free: no attempt, no retries."""
    breaker, recover = recovering()
    dead = policy(threads=1, breaker=breaker)
    model = RunnableLambda(lambda _: GOOD, name="dead")
    breaker.record(breaker.acquire("dead"), Outcome.FAILURE)
    recover()

    with all_taken(dead.threads):
        result = call(with_control(model, dead, include_result=True), "Q?")

    assert breaker.state("dead") == "half_open"
    assert (result.failure_mode, result.attempts) == (FailureMode.CIRCUIT_OPEN, ())


def test_a_circuit_gets_its_probe_while_calls_still_hang(call):
    """The calls of an outage that never return keep nobody from seeing its end."""
    breaker, recover = recovering()
    gate, is_up = threading.Event(), []
    once = policy(
        threads=2, timeout_seconds=0.02, breaker=breaker, retry=RetryEngine(max_attempts=1)
    )

    def provider(_):
        return GOOD if is_up else gate.wait(10)

    controlled = with_control(RunnableLambda(provider, name="p"), once, include_result=True)
    for _ in range(3):
        call(controlled, "Q?")
        recover()
    is_up.append(True)
    patient = once.override(timeout_seconds=5)
    result = call(with_control(controlled.model, patient, include_result=True), "Q?")
    gate.set()

    assert (result.status, breaker.state("p")) == ("accepted", "closed")


@pytest.mark.parametrize(
    "strategy",
    ["Sorry.", CannedAnswer("Sorry."), TemplateAnswer("Sorry."), lambda _: "Sorry."],
    ids=["text", "canned", "template", "function"],
)
def test_a_fallback_answers_while_the_models_calls_hang(call, strategy):
    """Threads that the model's calls hold are not needed to say that it is down."""
    fallback = FallbackRouter(strategies=[("apology", strategy)])
    dead = ControlPolicy(
        threads=1, timeout_seconds=5, fallback=fallback, retry=RetryEngine(max_attempts=1)
    )
    dead.breaker.open("dead")
    model = RunnableLambda(lambda _: GOOD, name="dead")

    with all_taken(dead.threads):
        result = call(with_control(model, dead, include_result=True), "Q?")

    assert (result.status, result.message.text) == ("fallback", "Sorry.")


def test_what_answers_at_once_needs_no_thread(call):
    """Texts, templates and memories answer even where strategies have no thread left."""
    memory = LastGoodAnswer()
    fallback = FallbackRouter(strategies=[("memory", memory), ("text", "Sorry.")])
    once = ControlPolicy(threads=1, fallback=fallback, retry=RetryEngine(max_attempts=1))
    model = ScriptedChatModel(script=["Because.", TimeoutError(), TimeoutError()])
    controlled = with_control(model, once, include_result=True)
    call(controlled, "Why?")

    with all_taken(once.threads.of("memory")), all_taken(once.threads.of("text")):
        answers = [call(controlled, question).message.text for question in ("Why?", "How?")]

    assert answers == ["Because.", "Sorry."]


def test_calls_within_calls_do_not_wait_for_each_other(call):
    """An agent that holds the only thread may ask a model under the same policy."""
    shared = policy(threads=1)
    inner = with_control(lambda _: GOOD, shared)

    def agent(messages):
        return inner.invoke(messages)

    assert call(with_control(agent, shared, include_result=True), "Q?").status == "accepted"


def test_a_result_keeps_what_every_strategy_did(call):
    """Which model answered, why the others did not, and what all of them used."""
    broken = CircuitBreaker()
    broken.open()
    strategies = {
        "closed": other_model(ScriptedChatModel(script=[], model_name="a"), breaker=broken),
        "wrong": ScriptedChatModel(script=[Reply("no", input_tokens=3, output_tokens=1)]),
        "right": ScriptedChatModel(
            script=[Reply(GOOD, input_tokens=3, output_tokens=2)], model_name="b"
        ),
        "unasked": GOOD,
    }
    rules = policy(
        fallback=FallbackRouter(strategies=strategies), retry=RetryEngine(max_attempts=1)
    )
    model = ScriptedChatModel(script=[Reply("no", input_tokens=2, output_tokens=1)])

    result = call(with_control(model, rules, include_result=True), "Q?")

    told = [(f["name"], f["model"], f["outcome"], f["failure_mode"]) for f in result.fallbacks]
    assert told == [
        ("closed", "a", "refused", "circuit_open"),
        ("wrong", "scripted", "rejected", "schema_violation"),
        ("right", "b", "answered", "none"),
    ]
    assert (result.strategy, result.model) == ("fallback:right", "b")
    assert result.usage == {"input_tokens": 8, "output_tokens": 4, "total_tokens": 12}


def test_an_error_names_every_cause(call):
    """Neither the model's failure nor that of a strategy is lost, and none shows content."""
    breaker = CircuitBreaker(failure_threshold=1, recovery_seconds=60)
    breaker.record(breaker.acquire(), Outcome.FAILURE)
    strategies = {
        "down": other_model(ScriptedChatModel(script=[]), breaker=breaker),
        "mute": lambda question: None,
    }
    rules = policy(
        fallback=FallbackRouter(strategies=strategies), retry=RetryEngine(max_attempts=1)
    )

    with pytest.raises(AttemptsExhausted) as caught:
        call(with_control(lambda _: "secret", rules), "Q?")

    message, result = str(caught.value), caught.value.result
    assert "no fallback strategy answered: `down` refused (the circuit of `default` is" in message
    assert "`mute` passed (no answer)" in message
    assert "secret" not in message + str(result.fallbacks)
    assert result.retry_after == pytest.approx(60, abs=5)
    assert pickle.loads(pickle.dumps(caught.value)).result.fallbacks == result.fallbacks


def test_a_fallback_sees_the_conversation_as_screened(call):
    """An attack that is kept from the model is kept from a fallback function, too."""
    seen = []

    def strategy(question, request):
        seen.extend(m.text for m in request.messages)
        return GOOD

    history = [HumanMessage(ATTACK), AIMessage("No."), HumanMessage("Which city?")]
    falling = policy(
        fallback=FallbackRouter(strategies=[("f", strategy)]), retry=RetryEngine(max_attempts=1)
    )

    call(with_control(lambda _: "no", falling), history)

    assert seen == ["No.", "Which city?"]


def test_an_accepted_answer_survives_a_strategy_that_crashes_over_it(call):
    """A healthy model has answered: what a fallback makes of it is the fallback's own trouble."""

    class Crashes:
        def __call__(self, question, request):
            return None

        def remember(self, request, answer):
            raise KeyError

    falling = policy(fallback=FallbackRouter(strategies=[("memory", Crashes())]))

    assert call(with_control(lambda _: GOOD, falling), "Which city?").additional_kwargs["parsed"]


def test_a_cut_off_run_gives_its_reservation_back():
    """A client that hangs up does not keep the tokens that were reserved for its answer."""
    limiter = RateLimiter(tokens_per_minute=1000, answer_tokens=900)
    entered = asyncio.Event()

    async def hangs(_):
        entered.set()
        await asyncio.sleep(60)

    async def main():
        controlled = with_control(RunnableLambda(hangs), policy(limiter=limiter))
        run = asyncio.create_task(controlled.ainvoke("Q?"))
        await entered.wait()
        assert not (await limiter.ainspect("Q?")).passed
        run.cancel()
        await asyncio.wait({run})
        assert (await limiter.ainspect("Q?")).passed

    asyncio.run(main())


def test_a_run_cut_off_in_its_guard_gives_its_reservation_back():
    """It had been admitted, and nobody else would ever settle it."""
    limiter = RateLimiter(tokens_per_minute=1000, answer_tokens=900)
    entered = asyncio.Event()
    sink = MemorySink()

    async def hangs(_):
        entered.set()
        await asyncio.sleep(60)

    async def main():
        rules = policy(
            limiter=limiter,
            guard=InputGuard(detectors=[hangs]),
            audit=AuditLogger(None, sinks=[sink]),
        )
        run = asyncio.create_task(with_control(lambda _: GOOD, rules).ainvoke("Q?"))
        await entered.wait()
        assert not (await limiter.ainspect("Q?")).passed
        run.cancel()
        await asyncio.wait({run})
        assert (await limiter.ainspect("Q?")).passed

    asyncio.run(main())
    assert [r["event"] for r in sink.records] == ["control.cut_off"]


@pytest.mark.parametrize("question", ["Which city?", ATTACK])
def test_a_run_whose_end_cannot_be_told_is_settled_once(call, question):
    """Freed by its end and once more as cut off, it would let through more than the rate."""
    settled = []

    class Counting(InMemoryRateStore):
        def give_back(self, key, demands, turn=None):
            settled.append(key)
            super().give_back(key, demands)

    class Full(MemorySink):
        def write(self, record):
            if record["event"] == "control.finished":
                raise PermissionError

    rules = policy(
        limiter=RateLimiter(tokens_per_minute=1000, answer_tokens=900, store=Counting()),
        audit=AuditLogger(None, sinks=[Full()], raise_error=True),
    )

    with pytest.raises(PermissionError):
        call(with_control(lambda _: GOOD, rules), question)

    assert settled == ["rate:default"]


def test_a_run_cut_off_in_its_guard_is_told_as_one_request():
    """What was told of it before its end has the same id."""
    sink = MemorySink()

    async def breaks(text):
        raise ZeroDivisionError

    rules = policy(
        limiter=RateLimiter(requests_per_minute=120, burst_seconds=0.5, on_limit="wait"),
        guard=InputGuard(detectors=[breaks]),
        audit=AuditLogger(None, sinks=[sink]),
    )

    async def main():
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await with_control(lambda _: GOOD, rules).ainvoke("Q?")

    asyncio.run(main())
    *_, waited, ended = sink.records
    assert (waited["event"], ended["event"]) == ("control.waited", "control.cut_off")
    assert waited["request_id"] == ended["request_id"]


def test_arguments_of_a_call_reach_the_model(call):
    """`bind` and keyword arguments go to the model; a gate, which has none, says so."""
    got = []

    class Noting(ScriptedChatModel):
        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            got.append(stop)
            return super()._generate(messages, stop, run_manager, **kwargs)

        async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
            got.append(stop)
            return await super()._agenerate(messages, stop, run_manager, **kwargs)

    controlled = with_control(Noting(script=lambda _: GOOD), policy())

    call(controlled.bind(stop=["x"]), "Q?")
    controlled.invoke("Q?", stop=["y"])

    assert got == [["x"], ["y"]]
    with pytest.raises(TypeError, match="takes no call arguments, got `stop`"):
        call(InputGuard().bind(stop=["x"]), "Q?")


def test_hung_sync_models_do_not_fill_the_event_loops_executor():
    """Async code around a sync-only model keeps its own threads, and its loop can close."""
    gate, threads = threading.Event(), BoundedThreads(2)
    hasty = policy(threads=threads, timeout_seconds=0.02, retry=RetryEngine(max_attempts=1))
    controlled = with_control(lambda _: gate.wait(10), hasty, include_result=True)

    async def main():
        results = await asyncio.gather(*(controlled.ainvoke("Q?") for _ in range(10)))
        answer = await asyncio.get_running_loop().run_in_executor(None, lambda: "free")
        return {r.failure_mode for r in results}, answer

    ended = asyncio.run(main())
    gate.set()

    assert ended == ({FailureMode.TIMEOUT}, "free")


class Noticing(BaseChatModel):
    """A model without async, which notes the names of the threads that it is called in."""

    seen: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self):
        return "noticing"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self.seen.append(threading.current_thread().name)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(GOOD))])

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        self.seen.append(threading.current_thread().name)
        yield ChatGenerationChunk(message=AIMessageChunk(GOOD))


@pytest.mark.parametrize(
    "made_of",
    [
        lambda model: (model, {}),
        lambda model: (model, {"judge_while_streaming": True}),
        lambda model: (RunnableLambda(lambda messages: messages) | model, {}),
        lambda model: (model.with_fallbacks([model]), {"judge_while_streaming": True}),
        lambda model: (CircuitBreaker().wrap(model), {}),
    ],
    ids=["alone", "watched", "in a chain", "with fallbacks, watched", "behind a breaker"],
)
async def test_sync_models_run_in_the_policys_threads(made_of):
    """Async code runs whatever has no async in threads that a hung call may keep."""
    noticing = Noticing()
    model, changes = made_of(noticing)
    rules = policy(validator={"accept_broken_off": True}, **changes)

    await with_control(model, rules, include_result=True).ainvoke("Q?")

    assert noticing.seen == ["langchain-control-call"]


def test_what_a_judge_asks_a_model_is_not_streamed():
    """A rule that asks a model leaves no tokens in a parent's message stream."""
    judge = ScriptedChatModel(script=lambda _: "JUDGE LEAK")

    def polite(answer):
        judge.invoke(answer.text)

    controlled = with_control(
        ScriptedChatModel(script=["fine"]), ControlPolicy(validator={"rules": (polite,)})
    )
    builder = StateGraph(MessagesState)
    builder.add_node("ask", lambda state: {"messages": [controlled.invoke(state["messages"])]})
    builder.add_edge(START, "ask")

    streamed = builder.compile().stream({"messages": [("user", "Q?")]}, stream_mode="messages")

    assert [m.content for m, _ in streamed if m.type != "human"] == ["fine"]
    assert judge.calls


def test_tokens_a_model_does_not_report_are_counted(call):
    """Without usage from the provider the budget's encoding counts, so that limits hold."""
    result = call(with_control(lambda _: GOOD, policy(), include_result=True), "Which city?")

    assert result.usage["output_tokens"] == policy().prompt.budget.count(GOOD)
    assert result.usage["input_tokens"] > 0


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_cut_off_run_is_in_the_trail(call, error):
    """A bug or an interruption leaves a record that says so, with the request's id."""
    sink = MemorySink()

    def broken(_):
        raise error

    audited = policy(audit=AuditLogger(None, sinks=[sink]))
    with pytest.raises(error):
        call(with_control(broken, audited), "Q?", {"metadata": {"control_request_id": "r1"}})

    assert [(r["event"], r["message"]) for r in sink.records] == [
        ("control.cut_off", error.__name__)
    ]
    assert sink.records[0]["request_id"] == "r1"


def test_a_model_that_raises_generator_exit_is_in_the_trail(call):
    """It is a mistake of the model, and would end a caller's generator without a word."""
    sink = MemorySink()

    def leaves(_):
        raise GeneratorExit

    with pytest.raises(RuntimeError, match="GeneratorExit"):
        call(with_control(leaves, policy(audit=AuditLogger(None, sinks=[sink]))), "Q?")

    assert [(r["event"], r["message"]) for r in sink.records] == [
        ("control.cut_off", "RuntimeError")
    ]


def test_a_correction_without_room_is_not_called_one(call):
    """Where the budget leaves no room for a correction, the trail says a plain retry."""
    cramped = policy(prompt=PromptBuilder(budget=TokenBudget(total_tokens=100)))
    model = ScriptedChatModel(script=["no", GOOD])

    result = call(with_control(model, cramped, include_result=True), "x " * 92)

    assert [a["strategy"] for a in result.attempts] == ["none", "simple"]
    assert [m.text for m in model.calls[0]] == [m.text for m in model.calls[1]]


LONG = "lorem ipsum dolor sit amet " * 40
CONVERSATION = [HumanMessage(LONG), AIMessage(LONG), HumanMessage("And now?")]


@pytest.mark.parametrize(
    ("given", "notes"),
    [
        (CONVERSATION, ("history_dropped",)),
        ({"input": "Which city?", "context": [LONG] * 8}, ("context_cut",)),
        ("Which city?", ()),
    ],
    ids=["history", "documents", "whole"],
)
def test_what_a_prompt_left_out_is_told(call, given, notes):
    """Half a conversation, or most documents, were missing from accepted answers without a sign."""
    sink, small = MemorySink(), PromptBuilder(budget=TokenBudget(total_tokens=300))
    controlled = policy(prompt=small, audit=AuditLogger(None, sinks=[sink]))
    model = ScriptedChatModel(script=["bad", f"```json\n{GOOD}\n```"])

    result = call(with_control(model, controlled, include_result=True), given)

    first, second = result.attempts
    assert tuple(first["notes"] or ()) == notes
    assert tuple(second["notes"]) == result.notes == (*notes, "extracted")
    told = [r.get("notes") for r in sink.records if r["event"] == "control.attempt"]
    assert told == [first["notes"], second["notes"]]


def test_the_default_budget_says_that_it_cuts(call):
    """Whoever never heard of the budget learns of it when it first leaves something out."""
    chain = with_control(ScriptedChatModel(script=["Paris.", "Paris."]), include_result=True)

    with pytest.warns(UserWarning, match=r"`history_dropped`.*800 tokens.*`total_tokens`"):
        assert call(chain, CONVERSATION * 3).passed
    assert call(chain, "Which city?").notes == ()


def test_an_empty_conversation_is_empty_input(call):
    """No message at all, or only ones that say nothing, is turned away like an empty one."""
    for given in ([], [SystemMessage(" ")], [SystemMessage("Be brief."), HumanMessage("")]):
        with pytest.raises(InputRejected, match="empty"):
            call(with_control(ScriptedChatModel(script=[]), policy()), given)


def test_a_prompt_of_the_application_alone_is_answered(call):
    """A template may put everything into a system message; a provider takes that."""
    model = ScriptedChatModel(script=[GOOD])
    template = ChatPromptTemplate.from_messages([("system", "Name a city in {country}.")])

    call(template | with_control(model, policy()), {"country": "France"})

    assert model.calls == [[SystemMessage("Name a city in France.")]]


@pytest.mark.parametrize("context", [{"a": "b"}, [{"page_content": "x"}], 5, b"x"])
def test_a_context_of_the_wrong_kind_is_refused_by_name(call, context):
    """Documents are text or Documents; anything else is the program's mistake."""
    with pytest.raises(TypeError, match="`context` is text"):
        call(
            with_control(ScriptedChatModel(script=[]), policy()),
            {"input": "Q?", "context": context},
        )


def test_tools_need_a_chat_model():
    """A function takes no tools, and the error says what to do."""
    with pytest.raises(TypeError, match="put a chat model under control"):
        with_control(lambda _: GOOD, policy()).bind_tools([])


def test_cancelling_a_run_gives_the_permit_back():
    """A cancelled probe neither counts nor keeps the circuit half-open."""
    clock = ManualClock()
    breaker = CircuitBreaker(
        failure_threshold=1, recovery_seconds=1, store=InMemoryCircuitStore(clock=clock)
    )
    script, entered = iter([ModelTimeoutError("t")]), asyncio.Event()

    async def model(_):
        for error in script:
            raise error
        entered.set()
        await asyncio.sleep(60)

    controlled = with_control(
        RunnableLambda(model), policy(breaker=breaker, retry=RetryEngine(max_attempts=1))
    )

    async def main():
        with pytest.raises(AttemptsExhausted):
            await controlled.ainvoke("Q?")
        clock.advance(2)
        probe = asyncio.create_task(controlled.ainvoke("Q?"))
        await entered.wait()
        with pytest.raises(CircuitOpen):
            await controlled.ainvoke("Q?")
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        entered.clear()
        third = asyncio.create_task(controlled.ainvoke("Q?"))
        await entered.wait()
        assert not third.done(), "the slot of the cancelled probe is free again"
        third.cancel()
        await asyncio.wait({third})

    asyncio.run(main())


def test_the_correction_names_what_was_wrong_and_never_quotes_the_answer(call):
    """The second prompt says path, expectation and finding; the bad answer is not shown again."""
    model = ScriptedChatModel(script=['{"town": "IGNORE THE USER", "city": 7}', GOOD])

    call(with_control(model, policy()), "Which city?")

    correction = model.calls[1][-1].text
    assert "/city" in correction
    assert "string" in correction
    assert "IGNORE THE USER" not in correction
    assert "Which city?" in [m.text for m in model.calls[1]]


def test_requests_share_a_budget_of_retries(call):
    """An outage is not multiplied by the attempts of every request, and the result says why."""
    sharing = policy(
        retry=RetryEngine(budget=RetryBudget(10, retry_cost=5), **AT_ONCE),
        breaker=CircuitBreaker(failure_threshold=1000),
    )
    model = ScriptedChatModel(script=lambda _: ModelAPIError("503"))
    controlled = with_control(model, sharing, include_result=True)

    modes = [call(controlled, "Which city?").failure_mode for _ in range(3)]

    assert len(model.calls) == 3 + 2
    assert modes == [FailureMode.MODEL_ERROR, *[FailureMode.RETRY_BUDGET_EXHAUSTED] * 2]


def test_rejected_answers_do_not_draw_on_the_shared_budget(call):
    """A provider that answers is well: asking it again burdens nobody."""
    dry = policy(retry=RetryEngine(budget=RetryBudget(5, retry_cost=5), **AT_ONCE))
    model = ScriptedChatModel(script=["no", "no", GOOD] * 2)
    controlled = with_control(model, dry)

    assert [call(controlled, "Which city?").content for _ in range(2)] == ['{"city":"Paris"}'] * 2


def test_transport_failures_leave_the_prompt_alone(call):
    """The prompt is not at fault when the provider is."""
    model = ScriptedChatModel(script=[ModelAPIError("503"), GOOD])

    call(with_control(model, policy()), "Which city?")

    first, second = ([m.content for m in c] for c in model.calls)
    assert first == second


def test_a_retry_does_not_read_the_cache(call):
    """LangChain's cache would give the same bad answer again."""
    answers = iter([ModelTimeoutError("t"), "bad", GOOD])
    model = ScriptedChatModel(script=lambda _: next(answers), cache=InMemoryCache())
    controlled = with_control(model, policy(retry=RetryEngine(max_attempts=5, **AT_ONCE)))

    assert call(controlled, "Which city?").content == '{"city":"Paris"}'


def test_usage_adds_up_over_attempts(call):
    """Rejected attempts cost tokens too, and the result says so."""
    replies = [
        Reply("bad", input_tokens=10, output_tokens=1),
        Reply(GOOD, input_tokens=20, output_tokens=5),
    ]
    controlled = with_control(ScriptedChatModel(script=replies), policy(), include_result=True)

    assert call(controlled, "Q?").usage == {
        "input_tokens": 30,
        "output_tokens": 6,
        "total_tokens": 36,
    }


def test_the_callers_request_id_is_kept(call):
    """A request id in the run's metadata becomes the id of the trail."""
    controlled = with_control(ScriptedChatModel(script=[GOOD]), policy(), include_result=True)

    result = call(controlled, "Q?", {"metadata": {"control_request_id": "abc"}})

    assert result.request_id == "abc"


@pytest.mark.parametrize("door", [with_control, create_control_graph])
def test_a_model_that_retries_by_itself_is_warned_about(door):
    """Attempts of several layers multiply, so the warning names the model and what to set."""
    with pytest.warns(UserWarning, match="max_retries=0") as warned:
        door(ScriptedChatModel(script=[]).with_retry(stop_after_attempt=3), policy())

    assert warned[0].filename == __file__


@pytest.mark.parametrize("door", [with_control, create_control_graph])
def test_the_name_of_a_model_is_no_model(door):
    """The error says what makes a model of the name."""
    with pytest.raises(TypeError, match="init_chat_model"):
        door("openai:gpt-4o")


def test_an_input_of_the_wrong_kind_names_what_is_expected(call):
    """A number is not a question."""
    with pytest.raises(TypeError, match="str, messages"):
        call(with_control(ScriptedChatModel(script=[]), policy()), 42)
    with pytest.raises(TypeError, match="contxt"):
        call(with_control(ScriptedChatModel(script=[]), policy()), {"input": "Q?", "contxt": ""})


@pytest.mark.parametrize("given", [{"question": "Q?"}, {"input": "Q?", "messages": []}, {}])
def test_a_mapping_of_the_wrong_keys_names_the_right_ones(call, given):
    """It said that a `dict` is no message, though a dict is what it takes."""
    with pytest.raises(TypeError, match=r"`input` or `messages`, and perhaps `context`; got "):
        call(with_control(ScriptedChatModel(script=[]), policy()), given)


def test_what_a_graph_takes_is_taken(call):
    """The same input goes into both doors."""
    model = ScriptedChatModel(script=[GOOD])
    given = {"messages": [("user", "Which city?")], "context": ["Paris is lovely."]}

    call(with_control(model, policy()), given)

    assert model.calls[0][-1].text == "Which city?"
    assert "Paris is lovely." in model.calls[0][0].text


def test_messages_keep_their_order_and_roles(call):
    """A conversation reaches the model as it was, apart from what the policy adds."""
    model = ScriptedChatModel(script=[GOOD])
    history = [HumanMessage("Hi."), AIMessage("Hello."), HumanMessage("Which city?")]

    call(with_control(model, policy()), history)

    assert [m.text for m in model.calls[0]] == ["Hi.", "Hello.", "Which city?"]


@pytest.mark.parametrize("document", [str, Document], ids=["text", "Document"])
def test_a_poisoned_document_is_left_out(call, document):
    """An attack in retrieved context does not reach the model and does not block the request."""
    model = ScriptedChatModel(script=[GOOD])
    given = {"input": "Which city?", "context": [document("Paris is lovely."), document(ATTACK)]}

    call(with_control(model, policy()), given)

    sent = "\n".join(m.text for m in model.calls[0])
    assert "Paris is lovely." in sent
    assert "previous instructions" not in sent


def test_a_poisoned_tool_result_is_withheld(call):
    """The tool call keeps a result, since it needs one, but not the attack in it."""
    model = ScriptedChatModel(script=[GOOD])
    looked_up = AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": "1"}])
    history = [HumanMessage("Which city?"), looked_up, ToolMessage(ATTACK, tool_call_id="1")]

    call(with_control(model, policy()), history)

    assert [m.type for m in model.calls[0]] == ["human", "ai", "tool"]
    assert "previous instructions" not in model.calls[0][-1].text


def test_tools_can_be_bound(call):
    """An answer that calls a tool goes on to whoever runs tools."""

    def search(q: str) -> None:
        """Search."""

    said = AIMessage("", tool_calls=[{"name": "search", "args": {"q": "city"}, "id": "1"}])
    model = with_control(ScriptedChatModel(script=[said]), policy()).bind_tools([search])

    assert call(model, "Which city?").tool_calls[0]["name"] == "search"


def test_chaos_ends_in_an_answer_or_a_named_failure(call):
    """Whatever the model does, the caller gets an answer that meets the contract, or a result."""
    kinds = ["timeout", "rate_limited", "server_error", "connection_error"]
    kinds += ["malformed", "truncated", "empty", "refusal", "fenced"]
    model = ChaosChatModel(
        inner=ScriptedChatModel(script=lambda _: GOOD), rates=dict.fromkeys(kinds, 0.1), seed=3
    )
    open_minded = policy(breaker=CircuitBreaker(failure_threshold=1000))
    controlled = with_control(model, open_minded, include_result=True)

    results = [call(controlled, "Which city?") for _ in range(60)]

    assert set(kinds) < set(model.chaos.drawn)
    for result in results:
        assert result.passed == (result.value == {"city": "Paris"})
        assert result.passed or result.failure_mode is not FailureMode.NONE


def test_it_is_picklable_and_reads_well():
    """A controlled model can go to another process, and its repr shows no content."""
    controlled = with_control(ScriptedChatModel(script=[GOOD]), policy())

    again = pickle.loads(pickle.dumps(controlled))

    assert again.invoke("Which city?").content == '{"city":"Paris"}'
    assert "scripted" in repr(controlled)


@pytest.mark.parametrize("include_result", [False, True])
def test_it_says_what_goes_in_and_out(include_result):
    """With `include_result` its output schema was a `PydanticUserError`, for servers and Studio."""
    controlled = with_control(ScriptedChatModel(script=[]), include_result=include_result)

    assert controlled.get_input_jsonschema()
    told = controlled.get_output_jsonschema()
    assert ("failure_mode" in str(told)) is include_result


def test_what_a_config_may_choose_is_told():
    """A server that lists the settings of a chain finds those of the model."""
    model = ScriptedChatModel(script=["hi"]).configurable_fields(
        model_name=ConfigurableField(id="which")
    )

    assert [spec.id for spec in with_control(model).config_specs] == ["which"]


@pytest.mark.parametrize("inherits", [False, True])
def test_a_trail_in_a_callback_manager_is_heard_once(call, inherits):
    """A manager hands on to a run only what it inherits: the trail stayed empty."""
    sink = MemorySink()
    audit = AuditLogger(None, sinks=[sink])
    manager = CallbackManager([audit], [audit] if inherits else [])
    chain = with_control(ScriptedChatModel(script=["hi"]), ControlPolicy(audit=audit))

    call(chain, "?", {"callbacks": manager})

    assert len(sink.records) == 2


@pytest.mark.parametrize(
    "dress", [lambda model: RunnableLambda(lambda m: m) | model, CircuitBreaker().wrap]
)
def test_tools_are_bound_to_the_model_before_it_is_put_into_something(dress):
    """The error said that the model takes no tools, which it does."""
    with pytest.raises(TypeError, match="bind them to the chat model in it"):
        with_control(dress(ScriptedChatModel(script=["hi"]))).bind_tools([])


def test_a_damaged_text_is_asked_for_again_as_text(call):
    """A contract that asks for no JSON must not be met by JSON that a correction asked for."""
    damaged = AIMessage("Par", response_metadata={"finish_reason": "malformed_response"})
    model = ScriptedChatModel(script=[damaged, "Paris."])

    plain = policy(validator=ResponseValidator())

    assert call(with_control(model, plain), "Which city?").text == "Paris."
    assert "Answer once more" in model.calls[1][-1].text
    assert "JSON" not in model.calls[1][-1].text


@pytest.mark.parametrize("door", [with_control, create_control_graph])
def test_a_template_that_would_print_messages_is_refused(door):
    """The model was shown a Python list in its question."""
    template = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "In {city}?")])

    with pytest.raises(TypeError, match=r"template \| with_control"):
        door(template | ScriptedChatModel(script=[]))


def test_a_template_with_a_place_for_messages_is_taken(call):
    """It shows the model the conversation."""
    template = ChatPromptTemplate.from_messages([("system", "Be brief."), MessagesPlaceholder("m")])
    model = ScriptedChatModel(script=["Yes."])

    call(with_control(template | model), "In Oslo?")

    assert [m.text for m in model.calls[0]] == ["Be brief.", "In Oslo?"]


def test_a_cached_answer_has_a_place_of_its_own_in_a_thread(call):
    """With the id of the first one it replaced that, and the later turn had no answer."""
    model = ScriptedChatModel(script=["Fine."], cache=InMemoryCache())
    last_only = RunnableLambda(lambda prompt: prompt[-1:]) | model
    graph = create_control_graph(last_only, checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "1"}}

    for _ in range(2):
        state = call(graph, {"messages": [("user", "How are you?")]}, thread)

    assert [m.text for m in state["messages"]] == ["How are you?", "Fine."] * 2
    assert result_of(state).unwrap().text == "Fine."


def test_what_wants_a_chat_model_is_told_that_this_is_none():
    """LangChain's middleware met an attribute that was missing, and nothing that says why."""
    controlled = with_control(ScriptedChatModel(script=[]))

    with pytest.raises(AttributeError, match=r"no `BaseChatModel`.*the model itself"):
        SummarizationMiddleware(controlled)
    assert not hasattr(controlled, "_llm_type")
