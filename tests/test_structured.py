"""`with_structured_output`: parsed objects out, never `None` by accident."""

from __future__ import annotations

import asyncio
import json
import pickle
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypedDict

import pydantic.v1
import pytest
from langchain.chat_models import init_chat_model
from langchain_core.exceptions import (
    ModelInvalidRequestError,
    ModelRateLimitError,
    OutputParserException,
)
from langchain_core.messages import AIMessage
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_core.tools import tool
from openai import LengthFinishReasonError
from pydantic import BaseModel, Field, RootModel, SecretStr, field_validator

from langchain_control import (
    AuditLogger,
    ControlPolicy,
    FallbackRouter,
    RetryEngine,
    with_control,
)
from langchain_control.errors import (
    AnswersRejected,
    AttemptsExhausted,
    BudgetExceeded,
    InputRejected,
    ResponseRejected,
)
from langchain_control.sinks import MemorySink
from langchain_control.testing import Reply, ScriptedChatModel
from tests.openai_provider import Provider, tool_call
from tests.scenarios import AT_ONCE, ATTACK, CITY, GOOD


class City(BaseModel):
    city: str


class CityDict(TypedDict):
    city: str


@dataclass
class CityData:
    city: str


class OldCity(pydantic.v1.BaseModel):
    city: str

    @pydantic.v1.validator("city")
    def _begins_with_a_capital(cls, value):  # noqa: N805  (pydantic 1 wants a class method)
        if not value[:1].isupper():
            raise ValueError("no capital")  # noqa: EM101, TRY003
        return value


class Account(BaseModel):
    owner: str
    cents: int
    token: SecretStr

    @field_validator("cents")
    @classmethod
    def _doubled(cls, value):
        return value * 2


class OldAccount(pydantic.v1.BaseModel):
    owner: str
    cents: int
    token: pydantic.v1.SecretStr

    @pydantic.v1.validator("cents")
    def _doubled(cls, value):  # noqa: N805  (pydantic 1 wants a class method)
        return value * 2


class Login(BaseModel):
    token: SecretStr
    user: str = Field(validation_alias="userName")


@tool
def look_up(city: str) -> str:
    """Look a city up."""
    raise AssertionError


def visit(city: str) -> str:
    """Visit a city."""
    raise AssertionError


class Native(ScriptedChatModel):
    """A model with a schema mode of its own; notes how it was asked."""

    asked: Any = None
    arguments: ClassVar[list[dict[str, Any]]] = []
    limits: Any = Field(default_factory=list)

    def _generate(self, *args, **kwargs):
        self.limits.append(self.max_tokens)
        return super()._generate(*args, **kwargs)

    async def _agenerate(self, *args, **kwargs):
        self.limits.append(self.max_tokens)
        return await super()._agenerate(*args, **kwargs)

    def with_structured_output(self, schema, *, include_raw=False, method="x", **kwargs):
        if method != "json_schema":
            raise ValueError(method)
        self.asked.append(schema)
        self.arguments.append(kwargs)
        raw = self.bind(response_format="json_schema")
        return raw | RunnableLambda(lambda m: {"raw": m, "parsed": None, "parsing_error": None})


def policy():
    return ControlPolicy(retry=RetryEngine(**AT_ONCE))


NAMED = {
    "json_schema": "response_format",
    "function_calling": "tools",
    "json_mode": "response_format",
    "prompt": "words",
}


def text_only(*script):
    """A model without tools and without a schema mode."""
    return ScriptedChatModel(script=list(script)) | RunnableLambda(lambda m: m)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (City, City(city="Paris")),
        (OldCity, OldCity(city="Paris")),
        (CityData, CityData(city="Paris")),
        (CityDict, {"city": "Paris"}),
        (CITY, {"city": "Paris"}),
        ({"name": "City", "description": "A city.", "parameters": CITY}, {"city": "Paris"}),
        ({"type": "function", "function": {"name": "City", "parameters": CITY}}, {"city": "Paris"}),
        ({"name": "City", "input_schema": CITY}, {"city": "Paris"}),
        ({"name": "City", "schema": CITY, "strict": True}, {"city": "Paris"}),
        (look_up, {"city": "Paris"}),
        (visit, {"city": "Paris"}),
    ],
    ids=[
        "pydantic", "pydantic 1", "dataclass", "TypedDict", "JSON Schema", "OpenAI function",
        "OpenAI tool", "Anthropic tool", "OpenAI schema", "LangChain tool", "function",
    ],
)  # fmt: skip
def test_every_kind_of_schema_gives_its_own_kind_of_object(call, schema, expected):
    """Types come back as instances, everything else as a dict, and a wrong answer is seen."""
    wrong = '{"city": 7}'
    structured = with_control(text_only(wrong, GOOD), policy()).with_structured_output(schema)

    assert call(structured, "Which city?") == expected


class Lowered(BaseModel):
    city: str

    @field_validator("city", mode="before")
    @classmethod
    def _lower(cls, value):
        return value.strip().lower()


def test_a_validator_that_falls_over_an_answer_costs_an_attempt():
    """The model is told what the type wants, and asked again."""
    model = ScriptedChatModel(script=['{"city": null}', GOOD])
    structured = with_control(model, policy()).with_structured_output(Lowered)

    assert structured.invoke("Which?") == Lowered(city="paris")
    assert "/city: expected string" in model.calls[1][-1].text


@pytest.mark.parametrize(
    "schema",
    [
        None,
        "City",
        7,
        {"name": "City"},
        {"type": "nothing"},
        [City],
        {"name": "x", "parameters": 1},
    ],
    ids=str,
)
def test_what_is_no_schema_is_refused_at_once(schema):
    """Taken for one, it would accept whatever comes."""
    with pytest.raises(ValueError, match=r"schema|parameters"):
        with_control(text_only(), policy()).with_structured_output(schema)


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Tree(BaseModel):
    """A tree of names."""

    name: str
    children: list[Tree] = []


