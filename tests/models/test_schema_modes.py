"""Models that are told a schema by their provider's means."""

from __future__ import annotations

import asyncio
import json
import pickle

import pydantic.v1
import pytest
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_control import ControlPolicy, with_control
from langchain_control.models.schema_modes import in_best_mode, in_schema_mode, schema_in_words
from langchain_control.models.unless_refused import UnlessRefused
from langchain_control.models.variants import for_retry, has_enforcing_mode, in_place_of, name_of
from langchain_control.testing import ScriptedChatModel
from tests.openai_provider import Provider, tool_call
from tests.scenarios import AT_ONCE, CITY

RETRY = {"rung": "same_model", "native_schema": False, "resamples": 0, "answer_limit_factor": 1.0}


def called(name, args, **more):
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": "1"}], **more)


def test_settings_reach_a_model_in_its_schema_mode():
    """Call arguments, raised limits and new draws: LangChain's own chain would lose them."""
    provider = Provider()
    model = provider.model(max_tokens=10, seed=3, temperature=0).bind(stop=["x"])
    retry = RETRY | {"native_schema": True, "resamples": 1, "answer_limit_factor": 2.0}

    answer = for_retry(model, retry, CITY).invoke("Which city?")

    [sent] = provider.requests
    assert answer.text == '{"city": "Paris"}'
    assert sent["response_format"]["type"] == "json_schema"
    assert (sent["max_completion_tokens"], sent["seed"], sent["temperature"]) == (20, 4, 0.2)
    assert sent["stop"] == ["x"]


NATIVE = RETRY | {"native_schema": True}


def test_a_model_with_tools_stays_out_of_the_schema_mode():
    """The client of OpenAI raises a `ValueError` for tools in it that are not strict."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    provider = Provider()
    model = provider.model().bind(tools=[tool])

    for_retry(model, NATIVE, CITY).invoke("Which city?")

    [sent] = provider.requests
    assert (sent["tools"], "response_format" in sent) == ([tool], False)
    assert not has_enforcing_mode(model, CITY)


def test_a_server_without_a_schema_mode_is_asked_as_before():
    """Its client has one all the same; the retry must not be lost by it."""
    provider = Provider(refuses="response_format")

    answer = for_retry(provider.model(), NATIVE, CITY).invoke("Which city?")

    assert answer.text == '{"city": "Paris"}'
    assert ["response_format" in sent for sent in provider.requests] == [True, False]


def test_it_is_asked_as_before_in_a_loop():
    """Like `invoke`."""
    calls = []

    async def refuse(_):
        calls.append("refused")
        raise ModelInvalidRequestError

    asked = UnlessRefused(RunnableLambda(refuse), ScriptedChatModel(script=["yes"]))

    assert asyncio.run(asked.ainvoke("?")).text == "yes"
    assert calls == ["refused"]


def test_trouble_of_the_provider_is_no_refusal(call):
    """A second call would burden it once more."""
    spare = ScriptedChatModel(script=["yes"])

    with pytest.raises(ConnectionError):
        call(UnlessRefused(ScriptedChatModel(script=[ConnectionError()]), spare), "?")
    assert spare.calls == []


def test_what_a_server_does_not_know_is_not_sent():
    """Without a seed and a limit of the model's own there are none in a retry either."""
    provider = Provider()

    for_retry(provider.model(), RETRY | {"resamples": 2, "answer_limit_factor": 4.0}, None).invoke(
        "?"
    )

    assert not {"seed", "temperature", "max_tokens", "max_completion_tokens"} & set(
        provider.requests[0]
    )


@pytest.mark.parametrize(
    "title", ["Answer[int]", "a b", "é" * 99], ids=["generic", "space", "long"]
)
def test_a_schema_has_a_name_that_providers_take(title):
    """OpenAI refuses names with other characters, which pydantic gives to generic models."""
    provider = Provider()

    in_schema_mode(provider.model(), {**CITY, "title": title}, "json_schema").invoke("?")

    name = provider.requests[0]["response_format"]["json_schema"]["name"]
    assert len(name) <= 64
    assert all(c.isascii() and (c.isalnum() or c in "_-") for c in name)


def test_by_tools_means_by_tools():
    """Also where a model prefers another way if none is named."""
    provider = Provider()

    in_schema_mode(provider.model(), CITY, "function_calling").invoke("?")

    assert "tools" in provider.requests[0]
    assert "response_format" not in provider.requests[0]


