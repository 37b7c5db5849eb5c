"""A reply that LangChain cannot read is trouble of the provider's: retried, then left to others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_control import ControlPolicy, RetryEngine, create_control_graph, with_control
from langchain_control.runs.results import result_of
from langchain_control.runs.state import state_of
from langchain_control.testing import ScriptedChatModel
from tests.doors import DOORS
from tests.openai_provider import Provider
from tests.scenarios import AT_ONCE

CANNED = "Please try again later."


class City(BaseModel):
    city: str


class Silent(BaseChatModel):
    """Gives no generation, and streams nothing."""

    @property
    def _llm_type(self) -> str:
        return "silent"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        return ChatResult(generations=[])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        yield from ()


class Buggy(Silent):
    """Has a mistake in its own code."""

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        return messages[9]

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        yield messages[9]


def body(**reply: Any) -> bytes:
    about = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps({**about, **reply}).encode()


def choice(**choice: Any) -> bytes:
    return body(choices=[{"index": 0, "finish_reason": "stop", **choice}])


def stream(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in events)


UNREADABLE = {
    "no choices": body(choices=[]),
    "a null message": choice(message=None),
    "no message": choice(),
    "a message in the role of the user": {"role": "user", "content": "hi"},
    "a message in no known role": {"role": "narrator", "content": "hi"},
    "a number for content": {"content": 5},
    "a null among the tool calls": {"content": "", "tool_calls": [None]},
    "a text for usage": body(choices=[{"message": {"role": "assistant"}}], usage="free"),
    "a web page": b"<html></html>",
    "another encoding": '{"error": "nicht verf\xfcgbar"}'.encode("latin-1"),
    "brackets without end": b"[" * 5000 + b"]" * 5000,
    "a number without end": b'{"id": ' + b"9" * 5000 + b"}",
}

UNREADABLE_STREAMS = {
    "nothing": b"",
    "another encoding": 'data: {"error": "nicht verf\xfcgbar"}\n\n'.encode("latin-1"),
    "brackets without end": b"data: " + b"[" * 5000 + b"]" * 5000 + b"\n\n",
    "a number without end": b'data: {"id": ' + b"9" * 5000 + b"}\n\n",
    "a text for a delta": stream({"choices": [{"index": 0, "delta": "hi"}]}),
    "a delta in the role of the user": stream(
        {"choices": [{"index": 0, "delta": {"role": "user", "content": "hi"}}]}
    ),
}


def policy(**changes: Any) -> ControlPolicy:
    fields = {
        "retry": RetryEngine(max_attempts=2, **AT_ONCE),
        "fallback": {"strategies": [("canned", CANNED)]},
    }
    return ControlPolicy(**fields | changes)


def told_as_a_model_error(result: Any) -> bool:
    modes = [attempt["failure_mode"] for attempt in result.attempts]
    return modes == ["model_error"] * 2 and result.message.text == CANNED


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("said", UNREADABLE.values(), ids=UNREADABLE)
def test_a_reply_that_cannot_be_read_is_retried_and_then_answered_by_others(door, said):
    """It escaped every attempt, the fallback and `include_result`."""
    assert told_as_a_model_error(door(Provider(said).model(), policy()))


@pytest.mark.parametrize("said", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_reply_to_an_async_call_is_one_too(said):
    """Async readers run in threads of LangChain's own."""

    async def ask() -> Any:
        return await with_control(Provider(said).model(), policy(), include_result=True).ainvoke(
            "x"
        )

    assert told_as_a_model_error(asyncio.run(ask()))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("judged", [False, True], ids=["whole", "judged while streaming"])
@pytest.mark.parametrize("said", UNREADABLE_STREAMS.values(), ids=UNREADABLE_STREAMS)
def test_an_unreadable_stream_is_one_too(call, said, judged):
    """Whether the chunks are put together by LangChain or here."""
    rules = policy(judge_while_streaming=judged)
    model = Provider(said).model(streaming=True)

    assert told_as_a_model_error(call(with_control(model, rules, include_result=True), "x"))


@pytest.mark.parametrize("judged", [False, True], ids=["invoked", "streamed"])
def test_a_model_that_gives_nothing_fails_by_name(call, judged):
    """LangChain raises an `IndexError` or a `ValueError` of its own for it."""
    rules = policy(judge_while_streaming=judged)

    assert told_as_a_model_error(call(with_control(Silent(), rules, include_result=True), "x"))


def test_an_agents_model_that_gives_nothing_fails_by_name():
    """LangChain's agents let the `IndexError` through."""
    through_agent = DOORS[-1]

    assert told_as_a_model_error(through_agent(Silent(), policy()))


@pytest.mark.parametrize("judged", [False, True], ids=["invoked", "streamed"])
def test_a_mistake_in_a_models_own_code_is_raised_on(call, judged):
    """It is no reply that could not be read, whatever its exception is called."""
    rules = policy(judge_while_streaming=judged)

    with pytest.raises(IndexError):
        call(with_control(Buggy(), rules, include_result=True), "x")


@pytest.mark.parametrize(
    "mistake",
    [lambda _: b"\xfc".decode(), lambda _: json.loads(b'"\xfc"'), lambda _: json.loads("[" * 5000)],
    ids=["no text", "no JSON", "brackets"],
)
def test_what_an_application_reads_by_itself_is_no_reply(call, mistake):
    """Nor is what it cannot read, whatever its exception is called."""
    with pytest.raises((UnicodeDecodeError, RecursionError)):
        call(with_control(RunnableLambda(mistake), policy(), include_result=True), "x")


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda model: model.bind(stop=["x"]),
        lambda model: model.with_retry(stop_after_attempt=1),
        lambda model: RunnableLambda(lambda x: x) | model,
        lambda model: model.with_fallbacks([model]),
    ],
    ids=["bound", "with_retry", "at the end of a sequence", "with_fallbacks"],
)
def test_a_reply_is_known_through_what_hands_it_on(call, wrapped):
    """LangChain's wrappers give a model's message as it came."""
    model = wrapped(Provider(UNREADABLE["a message in the role of the user"]).model())

    assert told_as_a_model_error(call(with_control(model, policy(), include_result=True), "x"))


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode", None], ids=str)
def test_a_reply_to_a_schema_is_known_too(call, method):
    """Whatever the way in which the model was told the schema."""
    model = Provider({"role": "user", "content": "hi"}).model()
    rules = policy(fallback={"strategies": [("canned", '{"city": "Oslo"}')]})
    structured = with_control(model, rules).with_structured_output(City, method=method)

    assert call(structured, "x") == City(city="Oslo")


@pytest.mark.parametrize(
    "model",
    [
        lambda _: HumanMessage("hi"),
        ScriptedChatModel(script=lambda _: "hi") | RunnableLambda(lambda m: HumanMessage(m.text)),
    ],
    ids=["a function", "a sequence that ends in a function"],
)
def test_a_function_that_gives_somebody_elses_message_is_a_mistake(call, model):
    """No provider said that."""
    with pytest.raises(TypeError, match="HumanMessage"):
        call(with_control(model, policy()), "x")


def test_an_unreadable_reply_is_one_in_a_graph_too():
    """The cause is kept out of the state."""
    graph = create_control_graph(Provider(UNREADABLE["no choices"]).model(), policy())

    assert told_as_a_model_error(result_of(graph.invoke(state_of("x"))))