SPELLED = [
    (Tree, '{"name":"a","children":[{"name":"b"}]}'),
    (dict[str, int], '{"a":1}'),
    ({"type": "object", "required": ["sky"]}, '{"sky":"blue"}'),
    ({"type": "json_schema", "json_schema": {"name": "City", "schema": CITY}}, GOOD),
    ({"toolSpec": {"name": "City", "inputSchema": {"json": CITY}}}, GOOD),
]
WITHOUT_MODES = [
    (Pet, '{"kind":"cat"}'),
    (list[Cat], '[{"kind":"cat"}]'),
    (RootModel[list[Cat]], '[{"kind":"cat"}]'),
    ({"type": "array", "items": CITY}, f"[{GOOD}]"),
]


@pytest.mark.parametrize("method", [None, "json_schema", "function_calling", "json_mode", "prompt"])
@pytest.mark.parametrize(("schema", "said"), SPELLED, ids=str)
def test_openai_takes_every_object_by_every_method(call, schema, said, method):
    """With `ChatOpenAI` a `KeyError` came at construction, or a tool without parameters."""
    name = "Tree" if schema is Tree else "City" if "ity" in str(schema) else "Answer"
    by_tool = tool_call(name, **json.loads(said))
    provider = Provider(by_tool if method == "function_calling" else said)
    structured = with_control(provider.model(), policy())

    assert call(structured.with_structured_output(schema, method=method), "Which?")
    assert len(provider.requests) == 1


@pytest.mark.parametrize("method", [None, "prompt"])
@pytest.mark.parametrize(("schema", "said"), WITHOUT_MODES, ids=str)
def test_what_is_no_object_is_told_in_the_prompt(call, schema, said, method):
    """No provider takes it in a mode; with `ChatOpenAI` it was a `KeyError`."""
    provider = Provider(said)
    structured = with_control(provider.model(), policy())

    assert call(structured.with_structured_output(schema, method=method), "Which?")
    [sent] = provider.requests
    assert not {"response_format", "tools"} & set(sent)


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
@pytest.mark.parametrize("schema", [schema for schema, _ in WITHOUT_MODES], ids=str)
def test_what_is_no_object_is_refused_by_name_where_a_mode_is_wanted(schema, method):
    """The error says which schema and what to do."""
    structured = with_control(Provider().model(), policy())

    with pytest.raises(ValueError, match=rf"(Cat|array).*`{method}`.*objects; leave it out"):
        structured.with_structured_output(schema, method=method)


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (City, "object"),
        (CityDict, "object"),
        (CITY, "object"),
        (list[City], "array"),
        (Literal["Paris", "Rome"], "string"),
        (City | None, "anyOf"),
    ],
    ids=str,
)
def test_it_describes_what_it_returns(schema, kind):
    """For drawings and servers; pydantic refuses `typing.TypedDict` before Python 3.12."""
    structured = with_control(text_only(), policy()).with_structured_output(schema)

    described = structured.get_output_jsonschema()
    if "$ref" in described:
        described = described["$defs"][described["$ref"].rsplit("/", 1)[1]]

    assert kind in (described.get("type"), *described)
    assert structured.get_graph().nodes


@pytest.mark.parametrize("schema", [City, list[int], {"type": "object", "required": ["city"]}])
def test_the_schema_takes_the_place_of_the_keys_that_a_policy_requires(call, schema):
    """They are of the policy's own answers, and an object of the schema may not have them."""
    strict = policy().override(validator={"required_keys": ["sky"]})
    model = ScriptedChatModel(script=["[1]" if schema == list[int] else '{"city": "Oslo"}'])

    assert call(with_control(model, strict).with_structured_output(schema), "Which?")
    assert len(model.calls) == 1


def test_a_contract_of_keys_alone_is_retried(call):
    """The README's: the first retry of any `ChatOpenAI` raised `KeyError: 'parameters'`."""
    provider = Provider("It is sunny.")
    strict = policy().override(validator={"required_keys": ["sky"]})

    result = call(with_control(provider.model(), strict, include_result=True), "How is it?")

    assert [a["failure_mode"] for a in result.attempts] == ["schema_violation"] * 3
    told = provider.requests[1]["response_format"]["json_schema"]["schema"]
    assert told["properties"] == {"sky": {}}


@pytest.mark.parametrize(
    ("schema", "tellings"),
    [(City, [1, 1, 2]), (Tree, [1, 2, 2])],
    ids=["kept by the provider", "not kept"],
)
def test_a_correction_is_left_out_only_of_a_mode_that_is_kept(call, schema, tellings):
    """Without strictness OpenAI promises nothing, and the retry said nothing of what was wrong."""
    provider = Provider('{"city": 5}')
    strict = policy().override(validator={"response_schema": schema})

    call(with_control(provider.model(), strict, include_result=True), "Which?")

    assert [len(sent["messages"]) for sent in provider.requests] == tellings


def test_a_policy_that_converts_takes_a_json_schema(call):
    """`coerce` is for types; a policy with it raised for every JSON Schema."""
    converting = ControlPolicy(
        validator={"response_schema": City, "coerce": True}, retry=RetryEngine(**AT_ONCE)
    )
    structured = with_control(text_only(GOOD), converting)

    assert call(structured.with_structured_output(CITY), "Which?") == {"city": "Paris"}