def test_a_model_with_but_one_way_is_asked_in_it(call):
    """Some integrations take no `method`."""

    class OneWay(ScriptedChatModel):
        def with_structured_output(self, schema, *, include_raw=False):
            return RunnableLambda(lambda _: {"raw": AIMessage("one way")})

    model = OneWay(script=[])

    assert call(in_schema_mode(model, CITY, "function_calling"), "?").text == "one way"
    assert in_schema_mode(model, CITY, "json_schema") is None


def test_further_arguments_are_handed_on():
    """`strict` is the provider's affair."""
    provider = Provider()

    in_schema_mode(provider.model(), CITY, "json_schema", {"strict": True}).invoke("?")

    assert provider.requests[0]["response_format"]["json_schema"]["strict"] is True


def test_a_call_of_the_answers_tool_becomes_the_answer(call):
    """Its arguments are judged like any other text."""
    model = ScriptedChatModel(script=[called("Answer", {"city": "Paris"})])

    answer = call(in_schema_mode(model, CITY, "function_calling"), "Which city?")

    assert (json.loads(answer.text), answer.tool_calls) == ({"city": "Paris"}, [])


def test_a_call_that_did_not_parse_becomes_the_answer_as_it_stands(call):
    """The validator says what is wrong with it."""
    broken = {"name": "Answer", "args": '{"city": ', "id": "1", "error": None}
    model = ScriptedChatModel(script=[AIMessage("", invalid_tool_calls=[broken])])

    answer = call(in_schema_mode(model, CITY, "function_calling"), "Which city?")

    assert (answer.text, answer.invalid_tool_calls) == ('{"city": ', [])


def test_calls_of_other_tools_stay_what_they_are(call):
    """An agent's model may want to look something up first."""
    said = called("search", {"query": "Paris"})
    model = ScriptedChatModel(script=[said])

    answer = call(in_schema_mode(model, CITY, "function_calling"), "Which city?")

    assert [c["name"] for c in answer.tool_calls] == ["search"]


@pytest.mark.parametrize(
    "model", [RunnableLambda(str), ScriptedChatModel(script=[]) | RunnableLambda(str)]
)
def test_only_chat_models_have_modes(model):
    """A chain is asked in the prompt."""
    assert in_schema_mode(model, CITY, "json_schema") is None


def test_a_retry_keeps_the_mode_and_what_was_bound():
    """Whoever names a mode knows the server; the best one there is has been chosen otherwise."""
    provider = Provider()
    model = in_schema_mode(provider.model(max_tokens=8), CITY, "function_calling")

    model.for_retry(RETRY | {"native_schema": True, "answer_limit_factor": 2.0}).invoke("?")

    assert "tools" in provider.requests[0]
    assert "response_format" not in provider.requests[0]
    assert provider.requests[0]["max_completion_tokens"] == 16


def test_another_model_is_told_the_same_schema():
    """In the best way it has."""
    first, provider = Provider(), Provider()
    model = in_schema_mode(first.model(), CITY, "function_calling")

    in_place_of(model, provider.model()).invoke("?")

    assert provider.requests[0]["response_format"]["json_schema"]["schema"]["properties"]
    assert first.requests == []


def test_it_goes_by_the_name_of_its_model():
    """One circuit for a model, however it is asked."""
    model = ScriptedChatModel(script=[], model_name="mine")

    assert name_of(in_schema_mode(model, CITY, "function_calling")) == "mine"
    assert name_of(RunnableLambda(str) | model | RunnableLambda(str)) == "mine"
    assert name_of(RunnableLambda(str, name="plain")) == "plain"


def test_it_keeps_its_name_and_mode_under_bind():
    """Call arguments reach the model, and the mode stays."""
    provider = Provider()
    model = in_schema_mode(provider.model(), CITY, "json_schema").bind(stop=["x"])

    assert name_of(model) == "m"
    model.invoke("?")
    assert provider.requests[0]["stop"] == ["x"]


def test_its_repr_and_its_pickle_hold_no_secrets_and_all_settings():
    """Names only in the one, everything in the other."""
    model = in_schema_mode(ScriptedChatModel(script=["{}"]), CITY, "function_calling")

    assert repr(model) == "SchemaModel(model='ScriptedChatModel', mode='function_calling')"
    assert pickle.loads(pickle.dumps(model)).mode == "function_calling"


