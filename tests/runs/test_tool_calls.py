"""Calls of tools in an answer: whose tools, with which arguments, and where none are due."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_core.tools import StructuredTool, tool
from pydantic import BaseModel, ConfigDict, Field, Json, PlainSerializer, computed_field

from langchain_control import ControlPolicy, create_control_graph, with_control
from langchain_control.models.variants import tools_of
from langchain_control.runs.results import result_of
from langchain_control.runs.state import state_of
from langchain_control.strategies import other_model
from langchain_control.testing import ScriptedChatModel
from tests.openai_provider import Provider, tool_call
from tests.scenarios import AT_ONCE, CITY, GOOD

JSON = {"response_schema": CITY}
TEXT = {"forbidden_phrases": ["guaranteed returns"]}


@tool
def double(n: int) -> int:
    """Double a number."""
    return 2 * n


PARAMETERS = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
ANTHROPICS = {"name": "double", "description": "Double.", "input_schema": PARAMETERS}
BEDROCKS = {"toolSpec": {"name": "double", "inputSchema": {"json": PARAMETERS}}}
OPENAIS = {"type": "function", "function": {"name": "double", "parameters": PARAMETERS}}
NOT_UNDERSTOOD = {"function_declarations": [{"name": "double", "parameters": {"type_": 6}}]}
SEARCH = {"name": "search", "description": "Search.", "input_schema": {"type": "object"}}
PROVIDERS_OWN = {"type": "web_search"}


def calling(name: str, text: str = "", **args: Any) -> AIMessage:
    return AIMessage(text, tool_calls=[{"name": name, "args": args, "id": "1"}])


RIGHT, UNKNOWN = calling("double", n=2), calling("triple", n=2)
INCOMPLETE, ILL_TYPED = calling("double"), calling("double", n="two")


def policy(validator: Any = None, **more: Any) -> ControlPolicy:
    return ControlPolicy(validator=validator or {}, retry=AT_ONCE, **more)


def by_chain(model: Any, rules: ControlPolicy) -> Any:
    return with_control(model, rules, include_result=True).invoke("?")


def by_async_chain(model: Any, rules: ControlPolicy) -> Any:
    return asyncio.run(with_control(model, rules, include_result=True).ainvoke("?"))


def by_stream(model: Any, rules: ControlPolicy) -> Any:
    watching = rules.override(judge_while_streaming=True)
    [result] = with_control(model, watching, include_result=True).stream("?")
    return result


def by_graph(model: Any, rules: ControlPolicy) -> Any:
    return result_of(create_control_graph(model, rules).invoke(state_of("?")))


DOORS = pytest.mark.parametrize("door", [by_chain, by_async_chain, by_stream, by_graph])


@DOORS
@pytest.mark.parametrize(
    ("contract", "mode"),
    [
        (JSON, "schema_violation"),
        ({"required_keys": ["sky"]}, "schema_violation"),
        ({"must_be_json": True}, "schema_violation"),
        (TEXT, "constraint_violation"),
        ({"min_length": 5}, "constraint_violation"),
        ({"rules": [lambda answer: "sky" in answer.text]}, "constraint_violation"),
    ],
    ids=["schema", "keys", "JSON", "phrases", "length", "rule"],
)
def test_a_call_is_no_way_round_a_contract(door, contract, mode):
    """Of a model without tools it was accepted, whatever the answer had to be."""
    model = ScriptedChatModel(script=lambda _: calling("rm_rf", "guaranteed returns"))

    result = door(model, policy(contract))

    assert (result.status, result.message, result.failure_mode) == ("exhausted", None, mode)
    assert [violation.rule for violation in result.violations] == ["tool_call"]


@DOORS
def test_a_model_without_tools_is_told_to_answer(door):
    """The correction says what came in place of the answer."""
    model = ScriptedChatModel(script=[calling("rm_rf"), GOOD])

    result = door(model | RunnableLambda(lambda m: m), policy(JSON))

    assert result.value == {"city": "Paris"}
    assert "a tool call" in model.calls[1][-1].text


def test_without_a_contract_it_is_handed_on(call):
    """Nothing says what the answer has to be."""
    assert call(with_control(ScriptedChatModel(script=[UNKNOWN]), policy()), "?").tool_calls


@DOORS
@pytest.mark.parametrize("contract", [None, JSON, TEXT], ids=["none", "JSON", "text"])
def test_a_call_that_fits_goes_on_as_it_is(door, contract):
    """Rules for the answer wait for the answer, as in an agent."""
    said = calling("double", "Let me double it.", n=2)
    model = ScriptedChatModel(script=[said]).bind_tools([double])

    result = door(model, policy(contract))

    assert (result.status, result.value) == ("accepted", None)
    assert (result.message.tool_calls, result.message.text) == (said.tool_calls, said.text)


def spared(model: Any) -> Any:
    return model.with_fallbacks([RunnableLambda(lambda _: AIMessage("Sorry."))])


@DOORS
@pytest.mark.parametrize(
    "dress",
    [
        spared,
        lambda model: RunnableLambda(lambda m: m) | spared(model),
        lambda model: model.with_retry(stop_after_attempt=1),
        lambda model: model.configurable_fields(name=ConfigurableField(id="name")),
    ],
    ids=["fallbacks", "chain", "retry", "configurable"],
)
def test_what_surrounds_a_model_hides_no_tools(door, dress):
    """Calls of tools that there are not, and with wrong arguments, were handed on."""
    model = ScriptedChatModel(script=[ILL_TYPED, UNKNOWN, RIGHT])

    result = door(dress(model.bind_tools([double])), policy())

    assert [a["failure_mode"] for a in result.attempts] == [*["schema_violation"] * 2, "none"]


@pytest.mark.parametrize("dress", [spared, lambda model: model.with_retry(stop_after_attempt=1)])
def test_a_call_is_no_way_round_a_contract_for_what_surrounds_a_model(dress):
    """Nobody has tools here."""
    model = ScriptedChatModel(script=lambda _: calling("rm_rf"))

    assert by_chain(dress(model), policy(JSON)).failure_mode == "schema_violation"


def test_the_tools_of_a_fallback_count_as_well():
    """Whoever answered, the tools of the model that is asked first go before the same of others."""
    spare = ScriptedChatModel(script=[calling("search")]).bind_tools([ANTHROPICS, SEARCH])
    down = ScriptedChatModel(script=lambda _: TimeoutError()).bind_tools([double])

    assert by_chain(down.with_fallbacks([spare]), policy()).status == "accepted"
    assert tools_of(down.with_fallbacks([spare]))[-1] is double


Seconds = Annotated[datetime, PlainSerializer(lambda at: int(at.timestamp()), return_type=int)]


class Booking(BaseModel):
    """What is dumped of it is not what it is read from."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(validation_alias="userName")
    note: str = Field(exclude=True)
    at: Seconds

    @computed_field
    @property
    def label(self) -> str:
        """Whose it is."""
        return self.user


