"""The retry engine: its decisions, and the loop around a Runnable."""

import asyncio
import pickle
from random import Random
from typing import ClassVar, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelRateLimitError,
)
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.errors import GraphBubbleUp
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel, ValidationError

from langchain_control._effects import Call, Sleep
from langchain_control.components.retry import Retry, RetryEngine
from langchain_control.components.shapes import Gate
from langchain_control.components.validator import ResponseValidator
from langchain_control.errors import (
    AttemptsExhausted,
    BudgetExceeded,
    InputRejected,
    RateLimited,
    ResponseRejected,
)
from langchain_control.outcomes import (
    ControlResult,
    FailureMode,
    PlannedRetry,
    Violation,
    failure,
    passed,
)
from langchain_control.retries.budget import RetryBudget
from langchain_control.testing import ScriptedChatModel
from tests.openai_provider import Provider, tool_call


def attempt(mode=FailureMode.TIMEOUT, *, number=1, message="m"):
    """A record of one attempt."""
    return {
        "number": number,
        "model": "m",
        "failure_mode": FailureMode(mode).value,
        "message": message,
        "latency_ms": 1.0,
        "input_tokens": 0,
        "output_tokens": 0,
        "strategy": "none",
        "mutation": None,
    }


def attempts(*modes):
    """Records of attempts that failed one after the other."""
    return [attempt(mode, number=n) for n, mode in enumerate(modes, start=1)]


def climbed(*modes, engine=None):
    """Records of attempts that were each made as the engine said after the one before."""
    made = []
    for number, mode in enumerate(modes, start=1):
        retry = (engine or ENGINE).decide(made) if made else None
        rung = {"rung": retry.rung} if retry else {}
        made.append({**attempt(mode, number=number), **rung})
    return made


ENGINE = RetryEngine(jitter_seconds=0)

CONTENT = sorted(mode for mode in FailureMode if ENGINE.policies[mode].correction)
TRANSPORT = [FailureMode.MODEL_ERROR, FailureMode.RATE_LIMITED]
HOPELESS = sorted(mode for mode in FailureMode if not ENGINE.policies[mode].retry)


# --- deciding -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", CONTENT)
def test_a_failure_of_content_changes_the_prompt(mode):
    """The next attempt carries the correction for what went wrong."""
    retry = ENGINE.decide(attempts(mode))

    assert retry.number == 2
    assert retry.feedback == ENGINE.hint(mode)
    assert (retry.strategy, retry.mutation) == ("prompt_mutation", mode.value)


@pytest.mark.parametrize("mode", TRANSPORT)
def test_a_failure_of_transport_waits_and_says_nothing(mode):
    """The model did nothing wrong, so it is told nothing."""
    retry = ENGINE.decide(attempts(mode))

    assert (retry.feedback, retry.strategy, retry.mutation) == (None, "simple", None)
    assert retry.delay_seconds > 0


@pytest.mark.parametrize("mode", HOPELESS)
def test_a_hopeless_failure_is_not_retried(mode):
    """An attack, an open circuit or a wrong key stays what it is."""
    assert ENGINE.decide(attempts(mode)) is None


def test_the_last_failure_decides():
    """What went wrong before does not matter once something hopeless happened."""
    assert ENGINE.decide(attempts("timeout", "model_rejected")) is None


def test_attempts_are_used_up():
    """`max_attempts` counts the first call, too."""
    engine = RetryEngine(max_attempts=2)

    assert engine.decide(attempts("timeout")) is not None
    assert engine.decide(attempts("timeout", "timeout")) is None


def test_one_attempt_means_no_retry():
    """With `max_attempts=1` nothing is ever repeated."""
    assert RetryEngine(max_attempts=1).decide(attempts("timeout")) is None


def test_a_decision_needs_an_attempt():
    """Asking before anything happened is a mistake in the calling program."""
    with pytest.raises(ValueError, match="at least one attempt"):
        ENGINE.decide([])