class Tree(BaseModel):
    """A tree of names."""

    name: str
    children: list[Tree] = []


class Old(pydantic.v1.BaseModel):
    """A tree of pydantic 1."""

    name: str
    children: list[Old] = []


Old.update_forward_refs()

REQUIRED_ONLY = {"type": "object", "required": ["sky"]}


@pytest.mark.parametrize("mode", ["json_schema", "function_calling", "json_mode"])
@pytest.mark.parametrize(
    "schema",
    [REQUIRED_ONLY, {"type": "object"}, Tree.model_json_schema(), Old.schema()],
    ids=["keys", "any object", "recursive", "recursive, pydantic 1"],
)
def test_every_object_can_be_told(call, mode, schema):
    """`ChatOpenAI` raised `KeyError: 'parameters'` on the first retry of the README's contract."""
    provider = Provider()

    call(in_schema_mode(provider.model(), schema, mode), "?")

    [sent] = provider.requests
    told = sent["response_format"] if "response_format" in sent else sent["tools"][0]
    assert told["type"] == {"function_calling": "function", "json_mode": "json_object"}.get(
        mode, mode
    )


@pytest.mark.parametrize("mode", ["json_schema", "function_calling", "json_mode"])
def test_what_is_no_object_has_no_mode(mode):
    """Providers take objects only; asked for anything else, they refuse the request."""
    schema = {"type": "array", "items": CITY}

    assert in_schema_mode(Provider().model(), schema, mode) is None


