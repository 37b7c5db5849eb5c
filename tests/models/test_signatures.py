"""Whose an answer is that its client does not sign."""

from __future__ import annotations

from typing import ClassVar

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda

from langchain_control import (
    CircuitBreaker,
    ControlMiddleware,
    ControlPolicy,
    RetryEngine,
    with_control,
)
from langchain_control.middleware import agent_result
from langchain_control.models.signatures import signed
from langchain_control.testing import ScriptedChatModel
from tests.scenarios import AT_ONCE


class Unsigned(ScriptedChatModel):
    """A model whose answer says of itself only that it is whole."""

    whole: ClassVar[dict[str, str]]

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        answer = super()._generate(messages).generations[0].message
        said = dict(self.whole) if answer.text.endswith(".") else {}
        message = AIMessage(answer.text, response_metadata=said)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
        return self._generate(messages, **kwargs)

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        raise NotImplementedError  # LangChain asks for whole answers then


class ChatOllama(Unsigned):
    """As in langchain-ollama 1.1: the metadata comes with the end of a stream, or not at all."""

    __module__ = "langchain_ollama.chat_models"
    whole: ClassVar[dict[str, str]] = {"done_reason": "stop", "model_provider": "ollama"}


class ChatNVIDIA(Unsigned):
    """As in langchain-nvidia-ai-endpoints 1.5: no answer names its provider."""

    __module__ = "langchain_nvidia_ai_endpoints.chat_models"
    whole: ClassVar[dict[str, str]] = {"finish_reason": "stop"}


POLICY = ControlPolicy(retry=RetryEngine(max_attempts=2, **AT_ONCE))
MODES = ["model_error", "none"]


class Mine(ChatOllama):
    """An application's own."""

    __module__ = "my_models"


@pytest.mark.parametrize("kind", [ChatOllama, ChatNVIDIA, Mine])
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda model: model,
        lambda model: model.bind(options={}).with_config(tags=["t"]),
        lambda model: RunnableLambda(lambda x: x) | model,
        lambda model: model.with_retry(stop_after_attempt=1),
        lambda model: model.with_fallbacks([model]),
        lambda model: CircuitBreaker().wrap(model),
    ],
    ids=["bare", "bound", "at the end of a sequence", "retried", "with fallbacks", "our own"],
)
def test_an_unsigned_answer_that_broke_off_is_asked_for_again(call, kind, wrapped):
    """A stream without its last line raises nothing, and its message says nothing at all."""
    model = wrapped(kind(script=["The dose is 5 mg, but never", "The dose is 5 mg."]))

    result = call(with_control(model, POLICY, include_result=True), "?")

    assert [attempt["failure_mode"] for attempt in result.attempts] == MODES


def test_an_agents_model_is_known_as_well():
    """The agent's handler stands between."""
    model = ChatOllama(script=["The dose is 5 mg, but never", "The dose is 5 mg."])
    agent = create_agent(model, [], middleware=[ControlMiddleware(POLICY)])

    result = agent_result(agent.invoke({"messages": [("user", "?")]}))

    assert [attempt["failure_mode"] for attempt in result.attempts] == MODES


def test_what_others_gave_is_left_alone():
    """A function behind the model may have made a message of its own."""
    model = ChatOllama(script=[])
    answer = AIMessage("hi")

    assert signed(answer, model | RunnableLambda(lambda m: m)) is answer
    assert signed(answer, ScriptedChatModel(script=[])) is answer
    assert signed(answer, model.with_fallbacks([ScriptedChatModel(script=[])])) is answer