def test_the_correction_names_what_was_wrong():
    """Violations of the last answer stand in the feedback."""
    violation = Violation("required", "the key `total`", path="/invoice")

    retry = ENGINE.decide(attempts("schema_violation"), violations=[violation])

    assert "/invoice: expected the key `total`" in retry.feedback


def test_an_outage_does_not_make_the_model_forget_its_correction():
    """A 503 between two answers must not bring back the very prompt that failed first."""
    retry = ENGINE.decide(attempts("schema_violation", "model_error"))

    assert retry.feedback == ENGINE.hint(FailureMode.SCHEMA_VIOLATION)
    assert retry.mutation == "schema_violation"


def test_the_latest_correction_counts():
    """A newer answer was wrong in another way."""
    engine = RetryEngine(max_attempts=9)

    retry = engine.decide(attempts("schema_violation", "constraint_violation", "model_error"))

    assert retry.mutation == "constraint_violation"


@pytest.mark.parametrize(
    "modes",
    [
        ["constraint_violation"] * 4,
        ["schema_violation", "hallucination"] * 3,
        ["timeout", "timeout", "schema_violation", "schema_violation"],
    ],
)
def test_no_two_corrections_are_the_same(modes):
    """A model that has not understood gets other words, also where the same failure comes back."""
    table = {mode: {"max_repeats": None} for mode in modes}
    engine = RetryEngine(max_attempts=9, policies=table)

    told = [engine.decide(attempts(*modes[:n])).feedback for n in range(1, len(modes) + 1)]

    assert len(set(told)) == len(told)


def test_an_outage_is_no_wrong_answer():
    """What went wrong is counted by answers; a prompt that got none may be sent again."""
    failed = attempts("schema_violation", "model_error")

    assert "times" not in ENGINE.decide(failed).feedback


def test_violations_belong_to_the_last_failure():
    """What is wrong with the last answer is not said of an earlier one."""
    violation = Violation("r", "something else")

    retry = ENGINE.decide(attempts("schema_violation", "model_error"), violations=[violation])

    assert "something else" not in retry.feedback


def test_a_damaged_answer_asks_for_the_native_schema_mode_from_then_on():
    """The strongest remedy stays on while the run goes on."""
    assert ENGINE.decide(attempts("schema_violation")).native_schema
    assert ENGINE.decide(climbed("schema_violation", "timeout")).native_schema
    assert ENGINE.decide(attempts("truncated")).native_schema
    assert not ENGINE.decide(attempts("timeout")).native_schema


def test_each_cut_off_answer_raises_the_limit_again():
    """The factor is against the model's own limit, so it grows."""
    assert ENGINE.decide(attempts("truncated")).answer_limit_factor == 2
    assert ENGINE.decide(attempts("truncated", "truncated")).answer_limit_factor == 4
    assert ENGINE.decide(attempts("timeout")).answer_limit_factor == 1


def test_a_prompt_beyond_the_window_goes_to_another_model():
    """It stays too long for this one, whatever is said."""
    beyond = attempts("context_overflow")

    assert ENGINE.decide(beyond) is None
    assert ENGINE.override(other_model=LARGER).decide(beyond).rung == "other_model"


def test_a_failure_between_two_equal_ones_is_progress():
    """Only what fails twice in a row is given up early."""
    engine = RetryEngine(max_attempts=9, policies={"timeout": {"max_repeats": 1}})

    assert engine.decide(attempts("timeout", "model_error", "timeout")) is not None


def test_a_table_decides_where_to_stop_at_a_repeated_failure():
    """Stopping early is a setting of each row."""
    engine = RetryEngine(policies={"timeout": {"max_repeats": 1}})

    assert engine.decide(attempts("timeout")) is not None
    assert engine.decide(attempts("timeout", "timeout")) is None