@tool
def book(booking: Booking, at: Seconds, seats: Json[list[int]], count: int) -> str:
    """Book seats."""
    return f"{booking.user} {at:%Y} {seats} {count}"


BOOKED = {
    "booking": {"userName": "Bo", "note": "x", "at": "2024-01-02T00:00:00Z"},
    "at": "2024-01-02T00:00:00Z",
    "seats": "[1, 2]",
    "count": "2",
}


@DOORS
def test_arguments_are_read_as_the_tool_reads_them(door):
    """They were put through the serializers of its types, and broke the contract then."""
    model = ScriptedChatModel(script=[calling("book", **BOOKED)]).bind_tools([book])

    result = door(model, policy())

    assert result.status == "accepted"
    assert result.message.tool_calls[0]["args"] == BOOKED
    assert book.invoke(BOOKED) == "Bo 2024 [1, 2] 2"


@DOORS
@pytest.mark.parametrize("wrong", [UNKNOWN, INCOMPLETE, ILL_TYPED], ids=["name", "none", "type"])
@pytest.mark.parametrize("contract", [None, JSON], ids=["none", "JSON"])
def test_a_wrong_call_is_corrected(door, wrong, contract):
    """As in an agent: it names the tool, and knows that tools are to be called."""
    model = ScriptedChatModel(script=[wrong, RIGHT])

    result = door(model.bind_tools([double]), policy(contract))

    assert result.message.tool_calls == RIGHT.tool_calls
    assert [attempt["failure_mode"] for attempt in result.attempts] == ["schema_violation", "none"]
    assert "double" in model.calls[1][-1].text
    assert "Call tools with arguments" in model.calls[1][-1].text


@pytest.mark.parametrize("contract", [None, JSON], ids=["none", "JSON"])
def test_tools_may_be_bound_under_control(call, contract):
    """`bind_tools` of a model under control is that of the model."""
    model = ScriptedChatModel(script=[UNKNOWN, RIGHT])

    answer = call(with_control(model, policy(contract)).bind_tools([double]), "?")

    assert answer.tool_calls == RIGHT.tool_calls
    assert "Call tools with arguments" in model.calls[1][-1].text


@pytest.mark.parametrize(
    "form", [double, ANTHROPICS, BEDROCKS, OPENAIS], ids=["tool", "Anthropic", "Bedrock", "OpenAI"]
)
@pytest.mark.parametrize("wrong", [UNKNOWN, INCOMPLETE, ILL_TYPED], ids=["name", "none", "type"])
def test_tools_are_read_in_every_common_form(form, wrong):
    """Clients bind what their providers take."""
    model = ScriptedChatModel(script=[wrong, RIGHT]).bind(tools=[form])

    result = by_chain(model, policy(JSON))

    assert [attempt["failure_mode"] for attempt in result.attempts] == ["schema_violation", "none"]


@pytest.mark.parametrize(
    "tools", [[NOT_UNDERSTOOD], [PROVIDERS_OWN], object()], ids=["dialect", "provider", "no list"]
)
def test_what_is_not_understood_is_handed_on(tools):
    """A call may be one of those tools; whoever runs them judges it."""
    model = ScriptedChatModel(script=[UNKNOWN]).bind(tools=tools)

    assert by_chain(model, policy(JSON)).message.tool_calls == UNKNOWN.tool_calls