@pytest.mark.parametrize("schema", [Account, OldAccount])
@pytest.mark.parametrize("schema_comes_later", [True, False])
def test_a_policy_that_converts_changes_nothing_else(call, schema, schema_comes_later):
    """A secret came masked and a price twice as high beside a number that was a string."""
    validator = {"coerce": True} | ({} if schema_comes_later else {"response_schema": City})
    said = '{"owner": "Bo", "cents": "7", "token": "abc"}'
    converting = ControlPolicy(validator=validator, retry=RetryEngine(**AT_ONCE))

    structured = with_control(text_only(said), converting).with_structured_output(schema)

    account = call(structured, "Which?")
    assert (account.owner, account.cents) == ("Bo", 14)
    assert account.token.get_secret_value() == "abc"


def test_a_model_of_pydantic_1_is_judged_strictly(call):
    """It would turn 7 into a string; what its own validators say is asked for, too."""
    script = ['{"city": 7}', '{"city": "paris"}', GOOD]
    model = ScriptedChatModel(script=script)

    structured = with_control(model | RunnableLambda(lambda m: m), policy())

    assert call(structured.with_structured_output(OldCity), "Which city?").city == "Paris"
    assert "no capital" in model.calls[2][-1].text


def test_a_model_without_any_mode_is_told_the_schema_in_the_prompt(call):
    """Where the provider offers nothing, the schema is a constraint of the prompt."""
    model = ScriptedChatModel(script=[GOOD])

    call(
        with_control(model | RunnableLambda(lambda m: m), policy()).with_structured_output(City),
        "Which city?",
    )

    assert "JSON Schema" in model.calls[0][0].text


REFUSING = [
    ([], ["response_format"]),
    (["response_format"], ["response_format", "tools"]),
    (["response_format", "tools"], ["response_format", "tools", "words"]),
]


def told_by(sent):
    """Say how a request tells its schema."""
    in_words = "JSON Schema" in str(sent["messages"])
    ways = [key for key in ("response_format", "tools") if key in sent]
    return (ways + ["words"] * in_words)[0]


def saying(ways, name):
    """What the provider says to a request that it takes; it counts those that it refuses."""
    wrong, right = ('{"city": 7}', GOOD)
    if ways[-1] == "tools":
        wrong, right = (tool_call(name, **json.loads(said)) for said in (wrong, right))
    return [wrong] * len(ways) + [right]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "watched"])
@pytest.mark.parametrize(
    "schema", [City, CityDict, CITY], ids=["pydantic", "TypedDict", "JSON Schema"]
)
@pytest.mark.parametrize(("refuses", "ways"), REFUSING, ids=["nothing", "schemas", "tools, too"])
def test_the_best_method_is_the_best_that_the_server_takes(call, refuses, ways, schema, stream):
    """Its client has a schema mode all the same; the request ended as `model_rejected` by that."""
    name = getattr(schema, "__name__", "Answer")
    provider = Provider(*saying(ways, name), refuses=refuses)
    watching = policy().override(judge_while_streaming=stream)
    structured = with_control(provider.model(), watching).with_structured_output(schema)

    assert call(structured, "Which city?") in (City(city="Paris"), {"city": "Paris"})
    assert [told_by(sent) for sent in provider.requests] == ways * 2


def test_arguments_of_a_call_reach_every_way_of_asking(call):
    """The last of them is the model itself, with the schema in the prompt."""
    provider = Provider(GOOD, refuses=["response_format", "tools"])
    structured = with_control(provider.model(), policy()).with_structured_output(City)

    call(structured.bind(stop=["x"]), "Which city?")

    assert [sent["stop"] for sent in provider.requests] == [["x"]] * 3


def of_init_chat_model(provider):
    clients = {
        name: getattr(provider.model(), name) for name in ("http_client", "http_async_client")
    }
    return init_chat_model(
        "openai:m", configurable_fields="any", api_key="k", max_retries=0, **clients
    )


STANDING_FOR_OTHERS = {
    "init_chat_model": of_init_chat_model,
    "fields": lambda p: p.model().configurable_fields(temperature=ConfigurableField(id="t")),
    "alternatives": lambda p: p.model().configurable_alternatives(
        ConfigurableField(id="m"), b=p.model(temperature=0.5)
    ),
    "fallbacks": lambda p: p.model().with_fallbacks([p.model()]),
    "bound fallbacks": lambda p: p.model().with_fallbacks([p.model()]).bind(seed=1),
}


@pytest.mark.parametrize("method", [None, *NAMED])
@pytest.mark.parametrize("made", STANDING_FOR_OTHERS.values(), ids=STANDING_FOR_OTHERS)
def test_a_model_that_stands_for_others_is_told_as_they_are(call, made, method):
    """The schema went into the prompt alone, and a named method was refused."""
    right = tool_call("City", city="Paris") if method == "function_calling" else GOOD
    provider = Provider("no", right)
    structured = with_control(made(provider), policy()).with_structured_output(City, method=method)

    assert call(structured, "Which city?") == City(city="Paris")
    told = NAMED[method or "json_schema"]
    assert [told_by(sent) for sent in provider.requests] == [told, told]


def test_the_config_of_a_call_chooses_who_is_told():
    """Each model is asked in its own way, with what was bound to it in any of them."""
    openai = Provider(GOOD)
    scripted = ScriptedChatModel(script=[GOOD])
    model = scripted.configurable_alternatives(ConfigurableField(id="m"), openai=openai.model())
    structured = with_control(model.bind(stop=["x"]), policy()).with_structured_output(City)

    structured.invoke("Which city?")
    structured.invoke("Which city?", {"configurable": {"m": "openai"}})

    [sent] = openai.requests
    assert (told_by(sent), sent["stop"], len(scripted.calls)) == ("response_format", ["x"], 1)