@pytest.mark.parametrize("mode", CONTENT)
def test_a_model_that_is_wrong_in_the_same_place_is_given_up_early(mode):
    """Nine attempts would not help either, whatever the failure of content."""
    engine = RetryEngine(max_attempts=9, policies={"timeout": {"max_repeats": 2}})
    given_up_after = next(
        n for n in range(1, 9) if engine.decide(climbed(*[mode] * n, engine=engine)) is None
    )

    assert given_up_after == 3


def test_a_model_that_is_wrong_in_another_place_each_time_is_not():
    """A small model that draws anew may well get there."""
    engine = RetryEngine(max_attempts=9)
    drawn = [
        {**attempt("schema_violation", number=n), "rung": "native_schema", "fingerprint": str(n)}
        for n in range(1, 9)
    ]

    assert engine.decide(drawn) is not None


LARGER = ScriptedChatModel(script=[], model_name="larger")


def test_the_last_attempt_is_left_to_the_other_model():
    """Every rung has a try, as far as the attempts go."""
    engine = ENGINE.override(other_model=LARGER)

    rungs = [
        [engine.decide(climbed(*[mode] * n, engine=engine)).rung for n in (1, 2)]
        for mode in ("schema_violation", "constraint_violation")
    ]

    assert rungs == [["native_schema", "other_model"], ["same_model", "other_model"]]


def test_without_another_model_its_rung_is_left_out():
    """The table may name it all the same."""
    assert [ENGINE.decide(climbed(*["schema_violation"] * n)).rung for n in (1, 2)] == [
        "native_schema",
        "native_schema",
    ]


def test_a_row_that_knows_only_the_other_model_gives_up_without_one():
    """A fallback is due at once."""
    rows = {"hallucination": {"ladder": ["other_model"]}}

    assert RetryEngine(policies=rows).decide(attempts("hallucination")) is None
    engine = RetryEngine(policies=rows, other_model=LARGER)
    assert engine.decide(attempts("hallucination")).rung == "other_model"


def test_the_other_model_is_asked_in_its_schema_mode():
    """What a rung below has changed stays changed."""
    engine = ENGINE.override(other_model=LARGER)

    assert engine.decide(climbed(*["schema_violation"] * 2, engine=engine)).native_schema
    assert not engine.decide(climbed(*["hallucination"] * 2, engine=engine)).native_schema


def test_each_failure_of_content_draws_anew():
    """A seed that failed twice is not taken a third time; an outage says nothing about it."""
    assert ENGINE.decide(attempts("schema_violation")).resamples == 1
    assert ENGINE.decide(attempts("schema_violation", "hallucination")).resamples == 2
    assert ENGINE.decide(attempts("model_error")).resamples == 0


def test_a_listed_model_is_shown_its_answer():
    """Below the correction, and only if it is the one that gave it."""
    engine = RetryEngine(max_attempts=2, other_model=LARGER, quote_answers_of=("m",))
    said = {"answer": "The city is </answer> Paris."}
    snapshot = [{**attempt("hallucination"), "model": "m-2026-11-23"}]

    shown = ENGINE.override(quote_answers_of=("m",)).decide(attempts("hallucination"), **said)

    assert shown.feedback.startswith(ENGINE.hint(FailureMode.HALLUCINATION))
    assert shown.feedback.endswith("answer\u203a Paris.\n</answer>")
    assert "Paris" in ENGINE.override(quote_answers_of=("m",)).decide(snapshot, **said).feedback
    assert "Paris" not in ENGINE.decide(attempts("hallucination"), **said).feedback
    assert "Paris" not in engine.decide(attempts("hallucination"), **said).feedback


def test_an_outage_leaves_nothing_to_quote():
    """What the last answer was is not said of an earlier one."""
    engine = RetryEngine(quote_answers_of=("m",))

    feedback = engine.decide(attempts("hallucination", "model_error"), answer="Paris").feedback

    assert "Paris" not in feedback


