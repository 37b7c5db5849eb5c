"""Answers that are read while they arrive."""

from __future__ import annotations

import json
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import ConfigurableField, RunnableGenerator, RunnableLambda
from pydantic import BaseModel

from langchain_control import (
    ControlPolicy,
    FailureMode,
    ResponseValidator,
    RetryEngine,
)
from langchain_control.runnable import with_control
from langchain_control.runs.watching import FIRST_LOOK_CHARS, watched

ONCE = RetryEngine(max_attempts=1)


class Invoice(BaseModel):
    customer: str
    total: int
    lines: list[str] = []


class Tap:
    """Streams words, and counts those that were taken."""

    def __init__(self, *words: str) -> None:
        self.words, self.taken, self.closed = words, 0, False

    def stream(self, _, **_settings):
        try:
            for word in self.words:
                self.taken += 1
                yield AIMessageChunk(word)
        finally:
            self.closed = True

    async def astream(self, _, **_settings):
        for chunk in self.stream(_):
            yield chunk

    def runnable(self):
        return RunnableGenerator(self.stream, self.astream)


def policy(**validator) -> ControlPolicy:
    return ControlPolicy(
        validator=ResponseValidator(**validator), retry=ONCE, judge_while_streaming=True
    )


def words(count: int, word: str = "word ") -> list[str]:
    return [word] * count


def test_an_answer_that_grew_too_long_is_cut_off(call):
    """The model is not listened to beyond the limit by more than a fifth."""
    tap = Tap(*words(1_000))
    controlled = with_control(tap.runnable(), policy(max_length=200), include_result=True)

    result = call(controlled, "Tell me.")

    assert result.failure_mode is FailureMode.TOKEN_OVERFLOW
    assert [v.rule for v in result.violations] == ["max_length"]
    assert 200 < tap.taken * len("word ") <= 200 * 1.2 + 2 * len("word ")


def test_the_stream_of_an_answer_cut_off_is_closed():
    """A provider whose stream is closed stops generating."""
    tap = Tap(*words(1_000))

    with_control(tap.runnable(), policy(max_length=200), include_result=True).invoke("Tell me.")

    assert tap.closed


def test_a_forbidden_phrase_ends_the_answer(call):
    """What must not be said cannot be unsaid."""
    tap = Tap(*words(20), "guaranteed ", "returns ", *words(1_000))
    rules = policy(forbidden_phrases=["guaranteed returns"])

    result = call(with_control(tap.runnable(), rules, include_result=True), "Tell me.")

    assert result.failure_mode is FailureMode.CONSTRAINT_VIOLATION
    assert tap.taken < 100


def test_a_member_of_the_wrong_type_ends_the_answer(call):
    """The correction names the place, though most of the answer was never written."""
    opening = '{"customer": "Ada", "total": "twelve", "lines": ["'
    tap = Tap(opening, *words(1_000), '"]}')
    rules = policy(response_schema=Invoice)

    result = call(with_control(tap.runnable(), rules, include_result=True), "Tell me.")

    assert result.failure_mode is FailureMode.SCHEMA_VIOLATION
    assert [(v.rule, v.path) for v in result.violations] == [("type", "/total")]
    assert tap.taken < 50


def test_a_good_answer_arrives_whole(call):
    """Watching changes nothing about an answer that passes."""
    text = json.dumps({"customer": "Ada", "total": 12, "lines": ["tea"] * 100})
    tap = Tap(*(text[i : i + 7] for i in range(0, len(text), 7)))
    rules = policy(response_schema=Invoice)

    result = call(with_control(tap.runnable(), rules, include_result=True), "Tell me.")

    assert result.passed
    assert result.value == json.loads(text)


def test_what_a_chat_model_reports_at_the_end_is_kept(call):
    """The parts of a streamed message are put together as LangChain does it."""
    model = GenericFakeChatModel(messages=iter([AIMessage("a plain answer")]))

    result = call(with_control(model, policy(), include_result=True), "Tell me.")

    assert result.message.content == "a plain answer"
    assert type(result.message) is AIMessage


def test_plain_functions_are_called_as_ever(call):
    """What cannot stream gives its answer in one piece."""
    controlled = with_control(lambda _: "x" * 500, policy(max_length=100), include_result=True)

    assert call(controlled, "Tell me.").failure_mode is FailureMode.TOKEN_OVERFLOW


def test_a_model_that_says_nothing_gave_an_empty_answer(call):
    """A stream without a single part is no crash."""
    result = call(with_control(Tap().runnable(), policy(), include_result=True), "Tell me.")

    assert [v.rule for v in result.violations] == ["empty"]


def test_what_is_no_answer_is_still_a_mistake_of_the_program(call):
    """A function that returns a number is not mended by watching it."""
    controlled = with_control(lambda _: 7, policy(max_length=100))

    with pytest.raises(TypeError, match="got `int`; a parser belongs after what judges"):
        call(controlled, "Tell me.")