@pytest.mark.parametrize("made", STANDING_FOR_OTHERS.values(), ids=STANDING_FOR_OTHERS)
def test_the_policy_that_a_structured_model_shows_is_followed(call, made):
    """A policy that is set afterwards holds for a model that is told at each call, too."""
    structured = with_control(made(Provider(GOOD)), policy()).with_structured_output(City)
    strict = structured.policy.override(
        validator={"rules": [lambda _: False]}, retry={"max_attempts": 1}
    )
    with pytest.raises(AnswersRejected):
        call(structured.override(policy=strict), "Which city?")


def test_a_model_with_fallbacks_is_told_once_in_words(call):
    """The policy has the words from the start, and the call does not repeat them."""
    model = text_only(GOOD)
    both = model.with_fallbacks([text_only(GOOD)])
    call(with_control(both, policy()).with_structured_output(City), "Which city?")
    assert model.first.calls[0][0].text.count("JSON Schema") == 1


def test_a_method_that_the_chosen_model_does_not_have_is_refused_by_the_call():
    """Nobody knows before who it is."""
    model = Native(script=[], asked=[]).configurable_alternatives(
        ConfigurableField(id="m"), plain=ScriptedChatModel(script=[GOOD])
    )
    structured = with_control(model, policy()).with_structured_output(City, method="json_mode")

    with pytest.raises(ValueError, match="`json_mode`"):
        structured.invoke("Which city?")
    assert structured.invoke("?", {"configurable": {"m": "plain"}}) == City(city="Paris")


def test_fallbacks_are_asked_each_in_its_own_way(call):
    """One may have a schema mode, and another none."""
    first = Provider(refuses="messages", status=500)
    spare = text_only(GOOD)
    structured = with_control(first.model().with_fallbacks([spare]), policy())

    assert call(structured.with_structured_output(City), "Which city?") == City(city="Paris")
    assert told_by(first.requests[0]) == "response_format"
    assert "JSON Schema" in spare.first.calls[0][0].text


def test_a_fallback_without_the_named_method_is_refused_at_once():
    """It would be asked without the schema."""
    structured = with_control(Provider().model().with_fallbacks([text_only(GOOD)]), policy())

    with pytest.raises(ValueError, match="`json_mode`"):
        structured.with_structured_output(City, method="json_mode")


@pytest.mark.parametrize("made", STANDING_FOR_OTHERS.values(), ids=STANDING_FOR_OTHERS)
@pytest.mark.parametrize("rung", ["other model", "fallback"])
def test_another_model_that_stands_for_others_is_told_the_same(call, made, rung):
    """It was asked without the schema."""
    provider = Provider(GOOD)
    spare = made(provider)
    rules = policy().override(
        **(
            {"retry": {"other_model": spare}}
            if rung == "other model"
            else {"fallback": FallbackRouter(strategies=[("spare", spare)])}
        )
    )
    structured = with_control(Provider("no").model(), rules).with_structured_output(City)

    assert call(structured, "Which city?") == City(city="Paris")
    assert told_by(provider.requests[0]) == "response_format"


TIGHT = {"prompt": {"budget": {"total_tokens": 60, "answer_tokens": 20}}}


def test_words_that_the_budget_has_no_room_for_are_not_sent(call):
    """They were added below the builder, and the prompt could be three times its budget."""
    provider = Provider(GOOD, refuses=["response_format", "tools"])
    structured = with_control(provider.model(), policy().override(**TIGHT))

    with pytest.raises(BudgetExceeded) as caught:
        call(structured.with_structured_output(City), "Which city?")
    assert [told_by(sent) for sent in provider.requests] == ["response_format", "tools"]
    assert caught.value.result.failure_mode == "token_overflow"


def test_words_without_room_leave_the_request_to_a_fallback(call):
    """Another model may have a mode."""
    provider = Provider(refuses=["response_format", "tools"])
    spare = policy().override(**TIGHT, fallback=FallbackRouter(strategies=[("spare", GOOD)]))
    structured = with_control(provider.model(), spare).with_structured_output(City)

    assert call(structured, "Which city?") == City(city="Paris")


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_a_method_that_the_caller_named_is_kept(call, method):
    """Another one in its place would be a surprise."""
    provider = Provider(GOOD, refuses=["response_format", "tools"])
    structured = with_control(provider.model(), policy()).with_structured_output(
        City, method=method
    )

    with pytest.raises(AttemptsExhausted, match="OpenAIInvalidRequestError"):
        call(structured, "Which city?")
    assert len(provider.requests) == 1


@pytest.mark.parametrize("method", [None, "json_schema", "function_calling", "json_mode", "prompt"])
def test_tools_that_are_bound_do_not_go_along(call, method):
    """The client raised a `ValueError`, or the tool that the model had to call was missing."""
    said = tool_call("City", city="Paris") if method == "function_calling" else GOOD
    provider = Provider(said)
    bound = with_control(provider.model(temperature=0.5), policy()).bind_tools([look_up])

    structured = bound.with_structured_output(City, method=method)

    assert call(structured, "Which city?") == City(city="Paris")
    [sent] = provider.requests
    told = ["City"] if method == "function_calling" else []
    assert [tool["function"]["name"] for tool in sent.get("tools", ())] == told
    assert sent["temperature"] == 0.5


def test_tools_that_are_bound_to_another_model_do_not_go_along(call):
    """It is told the same schema, and no call of a tool is an answer."""
    spare = Provider(GOOD)
    rules = policy().override(retry={"other_model": spare.model().bind_tools([look_up])})
    controlled = with_control(Provider("no").model(), rules)

    assert call(controlled.with_structured_output(City), "Which city?") == City(city="Paris")
    assert "tools" not in spare.requests[0]