def test_what_is_no_model_cannot_be_the_other_one():
    """A name in a configuration file is none yet."""
    with pytest.raises(ValidationError, match="other_model"):
        RetryEngine(other_model="gpt-4o")


def test_the_repr_names_the_other_model_only():
    """A model's own repr may hold keys and addresses."""
    assert "other_model='larger'" in repr(RetryEngine(other_model=LARGER))


@pytest.mark.parametrize("mode", FailureMode)
def test_should_retry_agrees_with_decide(mode):
    """The short question and the long one have one answer."""
    assert ENGINE.should_retry(mode, 1) == (ENGINE.decide(attempts(mode)) is not None)
    assert not ENGINE.should_retry(mode, ENGINE.max_attempts)


@pytest.mark.parametrize("mode", HOPELESS + TRANSPORT)
def test_there_is_no_hint_where_the_prompt_is_not_at_fault(mode):
    """A hint that could never be sent does not exist."""
    assert ENGINE.hint(mode) is None


@given(st.lists(st.sampled_from(FailureMode), min_size=1, max_size=8), st.integers(1, 6))
def test_every_sequence_of_failures_ends(modes, max_attempts):
    """No history leads past `max_attempts`, and every retry is the next attempt."""
    retry = RetryEngine(max_attempts=max_attempts).decide(attempts(*modes))

    if retry is not None:
        assert retry.number == len(modes) + 1 <= max_attempts
        assert (retry.feedback is None) == (retry.strategy == "simple") == (retry.mutation is None)


# --- waiting --------------------------------------------------------------------------------------


def test_the_wait_doubles_up_to_the_cap():
    """Backoff is exponential and bounded."""
    engine = RetryEngine(base_delay_seconds=0.1, max_delay_seconds=0.5, jitter_seconds=0)

    assert [engine.delay_seconds(n) for n in range(1, 6)] == [0.1, 0.2, 0.4, 0.5, 0.5]


@given(
    number=st.integers(1, 10_000),
    base=st.floats(0, 5),
    cap=st.floats(5, 100),
    jitter=st.floats(0, 100),
    seed=st.integers(),
)
def test_jitter_stays_between_the_backoff_and_the_cap(number, base, cap, jitter, seed):
    """The cap holds with jitter, whatever chance adds."""
    settings = {"base_delay_seconds": base, "max_delay_seconds": cap}
    plain = RetryEngine(**settings, jitter_seconds=0).delay_seconds(number)
    engine = RetryEngine(**settings, jitter_seconds=jitter, random=Random(seed))

    delay = engine.delay_seconds(number)

    assert plain <= delay <= min(plain + jitter, cap)


def test_jitter_comes_from_the_given_source():
    """A seeded source makes waits reproducible."""
    delays = {RetryEngine(random=Random(7)).delay_seconds(1) for _ in range(5)}

    assert len(delays) == 1
    assert RetryEngine(random=Random(8)).delay_seconds(1) not in delays


def test_a_longer_retry_after_wins_even_over_the_cap():
    """The provider knows better than our cap when it will answer again."""
    assert ENGINE.delay_seconds(1, retry_after=60) == 60
    assert ENGINE.delay_seconds(1, retry_after=0.001) == ENGINE.base_delay_seconds


def test_only_rows_that_honor_retry_after_wait_for_it():
    """A row may ignore what the provider asks for."""
    deaf = RetryEngine(jitter_seconds=0, policies={"rate_limited": {"honor_retry_after": False}})

    assert ENGINE.decide(attempts("rate_limited"), retry_after=9).delay_seconds == 9
    assert deaf.decide(attempts("rate_limited"), retry_after=9).delay_seconds == 0.05


def test_a_retry_after_too_long_is_not_waited_for():
    """A provider that asks for an hour would hold its caller for one."""
    assert ENGINE.decide(attempts("rate_limited"), retry_after=60).delay_seconds == 60
    assert ENGINE.decide(attempts("rate_limited"), retry_after=61) is None


