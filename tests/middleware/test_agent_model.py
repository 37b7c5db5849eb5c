"""The handler of an agent, seen as a model."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langchain.agents.structured_output import StructuredOutputValidationError
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables.config import ensure_config

from langchain_control.middleware.agent_model import AgentModel, Responses
from langchain_control.testing import ScriptedChatModel

PROMPT = [SystemMessage("Be nice."), HumanMessage("Hi.")]
PLAIN_RETRY = {"answer_limit_factor": 1.0, "resamples": 0}
LARGER = {**PLAIN_RETRY, "answer_limit_factor": 2.0}


class Handler:
    """A handler that notes the requests it gets, sync or async."""

    def __init__(self, given: Any = None, *, asynchronous: bool = False) -> None:
        self.given = given if given is not None else ModelResponse(result=[AIMessage("Hello.")])
        self.requests: list[ModelRequest[Any]] = []
        self.tags: list[str] = []
        self.asynchronous = asynchronous

    def __call__(self, request: ModelRequest[Any]) -> Any:
        self.requests.append(request)
        self.tags = ensure_config().get("tags") or []
        if isinstance(self.given, Exception):
            raise self.given
        return self._later() if self.asynchronous else self.given

    async def _later(self) -> Any:
        return self.given


def request(model: Any = None, **settings: Any) -> ModelRequest[Any]:
    model = model or ScriptedChatModel(script=[])
    return ModelRequest(model=model, messages=[], model_settings=settings)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_messages_reach_the_handler_by_override(asynchronous):
    """The system message goes where requests have it; the config is found in the context."""
    handler = Handler(asynchronous=asynchronous)
    model = AgentModel(request(), handler, Responses())
    config = {"tags": ["nostream"]}

    answer = (
        asyncio.run(model.ainvoke(PROMPT, config)) if asynchronous else model.invoke(PROMPT, config)
    )

    [asked] = handler.requests
    assert answer.text == "Hello."
    assert (asked.system_message, asked.messages) == (PROMPT[0], PROMPT[1:])
    assert handler.tags == ["nostream"]


def test_without_a_system_message_there_is_none():
    """A prompt without instructions of the policy or the agent has no system message."""
    handler = Handler()

    AgentModel(request(), handler, Responses()).invoke(PROMPT[1:])

    assert handler.requests[0].system_message is None


def test_a_retry_asks_for_a_longer_answer_where_the_limit_is_stated():
    """The limit of the settings goes before that of the model, and each stays where it is."""
    model = ScriptedChatModel(script=[], max_tokens=10)
    asked = []
    for made in (request(model), request(model, max_tokens=50)):
        handler = Handler()
        AgentModel(made, handler, Responses()).for_retry(LARGER).invoke([])
        asked.append((handler.requests[0].model.max_tokens, handler.requests[0].model_settings))

    assert asked == [(20, {}), (10, {"max_tokens": 100})]


def test_a_retry_draws_anew():
    """A seed of the settings moves on by as many draws as were in vain."""
    handler = Handler()

    AgentModel(request(seed=7), handler, Responses()).for_retry(
        {**PLAIN_RETRY, "resamples": 2}
    ).invoke([])

    assert handler.requests[0].model_settings == {"seed": 9}


def test_a_retry_does_not_read_the_cache():
    """A cached answer that was rejected would be rejected again."""
    handler = Handler()
    made = request(ScriptedChatModel(script=[], cache=InMemoryCache()))

    AgentModel(made, handler, Responses()).for_retry(PLAIN_RETRY).invoke([])

    assert handler.requests[0].model.cache is False
    assert handler.requests[0].model_settings == {}


def test_another_model_takes_the_place_of_the_first():
    """A fallback model is asked through the same handler."""
    handler, other = Handler(), ScriptedChatModel(script=[])

    AgentModel(request(), handler, Responses()).in_place_of(other).invoke([])

    assert handler.requests[0].model is other


def test_what_is_bound_to_another_model_goes_along():
    """Its own arguments add to the request's settings, and win."""
    handler, other = Handler(), ScriptedChatModel(script=[])
    asked = request(temperature=1.0, seed=3)

    AgentModel(asked, handler, Responses()).in_place_of(other.bind(temperature=0.0)).invoke([])

    assert handler.requests[0].model is other
    assert handler.requests[0].model_settings == {"temperature": 0.0, "seed": 3}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_answer_that_langchain_could_not_parse_is_an_answer(asynchronous):
    """The exception carries the message; it is judged like any other."""
    bad = AIMessage("not structured")
    handler = Handler(StructuredOutputValidationError("Forecast", ValueError(), bad))
    model = AgentModel(request(), handler, Responses())

    answer = asyncio.run(model.ainvoke([])) if asynchronous else model.invoke([])

    assert answer is bad


def test_what_came_with_an_answer_is_found_by_the_answer():
    """Two answers with the same words are told apart."""
    responses = Responses()
    first, second = AIMessage("same"), AIMessage("same")
    tail = ToolMessage("kept", tool_call_id="1")
    responses.keep(ModelResponse(result=[first]))
    responses.keep(ModelResponse(result=[second, tail], structured_response={"n": 1}))

    assert responses.behind(first).structured_response is None
    assert responses.behind(second).result == [second, tail]
    assert responses.behind(AIMessage("from elsewhere")).structured_response is None


def test_a_handler_without_an_answer_is_a_mistake():
    """A middleware that swallows the answer is told so."""
    with pytest.raises(TypeError, match="AIMessage"):
        AgentModel(request(), Handler(ModelResponse(result=[])), Responses()).invoke([])