@pytest.mark.parametrize("method", ["function_calling", "json_mode", "prompt"])
def test_tools_are_refused_where_only_the_schema_mode_takes_them(method):
    """LangChain's client drops them without a word."""
    controlled = with_control(Provider().model(), policy())

    with pytest.raises(ValueError, match=f"`{method}` with `tools`"):
        controlled.with_structured_output(City, method=method, include_raw=True, tools=[look_up])


@pytest.mark.parametrize("method", NAMED)
def test_a_method_that_the_caller_named_is_kept_by_retries(call, method):
    """They climbed to the schema mode, which the caller may know that the server does not have."""
    provider = Provider("no")
    structured = with_control(provider.model(), policy()).with_structured_output(
        City, method=method
    )

    with pytest.raises(AttemptsExhausted):
        call(structured, "Which city?")
    assert [told_by(sent) for sent in provider.requests] == [NAMED[method]] * 3
    kinds = [sent.get("response_format", {}).get("type") for sent in provider.requests]
    assert len({*kinds}) == 1
    assert "requested shape" in str(provider.requests[1]["messages"])


@pytest.mark.parametrize(
    ("arguments", "requests"), [({"strict": True}, 2), ({"tools": [look_up], "strict": True}, 1)]
)
def test_arguments_are_not_dropped_for_a_way_that_takes_none(call, arguments, requests):
    """Words know no strictness, and tool calls no other tools."""
    provider = Provider(GOOD, refuses=["response_format", "tools"])
    structured = with_control(provider.model(), policy()).with_structured_output(
        City, include_raw=True, **arguments
    )

    assert call(structured, "Which city?")["parsing_error"].result.failure_mode == "model_rejected"
    assert len(provider.requests) == requests


def test_a_wrong_key_is_wrong_in_every_way(call):
    """It is not tried again by other means."""
    provider = Provider(refuses="messages", status=401)
    structured = with_control(provider.model(), policy()).with_structured_output(City)

    with pytest.raises(AttemptsExhausted):
        call(structured, "Which city?")
    assert len(provider.requests) == 1


def test_a_model_with_one_mode_is_not_refused_in_it_twice(call):
    """LangChain's own `with_structured_output` is one mode under every name."""
    refusal = ModelInvalidRequestError("no tools")
    model = ScriptedChatModel(script=[refusal, GOOD])

    structured = with_control(model, policy()).with_structured_output(City)

    assert call(structured, "Which city?") == City(city="Paris")
    assert "JSON Schema" in model.calls[1][-1].text


def test_another_model_is_asked_in_the_best_way_that_it_has(call):
    """Its server may take less than that of the first one."""
    spare = Provider(tool_call("City", city="Paris"), refuses="response_format")
    rules = policy().override(retry={"other_model": spare.model()})
    first = Provider("no")

    structured = with_control(first.model(), rules).with_structured_output(City)

    assert call(structured, "Which city?") == City(city="Paris")
    assert [told_by(sent) for sent in spare.requests] == ["response_format", "tools"]


def test_the_schema_mode_of_the_provider_is_preferred(call):
    """A model with a schema mode is asked in it, and its prompt stays as it is."""
    model = Native(script=[GOOD], asked=[])

    answer = call(with_control(model, policy()).with_structured_output(City), "Which city?")

    assert answer == City(city="Paris")
    assert model.asked[0]["properties"] == {"city": {"title": "City", "type": "string"}}
    assert [m.text for m in model.calls[0]] == ["Which city?"]


def test_a_tool_call_is_an_answer(call):
    """A model that knows tools answers through one."""
    said = AIMessage("", tool_calls=[{"name": "City", "args": {"city": "Paris"}, "id": "1"}])
    model = ScriptedChatModel(script=[said])

    structured = with_control(model, policy()).with_structured_output(City)

    assert call(structured, "Which city?") == City(city="Paris")


@pytest.mark.parametrize("method", [None, "function_calling", "prompt"])
def test_prose_in_every_mode_ends_after_max_attempts(call, method):
    """A model that never gives an object is asked `max_attempts` times, then it is an error."""
    model = ScriptedChatModel(script=["It is Paris."] * 3)
    structured = with_control(model, policy()).with_structured_output(City, method=method)

    with pytest.raises(AttemptsExhausted):
        call(structured, "Which city?")
    assert len(model.calls) == 3


def test_an_answer_that_never_parses_is_what_parsers_raise(call):
    """Handlers written for LangChain's own `with_structured_output` did not recognize it."""
    structured = with_control(text_only(*["no"] * 3), policy()).with_structured_output(City)

    with pytest.raises(OutputParserException) as caught:
        call(structured, "Which city?")
    assert isinstance(caught.value, AttemptsExhausted)
    assert isinstance(caught.value, ResponseRejected)
    assert pickle.loads(pickle.dumps(caught.value)).result.failure_mode == "schema_violation"


def test_include_raw_tells_instead_of_raising(call):
    """With `include_raw` the error is a value beside the message."""
    good = with_control(text_only(GOOD), policy()).with_structured_output(City, include_raw=True)
    bad = with_control(text_only(*["no"] * 3), policy())
    bad = bad.with_structured_output(City, include_raw=True)

    fine, failed = call(good, "Which city?"), call(bad, "Which city?")

    assert (fine["parsed"], fine["parsing_error"]) == (City(city="Paris"), None)
    assert fine["raw"].content == GOOD
    assert failed["raw"].content == "no"
    assert failed["parsed"] is None
    assert isinstance(failed["parsing_error"], AttemptsExhausted)