@pytest.mark.parametrize(
    ("remaining", "retries"), [(9.1, True), (9.0, False), (0.0, False), (-1.0, False), (None, True)]
)
def test_a_wait_that_does_not_fit_is_not_begun(remaining, retries):
    """Waiting past the deadline would only delay the fallback."""
    retry = ENGINE.decide(attempts("rate_limited"), retry_after=9, remaining_seconds=remaining)

    assert (retry is not None) is retries


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"max_attempts": 0}, "max_attempts"),
        ({"base_delay_seconds": -1}, "base_delay_seconds"),
        ({"jitter_seconds": -0.1}, "jitter_seconds"),
        ({"base_delay_seconds": 3, "max_delay_seconds": 2}, "base_delay_seconds"),
        ({"attempts": 3}, "attempts"),
        ({"policies": {"circuit_open": {"retry": True}}}, "circuit_open"),
        ({"policies": {"refusal": {"retry": True}, "timeout": {"retries": 1}}}, "timeout.*retries"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused_with_its_name(settings, names):
    """Contradictions surface where the engine is made."""
    with pytest.raises(ValidationError, match=names):
        RetryEngine(**settings)


def test_a_model_behind_an_engine_is_told_from_one_in_it():
    """An engine takes attempts; what it retries is wrapped by it, not piped into."""
    with pytest.raises(TypeError, match=r"`RetryEngine\(\)\.wrap\(runnable\)`"):
        (RetryEngine() | LARGER).invoke("Hello")


def test_it_survives_pickling_with_its_table():
    """An engine goes to another process with everything it was told."""
    engine = RetryEngine(max_attempts=5, policies={"refusal": {"retry": True}})
    copy = pickle.loads(pickle.dumps(engine))

    assert copy.max_attempts == 5
    assert copy.decide(attempts("refusal")) is not None


def test_override_keeps_the_rest():
    """A changed engine differs in what was changed."""
    engine = RetryEngine(max_attempts=5, jitter_seconds=0).override(base_delay_seconds=0.2)

    assert (engine.max_attempts, engine.delay_seconds(1)) == (5, 0.2)


# --- as a Runnable --------------------------------------------------------------------------------


def test_as_a_runnable_it_decides(call):
    """Invoked with attempts, the engine answers how to go on."""
    assert isinstance(call(ENGINE, attempts("timeout")), Retry)
    assert call(ENGINE, attempts("circuit_open")) is None


def test_its_schema_describes_attempts_and_decision():
    """Tools can show what goes in and what comes out."""
    assert ENGINE.get_input_jsonschema()["type"] == "array"
    assert "Retry" in ENGINE.get_output_jsonschema()["$defs"]


# --- around a Runnable ----------------------------------------------------------------------------


class Wants(Gate[AIMessage]):
    """Passes an answer that holds a word."""

    _error = ResponseRejected
    word: str

    def judge(self, value):
        yield from ()
        if self.word in value.text:
            return passed(value)
        violation = Violation("must_contain", f"the word `{self.word}`")
        return failure(
            FailureMode.CONSTRAINT_VIOLATION, "a word is missing", violations=(violation,)
        )

    def clean(self, value, verdict):
        """Show that the answer went through here."""
        return AIMessage(value.text.upper())


OUTAGE = ModelAPIError("503")


@pytest.mark.parametrize(
    "error",
    [
        OUTAGE,
        ModelConnectionError("refused"),
        ModelRateLimitError("429"),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_of_the_provider_is_retried(call, at_once, error):
    """Connection errors, 429, 5xx and timeouts pass with time."""
    model = ScriptedChatModel(script=[error, "fine"])

    assert call(at_once.wrap(model), "hi").text == "fine"
    assert len(model.calls) == 2


def test_a_simple_retry_sends_the_same_prompt(call, at_once):
    """An outage changes nothing in the prompt."""
    model = ScriptedChatModel(script=[OUTAGE, "fine"])

    call(at_once.wrap(model), "hi")

    assert model.calls == [[HumanMessage("hi")]] * 2


def test_a_rejected_answer_is_retried_with_a_correction(call, at_once):
    """With a validator, what is wrong with an answer stands in the next prompt."""
    model = ScriptedChatModel(script=["no", "yes"])

    answer = call(at_once.wrap(model, validator=Wants(word="yes")), "hi")

    assert answer.text == "YES"
    first, second = model.calls
    assert first == [HumanMessage("hi")]
    assert second[:-1] == first
    assert "expected the word `yes`" in second[-1].text
    assert "no" not in second[-1].text.split()


def test_corrections_do_not_pile_up(call, at_once):
    """Each attempt gets the question and one correction."""
    model = ScriptedChatModel(script=["no", "no", "yes"])

    call(at_once.wrap(model, validator=Wants(word="yes")), "hi")

    assert [len(messages) for messages in model.calls] == [1, 2, 2]
    assert model.calls[1] != model.calls[2]


def test_a_parser_in_a_chain_counts_as_a_validator(call, at_once):
    """What LangChain's own parsers refuse is retried, too."""
    model = ScriptedChatModel(script=["not JSON", '{"n": 1}'])

    assert call(at_once.wrap(model | JsonOutputParser()), "hi") == {"n": 1}


class Total(BaseModel):
    """A total."""

    n: int


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("json_schema", ['{"n": "many"}', '{"n": 1}']),
        ("json_schema", ["not JSON", '{"n": 1}']),
        ("function_calling", [tool_call("Total", n="many"), tool_call("Total", n=1)]),
        ("json_mode", ['{"n": "many"}', '{"n": 1}']),
    ],
)
def test_langchains_own_structured_output_is_retried(call, at_once, method, says):
    """Whatever its parsers raise, and OpenAI's client, for an answer that is no such object."""
    provider = Provider(*says)
    structured = provider.model().with_structured_output(Total, method=method)

    assert call(at_once.wrap(structured), "A number, as JSON?") == Total(n=1)
    assert len(provider.requests) == 2


def test_a_mistake_of_the_application_beside_a_parser_is_raised_at_once(call, at_once):
    """An object that its own code cannot make is no answer of a model."""
    made = RunnableLambda(lambda given: Total(n=given.text))

    with pytest.raises(ValidationError):
        call(at_once.wrap(ScriptedChatModel(script=["many"]) | made), "A number?")


def test_a_prompt_template_gets_the_correction_as_feedback(call, at_once):
    """A chain that begins with a mapping has a place for the correction."""
    prompt = ChatPromptTemplate.from_messages([("user", "{input}"), ("placeholder", "{feedback}")])
    model = ScriptedChatModel(script=["no", "yes"])

    call(at_once.wrap(prompt | model, validator=Wants(word="yes")), {"input": "hi"})

    first, second = model.calls
    assert first == [HumanMessage("hi")]
    assert second[:-1] == first
    assert "the word `yes`" in second[-1].text


def test_given_up_it_raises_what_came_last(call, at_once):
    """The caller sees the provider's own exception."""
    errors = [ModelAPIError("1"), ModelAPIError("2"), ModelAPIError("3")]

    with pytest.raises(ModelAPIError) as caught:
        call(at_once.wrap(ScriptedChatModel(script=errors)), "hi")

    assert caught.value is errors[-1]


def test_given_up_on_answers_it_raises_the_rejection(call, at_once):
    """The last verdict tells what was wrong."""
    model = ScriptedChatModel(script=["no"] * 3)

    with pytest.raises(ResponseRejected) as caught:
        call(at_once.wrap(model, validator=Wants(word="yes")), "hi")

    assert caught.value.failure_mode is FailureMode.CONSTRAINT_VIOLATION
    assert len(model.calls) == 3


@pytest.mark.parametrize(
    "error",
    [ModelAuthenticationError("401"), KeyError("a bug"), GraphBubbleUp()],
    ids=lambda e: type(e).__name__,
)
def test_what_no_retry_can_mend_is_raised_at_once(call, at_once, error):
    """A wrong key, a bug and an interrupt each cost one call."""
    model = ScriptedChatModel(script=[error])

    with pytest.raises(type(error)):
        call(at_once.wrap(model), "hi")

    assert len(model.calls) == 1


@pytest.mark.parametrize("kind", [InputRejected, BudgetExceeded, AttemptsExhausted])
def test_what_was_decided_for_good_is_raised_at_once(call, at_once, kind):
    """An input that was turned away stays so, and whoever tried everything is not asked again."""
    result = ControlResult(status="rejected", failure_mode=FailureMode.CONSTRAINT_VIOLATION)
    calls = []

    def turn_away(value):
        calls.append(value)
        raise kind(result=result)

    with pytest.raises(kind):
        call(at_once.wrap(turn_away), "")

    assert calls == [""]


def test_a_rate_limit_of_ours_is_waited_for(call, at_once):
    """A limiter in the chain says when there is room again."""
    full = RateLimited(
        result=ControlResult(
            status="rejected", failure_mode=FailureMode.RATE_LIMITED, retry_after=0.0
        )
    )

    assert call(at_once.wrap(ScriptedChatModel(script=[full, "fine"])), "hi").text == "fine"


def test_cancellation_is_not_retried(at_once):
    """A cancelled call stays cancelled."""
    calls = []

    async def hang(_):
        calls.append(1)
        begun.set()
        await asyncio.Event().wait()

    async def cancelled():
        task = asyncio.create_task(at_once.wrap(RunnableLambda(hang)).ainvoke("hi"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    begun = asyncio.Event()
    asyncio.run(cancelled())
    assert calls == [1]


class ThrottledError(ModelRateLimitError):
    """A 429 as an SDK raises it."""

    def __init__(self, headers):
        """Carry the headers of the response."""
        super().__init__("429")
        self.response = type("Response", (), {"headers": headers})()


def test_it_waits_as_the_provider_asks():
    """`Retry-After` and backoff become the waits of the loop, in order."""
    answers = iter([ThrottledError({"retry-after": "7"}), OUTAGE, "fine"])
    flow = ENGINE._around(RunnableLambda(str), "hi", {})
    waits, outcome = [], None
    effect = next(flow)
    while outcome is None:
        try:
            match effect:
                case Call():
                    reply = next(answers)
                    failed = isinstance(reply, Exception)
                    effect = flow.throw(reply) if failed else flow.send(reply)
                case Sleep(seconds):
                    waits.append(seconds)
                    effect = flow.send(None)
                case _:
                    effect = flow.send(None)
        except StopIteration as stop:
            outcome = stop.value

    assert outcome == "fine"
    assert waits == [7, 0.1]


class Heard(BaseCallbackHandler):
    """Keeps custom events and the tags of model calls."""

    run_inline: ClassVar[bool] = True

    def __init__(self):
        """Start with nothing heard."""
        self.events, self.tags = [], []

    def on_custom_event(self, name, data, **kwargs):
        """Keep the event."""
        self.events.append({"name": name, **data})

    def on_chat_model_start(self, *args, tags=None, **kwargs):
        """Keep the tags."""
        self.tags.append(tags)


def test_every_retry_is_told(call, at_once):
    """Listeners hear which attempt comes next and why, and see it in the tags of the call."""
    heard = Heard()
    model = ScriptedChatModel(script=["no", OUTAGE, "yes"])

    call(at_once.wrap(model, validator=Wants(word="yes")), "hi", {"callbacks": [heard]})

    told = [e for e in heard.events if e["name"] == "control.retry_scheduled"]
    assert [(e["number"], e["failure_mode"], e["strategy"]) for e in told] == [
        (2, "constraint_violation", "prompt_mutation"),
        (3, "model_error", "prompt_mutation"),
    ]
    assert [[t for t in tags if t.startswith("retry")] for tags in heard.tags] == [
        [],
        ["retry:attempt:2"],
        ["retry:attempt:3"],
    ]


@pytest.mark.parametrize("value", ["hi", {"input": "hi"}], ids=["text", "mapping"])
def test_a_retry_without_a_place_for_the_correction_says_so(call, at_once, value):
    """The prompt is the same, and nobody is told that it was changed."""
    heard = Heard()
    model = ScriptedChatModel(script=["no", "yes"])
    chain = ChatPromptTemplate.from_messages([("user", "{input}")]) | model

    call(at_once.wrap(chain, validator=Wants(word="yes")), value, {"callbacks": [heard]})

    assert model.calls == [[HumanMessage("hi")]] * 2
    told = [e for e in heard.events if e["name"] == "control.retry_scheduled"]
    assert [(e["strategy"], e.get("mutation")) for e in told] == [("simple", None)]


def test_a_retry_does_not_read_the_cache(call, at_once):
    """A cached bad answer would come back unchanged for ever."""
    replies = iter(["no", "no", "yes"])
    model = ScriptedChatModel(script=lambda _: next(replies), cache=InMemoryCache())
    prompt = [HumanMessage("hi")]
    retrying = at_once.override(policies={"constraint_violation": {"correction": None}}).wrap(
        model, validator=Wants(word="yes")
    )

    assert call(retrying, prompt).text == "YES"
    assert len(model.calls) == 3


def test_a_model_that_retries_by_itself_is_warned_about(at_once):
    """Layers of retries multiply, so one of them has to go."""
    model = RunnableLambda(str).with_retry(stop_after_attempt=3)

    with pytest.warns(UserWarning, match=r"3 calls: .*max_retries=0"):
        at_once.wrap(model)


def test_a_wrapped_runnable_keeps_its_types(at_once):
    """The outside of a wrapped chain looks like its inside."""
    model = ScriptedChatModel(script=["hi"])
    wrapped = at_once.wrap(model)

    assert wrapped.InputType == model.InputType
    assert wrapped.OutputType == model.OutputType


def test_a_wrapped_runnable_draws_on_the_shared_budget(call):
    """When the budget is dry, a failure is raised at once; a success after a retry refills it."""
    budget = RetryBudget(5, retry_cost=5)
    engine = RetryEngine(max_attempts=9, base_delay_seconds=0, jitter_seconds=0, budget=budget)
    script = [ConnectionError(), "fine", ConnectionError(), ConnectionError(), "never asked"]
    model = ScriptedChatModel(script=script)
    retrying = engine.wrap(model)

    assert call(retrying, "Q?").content == "fine"
    assert budget.left == 5
    with pytest.raises(ConnectionError):
        call(retrying, "Q?")
    assert len(model.calls) == 4


def test_a_retry_is_kept_in_a_state_with_all_of_its_fields():
    """What a state holds of a retry is what the engine decided, by the same names and types."""
    assert get_type_hints(PlannedRetry) == get_type_hints(Retry)


def test_a_draft_that_a_validator_rejects_is_not_streamed():
    """Who reads along in a graph sees the answer alone."""
    model = ScriptedChatModel(script=["bad one", "good one"])
    engine = RetryEngine(base_delay_seconds=0, jitter_seconds=0)
    chain = engine.wrap(model, validator=ResponseValidator(forbidden_phrases=["bad"]))
    graph = StateGraph(MessagesState)
    graph.add_node("ask", lambda state: {"messages": [chain.invoke(state["messages"])]})
    graph.add_edge(START, "ask")

    shown = graph.compile().stream({"messages": [("user", "?")]}, stream_mode="messages")

    assert [message.text for message, _ in shown] == ["good one"]