def test_a_recursive_model_goes_to_a_tool_whole(call):
    """It went without parameters, under the name `Answer`: its model could only guess."""
    provider = Provider(tool_call("Tree", name="root", children=[{"name": "leaf"}]))

    answer = call(
        in_schema_mode(provider.model(), Tree.model_json_schema(), "function_calling"), "?"
    )

    function = provider.requests[0]["tools"][0]["function"]
    assert (function["name"], function["description"]) == ("Tree", "A tree of names.")
    assert function["parameters"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert json.loads(answer.text)["children"] == [{"name": "leaf"}]


@pytest.mark.parametrize("error", [KeyError("parameters"), AttributeError(), RuntimeError()])
def test_a_mode_that_cannot_be_set_up_is_none(error):
    """Integrations refuse a schema each in their own way; a retry must not end in any of them."""

    class Refuses(ScriptedChatModel):
        def with_structured_output(self, schema, **kwargs):
            raise error

    assert in_schema_mode(Refuses(script=[]), CITY, "json_schema") is None


OPTIONAL = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.mark.parametrize("given", [{}, {"strict": None}], ids=["unsaid", "none"])
@pytest.mark.parametrize(("schema", "is_strict"), [(CITY, True), (OPTIONAL, False)])
def test_strictness_is_asked_for_where_it_costs_nothing(call, schema, is_strict, given):
    """LangChain sends a JSON Schema with `strict: false`, with which OpenAI promises nothing."""
    provider = Provider()

    call(in_schema_mode(provider.model(), schema, "json_schema", given), "?")

    assert provider.requests[0]["response_format"]["json_schema"]["strict"] is is_strict
    assert has_enforcing_mode(provider.model(), schema) is is_strict


def test_strictness_that_is_asked_for_gets_a_schema_to_match(call):
    """OpenAI refuses a strict schema that leaves a property optional; LangChain hands it on."""
    provider = Provider()

    call(in_schema_mode(provider.model(), OPTIONAL, "function_calling", {"strict": True}), "?")

    function = provider.requests[0]["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["required"] == ["city"]
    assert function["parameters"]["additionalProperties"] is False


def test_strictness_that_is_not_wanted_is_not_asked_for(call):
    """The caller knows the server."""
    provider = Provider()

    asked = in_schema_mode(provider.model(), CITY, "json_schema", {"strict": False})
    call(asked, "?")

    assert provider.requests[0]["response_format"]["json_schema"]["strict"] is False
    assert not asked.is_enforced


LONG = '{"city": 7, "more": "' + "word " * 200 + '"}'


@pytest.mark.parametrize("schema_mode", ["at once", "on a retry"])
def test_hopeless_answers_are_cut_off_in_the_schema_mode(call, schema_mode):
    """`judge_while_streaming` did nothing there: whole answers were waited for and paid."""
    provider = Provider("prose", LONG) if schema_mode == "on a retry" else Provider(LONG)
    policy = ControlPolicy(
        validator={"response_schema": CITY},
        retry={"max_attempts": 2 if schema_mode == "on a retry" else 1, **AT_ONCE},
        judge_while_streaming=True,
    )
    if schema_mode == "at once":
        controlled = with_control(provider.model(), policy)
        controlled = controlled.with_structured_output(CITY, include_raw=True)
    else:
        controlled = with_control(provider.model(), policy, include_result=True)

    call(controlled, "?")

    assert "response_format" in provider.requests[-1]
    assert len(provider.pulled) < 50


def test_an_answer_that_streams_in_the_schema_mode_arrives_whole(call):
    """Read while it arrives, it is the same answer."""
    provider = Provider('{"city": "Paris sur Seine"}')
    controlled = with_control(provider.model(), ControlPolicy(judge_while_streaming=True))

    assert call(controlled.with_structured_output(CITY), "?") == {"city": "Paris sur Seine"}
    assert provider.pulled


def streamed(asked, how):
    if how == "sync":
        return "".join(chunk.text for chunk in asked.stream("?"))

    async def heard():
        return "".join([chunk.text async for chunk in asked.astream("?")])

    return asyncio.run(heard())


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_refused_stream_begins_anew(how):
    """A server without a schema mode refuses before anything has arrived."""
    refuses, plain = Provider(refuses="response_format"), Provider("as before")
    preferred = in_schema_mode(refuses.model(), CITY, "json_schema")

    assert streamed(UnlessRefused(preferred, plain.model()), how) == "as before"


class _BreaksOff(ScriptedChatModel):
    def _stream(self, *args, **kwargs):
        yield from super()._stream(*args, **kwargs)
        raise ModelInvalidRequestError

    async def _astream(self, *args, **kwargs):
        async for chunk in super()._astream(*args, **kwargs):
            yield chunk
        raise ModelInvalidRequestError


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_stream_that_has_begun_does_not_begin_anew(how):
    """The answer would be there twice, one after the other."""
    asked = UnlessRefused(_BreaksOff(script=["half"]), ScriptedChatModel(script=["whole"]))

    with pytest.raises(ModelInvalidRequestError):
        streamed(asked, how)


class _Unasked(ScriptedChatModel):
    """An integration that takes `include_raw` among its further arguments, and ignores it."""

    def with_structured_output(self, schema, method="json_schema", **kwargs):
        if method == "function_calling":
            return self.bind(tools=[schema], **kwargs) | JsonOutputParser()
        return self | JsonOutputParser()


def test_an_integration_that_ignores_include_raw_is_asked_without_its_parser(call):
    """Its chain gives objects, or raises; the message is what is judged."""
    told = in_schema_mode(_Unasked(script=["no JSON"]), CITY, "json_schema")

    assert call(told, "?").text == "no JSON"


def test_an_integration_that_sends_include_raw_to_its_server_is_asked_without_it(call):
    """The server knows no such argument, and Cohere's client raises a `TypeError`."""
    model = _Unasked(script=[called("Answer", {"city": "Oslo"})])
    told = in_schema_mode(model, CITY, "function_calling")

    assert told.asked.kwargs.keys() == {"tools"}
    assert json.loads(call(told, "?").text) == {"city": "Oslo"}


def test_a_chain_that_gives_no_message_is_told_by_name(call):
    """It raised a `KeyError` past every retry."""

    class Closed(_Unasked):
        def with_structured_output(self, schema, method="json_schema", **kwargs):
            return RunnableLambda(lambda _: {"name": "Oslo"})

    told = in_schema_mode(Closed(script=["Oslo"]), CITY, "json_schema")

    with pytest.raises(ModelInvalidRequestError, match="include_raw"):
        call(told, "?")
    assert call(in_best_mode(Closed(script=["Oslo"]), CITY), "?").text == "Oslo"


def test_a_schema_in_words_is_spelled_as_it_was_written():
    """Escapes cost several tokens a letter, and models read them worse."""
    schema = {"title": "問い合わせ", "enum": ["返品", "größe"]}

    assert schema_in_words(schema).endswith('{"title":"問い合わせ","enum":["返品","größe"]}')