def test_include_raw_gives_what_the_model_said_last(call):
    """Also where it was no answer; where nothing was called there is nothing."""
    model = ScriptedChatModel(script=["one", Reply("two", input_tokens=5), "three"])
    structured = with_control(model, policy()).with_structured_output(City, include_raw=True)

    failed, blocked = call(structured, "Which city?"), call(structured, ATTACK)

    assert (failed["raw"].text, failed["parsed"]) == ("three", None)
    assert (blocked["raw"], blocked["parsed"]) == (None, None)
    assert isinstance(blocked["parsing_error"], InputRejected)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("function_calling", tool_call("City", city="Paris")),
        ("function_calling", tool_call("City", town="Paris")),
        ("function_calling", tool_call("Town", city="Paris")),
        ("json_schema", GOOD),
    ],
    ids=["by a tool", "wrong", "by another tool", "in the schema mode"],
)
def test_the_raw_message_is_the_one_that_comes_without_control(call, method, said):
    """A call of the tool that stands for the answer was gone, and the content made of it."""
    if method == "json_schema":
        said = {"content": said}
    plain, controlled = Provider(said).model(), with_control(Provider(said).model(), policy())
    asked = {"schema": City, "method": method, "include_raw": True}

    expected = call(plain.with_structured_output(**asked), "Which city?")["raw"]
    raw = call(controlled.with_structured_output(**asked), "Which city?")["raw"]

    assert raw.model_dump(exclude={"id"}) == expected.model_dump(exclude={"id"})


def test_a_model_that_has_only_tools_keeps_its_call_in_the_raw_message(call):
    """The same where no method was named."""
    said = AIMessage("Here:", tool_calls=[{"name": "City", "args": {"city": "Paris"}, "id": "1"}])
    controlled = with_control(ScriptedChatModel(script=[said]), policy())

    outcome = call(controlled.with_structured_output(City, include_raw=True), "Which city?")

    assert outcome["parsed"] == City(city="Paris")
    assert (outcome["raw"].content, outcome["raw"].tool_calls) == ("Here:", said.tool_calls)


@pytest.mark.parametrize("then", [ModelRateLimitError("slow"), TimeoutError()], ids=repr)
def test_an_outage_after_an_answer_does_not_lose_it(call, then):
    """What the model said last is told also where calls after it gave nothing."""
    model = ScriptedChatModel(script=["It is Paris.", then, then])
    structured = with_control(model, policy()).with_structured_output(City, include_raw=True)

    failed = call(structured, "Which city?")

    assert failed["raw"].text == "It is Paris."
    assert failed["parsing_error"].__cause__ is then
    assert failed["parsing_error"].result.attempts[-1]["output_tokens"] == 0


def test_a_fallback_answer_is_an_object_too(call):
    """With `raw` it says that it is one."""
    spare = policy().override(fallback=FallbackRouter(strategies=[("spare", GOOD)]))
    structured = with_control(text_only(*["no"] * 3), spare)

    outcome = call(structured.with_structured_output(City, include_raw=True), "Which city?")

    assert call(with_control(text_only(*["no"] * 3), spare).with_structured_output(City), "?")
    assert outcome["parsed"] == City(city="Paris")
    assert outcome["raw"].response_metadata["control_fallback"] == "spare"


def test_a_tool_call_where_an_object_is_due_is_wrong(call):
    """It would come out as `None`."""
    said = AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": "1"}])
    model = ScriptedChatModel(script=[said] * 3)
    structured = with_control(model, policy()).with_structured_output(City)

    with pytest.raises(AttemptsExhausted):
        call(structured, "Which city?")


@pytest.mark.parametrize(
    ("cities", "notes"),
    [
        (["Oslo", "Paris"], ("extracted", "ambiguous")),
        (["Paris", "Paris"], ("extracted",)),
        ([7, "Paris"], ("extracted",)),
        (["Paris"], ("strict",)),
    ],
    ids=["two that fit", "the same twice", "a draft first", "one"],
)
def test_of_several_calls_the_last_that_fits_counts_and_is_noted(call, cities, notes):
    """The last was taken unseen, and nothing said that there was another."""
    calls = [{"name": "City", "args": {"city": city}, "id": "1"} for city in cities]
    sink = MemorySink()
    noted = policy().override(audit=AuditLogger(None, sinks=[sink]))
    model = with_control(ScriptedChatModel(script=[AIMessage("", tool_calls=calls)]), noted)

    assert call(model.with_structured_output(City), "Which city?") == City(city="Paris")
    [attempt] = [e for e in sink.records if e["event"] == "control.attempt"]
    assert attempt["notes"] == list(notes)


def test_a_call_said_in_place_of_one_that_fits_is_judged(call):
    """As in a text: the earlier one may be a draft."""
    calls = [{"name": "City", "args": {"city": city}, "id": "1"} for city in ("Oslo", 7)]
    model = ScriptedChatModel(
        script=[AIMessage("", tool_calls=calls), AIMessage("", tool_calls=calls[:1])]
    )

    structured = with_control(model, policy()).with_structured_output(City)

    assert call(structured, "Which city?") == City(city="Oslo")
    assert "/city: expected string" in model.calls[1][-1].text


def test_with_tools_a_tool_call_is_an_answer(call):
    """As the model's own does it: the calls are in `raw`, and there is no object yet."""
    said = AIMessage("", tool_calls=[{"name": "look_up", "args": {"city": "Oslo"}, "id": "1"}])
    model = Native(script=[said], asked=[])
    structured = with_control(model, policy()).with_structured_output(
        City, include_raw=True, tools=[look_up], strict=True
    )

    outcome = call(structured, "Which city?")

    assert outcome["raw"].tool_calls[0]["name"] == "look_up"
    assert (outcome["parsed"], outcome["parsing_error"]) == (None, None)
    assert model.arguments[-1] == {"tools": [look_up], "strict": True}