def test_beside_tools_that_are_not_understood_the_others_are_judged():
    """Only the name of a call says too little then."""
    rules = policy().override(retry={"max_attempts": 1})
    model = ScriptedChatModel(script=[ILL_TYPED, UNKNOWN]).bind(tools=[PROVIDERS_OWN, double])

    assert [by_chain(model, rules).status for _ in range(2)] == ["exhausted", "accepted"]


def test_a_schema_that_is_none_is_left_to_whoever_runs_the_tool():
    """Providers have dialects of JSON Schema."""
    dialect = {"name": "double", "parameters": {"type": "OBJECT"}}
    model = ScriptedChatModel(script=[INCOMPLETE]).bind(tools=[dialect])

    assert by_chain(model, policy()).status == "accepted"


def mcp_tool(schema: Any) -> StructuredTool:
    """Make a tool as an MCP server gives it, with its schema unchecked."""
    return StructuredTool(name="lookup", description="Look up.", args_schema=schema, func=dict)


DIALECTS = {
    "required": {"type": "string", "required": True},
    "any": {"type": "any"},
    "null": {"type": None},
    "dangling": {"$ref": "#/$defs/Missing"},
    "elsewhere": {"$ref": "https://example.com/id.json"},
}


@DOORS
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_tool_of_a_dialect_leaves_the_others_judged(door, dialect):
    """A server's schema that is none raised out of every wrong call, whichever tool it was of."""
    lookup = mcp_tool({"type": "object", "properties": {"id": dialect}})
    model = ScriptedChatModel(script=[INCOMPLETE, calling("lookup", id="7")])

    result = door(model.bind_tools([lookup, double]), ControlPolicy(retry=AT_ONCE))

    assert result.message.tool_calls[0]["name"] == "lookup"
    assert [a["failure_mode"] for a in result.attempts] == ["schema_violation", "none"]


def test_a_format_is_left_to_the_tool():
    """A tool takes more dates than JSON Schema has, and LangChain says `date-time` for all."""
    at = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}
    model = ScriptedChatModel(script=[calling("wake", at="2026-11-23T07:00:00")])

    bound = model.bind(tools=[{"name": "wake", "parameters": at}])

    assert by_chain(bound, policy()).status == "accepted"


def test_a_client_of_openai_is_judged_by_what_it_sends(call):
    """Its binding holds the tools as JSON Schema."""
    provider = Provider(tool_call("double"), tool_call("double", n=2))
    controlled = with_control(provider.model(), policy(JSON)).bind_tools([double])

    assert call(controlled, "?").tool_calls[0]["args"] == {"n": 2}
    assert "double" in provider.requests[1]["messages"][-1]["content"]


def test_tools_may_come_with_the_call():
    """Arguments of `invoke` are bound to the model."""
    model = ScriptedChatModel(script=[RIGHT])

    assert with_control(model, policy(JSON)).invoke("?", tools=[double]).tool_calls


def test_what_nobody_can_see_into_is_handed_on():
    """A function may have a model with tools in it."""
    assert by_chain(RunnableLambda(lambda _: UNKNOWN), policy(JSON)).status == "accepted"


@pytest.mark.parametrize("spare", [lambda m: m, other_model], ids=["bare", "in a circuit"])
def test_a_fallback_is_judged_by_its_own_tools(spare):
    """Each model has those that are bound to it."""
    calls = ScriptedChatModel(script=[UNKNOWN, RIGHT, RIGHT])
    strategies = [("first", spare(calls.bind_tools([double]))), ("second", spare(calls))]
    rules = policy(JSON, fallback={"strategies": strategies})
    down = ScriptedChatModel(script=lambda _: "no")

    first, second = by_chain(down, rules), by_chain(down, rules)

    assert [tried["outcome"] for tried in first.fallbacks] == ["rejected", "rejected"]
    assert [tried["outcome"] for tried in second.fallbacks] == ["answered"]


def test_a_model_on_the_last_rung_is_judged_by_its_own_tools():
    """The first one has none."""
    other = ScriptedChatModel(script=[RIGHT]).bind_tools([double])
    rules = policy(JSON).override(retry={"other_model": other})
    model = ScriptedChatModel(script=lambda _: UNKNOWN)

    assert by_chain(model, rules).message.tool_calls == RIGHT.tool_calls


def test_beside_an_object_the_tools_of_the_caller_are_judged(call):
    """`tools=[...]` lets a model call these, and no others."""
    provider = Provider(tool_call("triple", n=2), tool_call("double", n=2))
    structured = with_control(provider.model(), policy()).with_structured_output(
        CITY, include_raw=True, tools=[double], strict=True
    )

    outcome = call(structured, "?")

    assert [c["name"] for c in outcome["raw"].tool_calls] == ["double"]
    assert len(provider.requests) == 2