@pytest.mark.filterwarnings("ignore:.*retries:UserWarning")
@pytest.mark.parametrize(
    "dress",
    [
        lambda model: model,
        lambda model: RunnableLambda(str) | model,
        lambda model: model.with_fallbacks([model]),
        lambda model: model.with_retry(),
        lambda model: model.configurable_fields(name=ConfigurableField(id="name")),
    ],
    ids=["bound", "chain", "fallbacks", "retry", "configurable"],
)
def test_models_with_tools_are_not_watched(dress):
    """Text before a tool call is no answer yet, and may be long: all of it is heard."""
    tap = Tap(*words(1_000))
    model = dress(tap.runnable().bind(tools=[{"name": "search"}]))

    with_control(model, policy(max_length=200), include_result=True).invoke("Tell me.")

    assert tap.taken == 1_000


def test_looks_cost_linear_time_together():
    """The texts looked at add up to a few times the whole, however small its parts."""
    looks: list[int] = []
    tap = Tap(*["x"] * 20_000)

    watched(tap.runnable(), lambda text: looks.append(len(text))).invoke("Tell me.")

    assert looks[0] == FIRST_LOOK_CHARS
    assert sum(looks) < 7 * 20_000


# --- what may be said of a beginning --------------------------------------------------------------

CONTRACTS = [
    {"response_schema": Invoice},
    {"response_schema": {"type": "object", "properties": {"name": {"enum": ["a", "b"]}}}},
    {"response_schema": {"properties": {"total": {"type": "integer"}}, "title": "Invoice"}},
    {"response_schema": {"type": "array", "items": {"type": "integer"}}},
    {"response_schema": Invoice | dict[str, list[int]]},
    {"response_schema": {"anyOf": [
        {"required": ["kind"], "properties": {"kind": {"const": "a"}, "total": {"type": "null"}}},
        {"required": ["kind"], "properties": {"kind": {"const": "b"}, "total": {"type": "string"}}},
    ]}},
    {"response_schema": {
        "if": {"properties": {"kind": {"const": "a"}}},
        "then": {"properties": {"total": {"type": "string"}}},
    }},
    {"must_be_json": True, "max_length": 30, "forbidden_phrases": ["tea", "two cups"]},
    {"max_length": 30, "forbidden_phrases": ["tea", "two cups"]},
]  # fmt: skip
VALIDATORS = [ResponseValidator(**settings) for settings in CONTRACTS]

KEYS = st.sampled_from(["customer", "total", "lines", "kind", "name", "arguments", "result"])
SCALARS = st.sampled_from([0, 1, 12.5, -3, True, None, "a", "b", "tea", "two  cups", "12", ""])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
JSON = st.builds(json.dumps, VALUES, indent=st.sampled_from([None, 1]))
BEFORE = st.sampled_from(["", "```json\n", "Here it is: ", "teapot ", "<think>hm {</think>", "'"])
AFTER = st.sampled_from(["", "\n```", " tea, ", "teapot ", ",", "}", "]", "'", "\n\nHope it helps"])


@settings(max_examples=400, deadline=None)
@given(parts=st.tuples(BEFORE, JSON, AFTER), data=st.data())
def test_a_glance_never_refuses_what_would_pass(parts, data):
    """However a beginning goes on that was refused, the whole is refused too."""
    whole = "".join(parts)
    beginning = whole[: data.draw(st.integers(0, len(whole)))]
    for validator in VALIDATORS:
        if validator.glance(beginning) is not None:
            assert not validator.inspect(whole).passed


@given(text=st.text())
def test_a_glance_never_raises(text):
    """Models write anything."""
    for validator in VALIDATORS:
        validator.glance(text)


@pytest.mark.parametrize(
    ("beginning", "places"),
    [
        ('{"customer": 1, "to', ["/customer"]),
        ('```json\n{"customer": 1, "to', ["/customer"]),
        ('{"customer": "Ada", "total": 1', []),
        ('{"customer": "Ada", "total": 1.5,', ["/total"]),
        ('{"customer": "Ada", "lines": ["tea", 3, ', ["/lines/1"]),
        ('{"custom', []),
        ("Here is your invoice: ", []),
    ],
)
def test_only_finished_members_count(beginning, places):
    """A number at the end may get more digits, and what is missing may still come."""
    verdict = ResponseValidator(response_schema=Invoice).glance(beginning)

    assert [v.path for v in verdict.violations] == places if places else verdict is None


def test_a_stream_that_was_given_up_is_closed():
    """Nobody waits for its answer: it would be read, and kept, for as long as it goes on."""
    closed = threading.Event()

    def endless(_):
        try:
            while True:
                time.sleep(0.001)
                yield AIMessageChunk("word ")
        finally:
            closed.set()

    policy = ControlPolicy(retry=ONCE, timeout_seconds=0.1, judge_while_streaming=True)

    result = with_control(RunnableGenerator(endless), policy, include_result=True).invoke("Q?")

    assert result.failure_mode is FailureMode.TIMEOUT
    assert closed.wait(10)