def test_a_tool_call_in_place_of_an_object_is_told(call):
    """`a tool call` was all that the error said."""
    calls = AIMessage("", tool_calls=[{"name": "look_up", "args": {}, "id": "1"}])
    model = ScriptedChatModel(script=[calls] * 3)

    with pytest.raises(AttemptsExhausted, match="called a tool, where only an object"):
        call(with_control(model, policy()).with_structured_output(City), "Which city?")


def test_tools_need_the_raw_message():
    """Without it a tool call would be lost."""
    controlled = with_control(Native(script=[], asked=[]), policy())

    with pytest.raises(ValueError, match="include_raw"):
        controlled.with_structured_output(City, tools=[look_up])


def test_an_argument_that_no_mode_takes_is_refused():
    """It is not dropped in silence."""
    with pytest.raises(ValueError, match="`strict`"):
        with_control(text_only(), policy()).with_structured_output(City, strict=True)
    with pytest.raises(ValueError, match="`temper`"):
        with_control(ScriptedChatModel(script=[]), policy()).with_structured_output(City, temper=1)


def test_in_json_mode_the_schema_is_told_in_the_prompt(call):
    """The provider only promises JSON."""
    model = ScriptedChatModel(script=[GOOD])
    structured = with_control(model, policy()).with_structured_output(City, method="json_mode")

    assert call(structured, "Which city?") == City(city="Paris")
    assert "JSON Schema" in model.calls[0][0].text


def test_it_streams_the_object_whole():
    """Nothing leaves before it is accepted."""
    structured = with_control(text_only("no", GOOD), policy()).with_structured_output(City)

    assert list(structured.stream("Which city?")) == [City(city="Paris")]


def test_it_streams_the_object_whole_in_a_loop():
    """Like `stream`."""
    structured = with_control(text_only("no", GOOD), policy()).with_structured_output(City)

    async def collected():
        return [chunk async for chunk in structured.astream("Which city?")]

    assert asyncio.run(collected()) == [City(city="Paris")]


def test_a_batch_keeps_its_errors_apart():
    """One answer that never comes right takes no other with it."""

    def reply(messages):
        return GOOD if "city" in messages[-1].text else "no"

    structured = with_control(ScriptedChatModel(script=reply), policy()).with_structured_output(
        City, method="prompt"
    )
    given = ["Which city?", "What else?", "And which city?"]

    for outcome in (
        structured.batch(given, return_exceptions=True),
        asyncio.run(structured.abatch(given, return_exceptions=True)),
    ):
        assert [type(o).__name__ for o in outcome] == ["City", "AnswersRejected", "City"]


def test_a_cut_off_answer_raises_the_limit_also_in_schema_mode(call):
    """The limit is the model's, however it is asked."""
    model = Native(script=[Reply('{"city', finish_reason="length"), GOOD], max_tokens=8, asked=[])

    call(with_control(model, policy()).with_structured_output(City), "Which city?")

    assert model.limits == [8, 16]


def test_circuits_and_trail_know_the_model_by_its_name(call):
    """Every structured model on one circuit would be one outage for all."""
    sink = MemorySink()
    audited = policy().override(audit=AuditLogger(None, sinks=[sink]))
    model = Native(script=[ConnectionError()] * 3, asked=[], model_name="mine")
    structured = with_control(model, audited).with_structured_output(City, include_raw=True)

    call(structured, "Which city?")

    attempts = [r for r in sink.records if r["event"] == "control.attempt"]
    assert {r["model"] for r in attempts} == {"mine"}


def test_a_truncated_object_is_never_accepted(call):
    """An answer cut off by the limit is asked for again, not repaired."""
    cut = Reply('{"city": "Par"}', finish_reason="length")
    structured = with_control(text_only(cut, GOOD), policy()).with_structured_output(City)

    assert call(structured, "Which city?") == City(city="Paris")


CUT = {"content": '{"city": "Par', "finish_reason": "length"}
FILTERED = {"content": "", "finish_reason": "content_filter"}


@pytest.mark.parametrize(
    ("said", "mode", "requests"), [(CUT, "truncated", 3), (FILTERED, "refusal", 1)]
)
def test_an_answer_that_openais_client_raises_over_is_an_answer(call, said, mode, requests):
    """In its schema mode the client raises for one that was cut off; it was paid for."""
    provider = Provider(said)
    controlled = with_control(provider.model(), policy())

    outcome = call(controlled.with_structured_output(City, include_raw=True), "Which city?")

    error = outcome["parsing_error"]
    assert isinstance(error, AnswersRejected)
    assert error.failure_mode == mode
    assert error.result.usage["total_tokens"] == 2 * len(provider.requests) == 2 * requests
    assert (outcome["raw"].text, outcome["parsed"]) == (said["content"], None)
    assert type(error.__cause__).__name__.endswith("FinishReasonError")


def test_a_declared_meaning_goes_before_the_answer_that_an_exception_carries(call):
    """The application knows better; what the answer used up is counted all the same."""
    declared = policy().override(failure_modes={LengthFinishReasonError: "model_rejected"})
    controlled = with_control(Provider(CUT).model(), declared)

    outcome = call(controlled.with_structured_output(City, include_raw=True), "Which city?")

    result = outcome["parsing_error"].result
    assert (result.failure_mode, result.step) == ("model_rejected", "call")
    assert result.usage["total_tokens"] == 2


def test_a_method_that_is_none_is_refused_with_those_there_are():
    """The error names the argument and its values."""
    controlled = with_control(text_only(), policy())
    with pytest.raises(ValueError, match=r"`method` .*json_schema, function_calling, json_mode, p"):
        controlled.with_structured_output(City, method="tool_calling")


def test_a_method_the_model_lacks_is_refused_at_once():
    """Asking for a mode that is not there is a mistake, told before any call."""
    with pytest.raises(ValueError, match="json_schema"):
        with_control(text_only(), policy()).with_structured_output(City, method="json_schema")


