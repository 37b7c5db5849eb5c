"""A model that never comes right ends after `max_attempts`, by every method and every door."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_control import (
    ControlMiddleware,
    ControlPolicy,
    ResponseValidator,
    RetryEngine,
    create_control_graph,
    with_control,
)
from langchain_control.middleware import agent_result
from langchain_control.runs.results import result_of
from langchain_control.runs.state import state_of
from langchain_control.testing import Reply, ScriptedChatModel
from tests.scenarios import AT_ONCE

ATTEMPTS = 5


class City(BaseModel):
    city: str


def called(**args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "City", "args": args, "id": "1"}])


WRONG: dict[str, Any] = {
    "prose": "It is Paris, of course.",
    "nothing": "",
    "blank": " \n ",
    "null": "null",
    "another shape": '["Paris"]',
    "a wrong type": '{"city": 7}',
    "the schema": json.dumps(City.model_json_schema()),
    "cut off": Reply('{"city": "Par', finish_reason="length"),
    "half an object": '{"city": "Par',
    "a wrong tool call": called(town="Paris"),
    "another tool": AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}]),
    "a broken tool call": AIMessage(
        "", invalid_tool_calls=[{"name": "City", "args": "{", "id": "1", "error": None}]
    ),
    "surrogates": "\ud800",
    "an outage": ConnectionError("gone"),
    "a timeout": TimeoutError("late"),
}


class Native(ScriptedChatModel):
    """A model with a schema mode; it helps nothing."""

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        raw = self.bind(response_format=schema)
        return raw | RunnableLambda(lambda m: {"raw": m, "parsed": None, "parsing_error": None})


def always(said: Any, kind: type[ScriptedChatModel] = ScriptedChatModel) -> ScriptedChatModel:
    return kind(script=lambda _: said)


def policy() -> ControlPolicy:
    rows = {mode: {"max_repeats": None} for mode in ("schema_violation", "truncated")}
    rows["constraint_violation"] = {"max_repeats": None}
    engine = RetryEngine(max_attempts=ATTEMPTS, policies=rows, **AT_ONCE)
    return ControlPolicy(
        retry=engine,
        validator=ResponseValidator(response_schema=City),
        breaker={"failure_threshold": 99},
        guard=None,
    )


def in_a_loop(runnable: Any, given: Any) -> Any:
    return asyncio.run(runnable.ainvoke(given))


def by_chain(model: Any) -> Any:
    return with_control(model, policy(), include_result=True).invoke("Which city?")


def by_async_chain(model: Any) -> Any:
    return in_a_loop(with_control(model, policy(), include_result=True), "Which city?")


def by_graph(model: Any) -> Any:
    return result_of(create_control_graph(model, policy()).invoke(state_of("Which city?")))


def by_async_graph(model: Any) -> Any:
    return result_of(in_a_loop(create_control_graph(model, policy()), state_of("Which city?")))


def by_agent(model: Any, **how: Any) -> Any:
    agent = create_agent(model, [], middleware=[ControlMiddleware(policy())], **how)
    return agent_result(agent.invoke({"messages": [HumanMessage("Which city?")]}))


def by_tool_agent(model: Any) -> Any:
    return by_agent(model, response_format=ToolStrategy(City))


def by_provider_agent(model: Any) -> Any:
    return by_agent(model, response_format=ProviderStrategy(City))


def structured(model: Any, method: Any) -> Any:
    made = with_control(model, policy()).with_structured_output(
        City, method=method, include_raw=True
    )
    outcome = made.invoke("Which city?")
    assert outcome["parsed"] is None
    return outcome["parsing_error"].result


def by_best_method(model: Any) -> Any:
    return structured(model, None)


def by_tools(model: Any) -> Any:
    return structured(model, "function_calling")


def by_json_schema(model: Any) -> Any:
    return structured(Native(script=model.script), "json_schema")


def by_json_mode(model: Any) -> Any:
    return structured(model, "json_mode")


def by_prompt(model: Any) -> Any:
    return structured(model, "prompt")


STRUCTURED = [by_best_method, by_tools, by_json_schema, by_json_mode, by_prompt]
DOORS = [
    by_chain, by_async_chain, by_graph, by_async_graph,
    by_agent, by_tool_agent, by_provider_agent, *STRUCTURED,
]  # fmt: skip
CONTENT_OF_TOOLS = ("a wrong tool call", "another tool", "a broken tool call")


@pytest.mark.parametrize("said", [s for s in WRONG if s not in CONTENT_OF_TOOLS])
@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_a_model_that_is_always_wrong_is_asked_so_often_and_no_more(door, said):
    """The request ends as a named failure, with nothing that could pass for an answer."""
    model = always(WRONG[said])

    result = door(model)

    assert len(model.calls) == ATTEMPTS
    assert (result.status, result.message, result.value) == ("exhausted", None, None)
    assert result.failure_mode != "none"


@pytest.mark.parametrize("said", CONTENT_OF_TOOLS)
@pytest.mark.parametrize("door", STRUCTURED, ids=lambda d: d.__name__)
def test_a_tool_call_is_no_way_round(door, said):
    """Where an object is wanted, calls of the wrong tool or with wrong arguments end as well."""
    model = always(WRONG[said])

    assert door(model).status == "exhausted"
    assert len(model.calls) == ATTEMPTS


@pytest.mark.parametrize("said", ["prose", "cut off"])
@pytest.mark.parametrize("door", DOORS, ids=lambda d: d.__name__)
def test_by_default_it_ends_even_sooner_if_it_repeats_itself(door, said, monkeypatch):
    """More attempts than three in the same places are not worth their tokens."""
    monkeypatch.setattr(
        f"{__name__}.policy",
        lambda: ControlPolicy(
            retry=RetryEngine(max_attempts=50, **AT_ONCE),
            validator=ResponseValidator(response_schema=City),
            guard=None,
        ),
    )
    model = always(WRONG[said])

    assert door(model).status == "exhausted"
    assert len(model.calls) == 3


@settings(max_examples=40, deadline=None)
@given(said=st.text(max_size=200), door=st.sampled_from([by_chain, by_graph, *STRUCTURED]))
def test_no_text_escapes(said, door):
    """Whatever a model says, the request ends within its attempts, and never by an exception."""
    model = always(said)

    door_result = door(model)

    assert door_result.status == "exhausted"
    assert 1 <= len(model.calls) <= ATTEMPTS