def test_a_retry_uses_the_schema_mode(call):
    """After a broken answer the provider's own schema mode is the next rung."""
    model = Native(script=["prose", GOOD], asked=[])
    strict = policy().override(validator={"response_schema": CITY})

    assert call(with_control(model, strict), "Which city?").content == '{"city":"Paris"}'
    assert {schema["title"] for schema in model.asked} == {"Answer"}


def test_the_mode_is_asked_without_words_first(call):
    """What a provider enforces need not be said; what fails in spite of it is."""
    model = Native(script=["prose", "prose", GOOD], asked=[])
    strict = policy().override(
        validator={"response_schema": CITY},
        retry={"policies": {"schema_violation": {"max_repeats": None}}},
    )

    result = call(with_control(model, strict, include_result=True), "Which city?")

    assert [len(messages) for messages in model.calls] == [1, 1, 2]
    assert [a["mutation"] for a in result.attempts] == [None, None, "schema_violation"]


def test_the_words_can_be_wanted_all_the_same(call):
    """It is a column of the table."""
    model = Native(script=["prose", GOOD], asked=[])
    strict = policy().override(
        validator={"response_schema": CITY},
        retry={"policies": {"schema_violation": {"silent_in_schema_mode": False}}},
    )

    call(with_control(model, strict), "Which city?")

    assert [len(messages) for messages in model.calls] == [1, 2]


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (City, "object, from { to }"),
        (Tree, "object, from { to }"),
        (list[Cat], "array, from [ to ]"),
        (RootModel[list[Cat]], "array, from [ to ]"),
        ({"type": "array", "items": CITY}, "array, from [ to ]"),
        (int, "value"),
        (Literal["a", "b"], "value"),
        (Pet, "value"),
    ],
    ids=str,
)
def test_a_correction_asks_for_what_the_contract_is(schema, kind):
    """A model that obeyed it could never give a list or a number."""
    model = ScriptedChatModel(script=lambda _: "So be it.")
    structured = with_control(model, policy()).with_structured_output(schema, method="prompt")

    with pytest.raises(AttemptsExhausted):
        structured.invoke("Which?")
    assert f"exactly one JSON {kind}: no code fences" in model.calls[1][-1].text


def test_a_correction_of_the_callers_own_is_kept():
    """Only the default is fitted to a contract."""
    rules = policy().override(
        validator={"response_schema": list[int]},
        retry={"policies": {"schema_violation": {"correction": "Once more."}}},
    )

    assert rules.retry.policies["schema_violation"].correction == "Once more."


def test_an_error_says_where_the_answer_is_wrong():
    """The place and what is due there, and nothing that the model wrote."""
    model = ScriptedChatModel(script=lambda _: '{"city": 491512345}')

    with pytest.raises(ResponseRejected, match=r"breaks `type` at /city: expected string$"):
        with_control(model, policy()).with_structured_output(City).invoke("Which?")


def test_a_result_beside_the_object_is_refused():
    """What was asked for with `include_result` was dropped without a word, and errors raised."""
    controlled = with_control(ScriptedChatModel(script=[]), include_result=True)

    with pytest.raises(ValueError, match=r"include_result.*include_raw"):
        controlled.with_structured_output(dict[str, int])


@pytest.mark.parametrize("answer", [City(city="Oslo"), {"city": "Oslo"}], ids=["object", "dict"])
def test_a_fallback_may_give_the_object_itself(answer):
    """It ended as a crash of the strategy."""
    policy = {"fallback": {"strategies": [("known", lambda _: answer)]}}
    model = ScriptedChatModel(script=lambda _: "")

    structured = with_control(model, policy).with_structured_output(City)

    assert structured.invoke("Which city?") == City(city="Oslo")


@pytest.mark.parametrize(
    "answer", [Login(token="abc", userName="Bo"), OldCity(city="Oslo")], ids=["masked", "v1"]
)
def test_the_object_of_a_fallback_arrives_as_it_is(answer):
    """Secrets came masked, other names were not found, and `pydantic.v1` was a crash."""
    policy = {"fallback": {"strategies": [("known", lambda _: answer)]}}
    model = ScriptedChatModel(script=lambda _: "")

    structured = with_control(model, policy).with_structured_output(type(answer))

    assert structured.invoke("Who?") == answer


def test_an_object_that_would_arrive_as_another_is_no_answer():
    """Its validator would double once more what it has doubled."""
    answer = Account(owner="Bo", cents=7, token="abc")
    policy = {"fallback": {"strategies": [("known", lambda _: answer)]}}
    model = ScriptedChatModel(script=lambda _: "")

    structured = with_control(model, policy).with_structured_output(Account)

    with pytest.raises(AttemptsExhausted, match="that its type reads from JSON unchanged"):
        structured.invoke("Who?")


def test_a_fixed_fallback_that_is_no_such_object_is_told_at_once():
    """The schema is known here first."""
    controlled = with_control(
        ScriptedChatModel(script=[]), {"fallback": {"strategies": [("sorry", "Sorry.")]}}
    )

    with pytest.warns(UserWarning, match="`sorry` can never answer"):
        controlled.with_structured_output(City)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.override(policy=ControlPolicy()),
        lambda model: model.configurable_fields(policy=ConfigurableField(id="policy")).invoke(
            "?", {"configurable": {"policy": ControlPolicy()}}
        ),
    ],
    ids=["override", "config"],
)
def test_a_policy_without_the_schema_is_refused(change):
    """Under it every answer became `None`."""
    model = with_control(ScriptedChatModel(script=["prose"])).with_structured_output(City)

    with pytest.raises(ValueError, match="`policy` has no `response_schema`"):
        change(model)
