"""The validator: what passes, what comes back, and what is said of the rest."""

import asyncio
import copy
import json
import pickle
import typing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.runnables import ConfigurableField
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, Field, Json, ValidationError

from langchain_control import ControlPolicy, create_control_graph
from langchain_control.components.validator import ResponseValidator
from langchain_control.errors import ResponseRejected
from langchain_control.outcomes import FailureMode, Violation
from langchain_control.testing import ScriptedChatModel

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


class Item(BaseModel):
    """A line of an invoice."""

    id: int
    price: float = Field(ge=0)


class Invoice(BaseModel):
    """A contract as a pydantic model."""

    number: str
    items: list[Item] = []


class Movie(typing.TypedDict):
    """A contract as a TypedDict, of the standard library's kind."""

    title: typing.Annotated[str, ..., "as on the poster"]
    year: typing.NotRequired[int]


def rules_broken(verdict):
    return [violation.rule for violation in verdict.violations]


# --- the checks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_an_empty_answer_is_a_constraint_violation(text):
    """Nothing, or nothing but space, is no answer."""
    verdict = ResponseValidator().inspect(text)

    assert (verdict.passed, verdict.failure_mode) == (False, FailureMode.CONSTRAINT_VIOLATION)


def test_without_settings_any_text_passes():
    """A validator that demands nothing hands on the text without the space around it."""
    verdict = ResponseValidator().inspect("  An answer.\n")

    assert (verdict.passed, verdict.value, verdict.score) == (True, "An answer.", 1.0)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("no JSON at all", "json.no_json"),
        ("null", "type"),
        ("42", "type"),
        ('"my name is Bob"', "type"),
        ('["name"]', "type"),
        ("{}", "required"),
        ('{"name": NaN}', "json.number"),
        ('{"name": -Infinity}', "json.number"),
        ('{"name": 1e999}', "json.number"),
        ('{"name": "a", "name": "b"}', "json.duplicate_key"),
        (r'{"name": "\ud800"}', "json.unicode"),
        ('{"name": "Bo', "json.truncated"),
    ],
)
def test_required_keys_ask_for_an_object(text, rule):
    """What is no object with the key is rejected for the reason that applies."""
    verdict = ResponseValidator(required_keys=["name"]).inspect(text)

    assert not verdict.passed
    assert rules_broken(verdict) == [rule]


def test_broken_json_is_a_schema_violation():
    """JSON that nothing can read is a violation of the schema."""
    verdict = ResponseValidator(must_be_json=True).inspect('{"a": ]')

    assert verdict.failure_mode is FailureMode.SCHEMA_VIOLATION


BIG = 10**20


@pytest.mark.parametrize(
    "text", [f'{{"id": {BIG}}}', f"{{'id': {BIG},}}", f'Here: {{"id": {BIG}}}']
)
def test_integers_may_be_of_any_length(text):
    """JSON sets no limit, and every digit is kept."""
    validator = ResponseValidator(required_keys=["id"])

    assert validator.inspect(text).value == {"id": BIG}
    assert validator.invoke(text).content == f'{{"id":{BIG}}}'


def test_a_graph_with_a_checkpointer_survives_a_big_integer():
    """The checkpointer raised `TypeError` for an answer that had passed, and lost the run."""
    policy = ControlPolicy(validator=ResponseValidator(required_keys=["id"]))
    model = ScriptedChatModel(script=[f'{{"id": {BIG}}}', f'{{"id": "{BIG}"}}'])
    graph = create_control_graph(model, policy, checkpointer=InMemorySaver())

    state = graph.invoke(
        {"messages": [HumanMessage("Which id?")]}, {"configurable": {"thread_id": "1"}}
    )

    assert state["messages"][-1].additional_kwargs["parsed"] == {"id": str(BIG)}


def test_text_that_no_encoder_takes_is_rejected():
    """A lone surrogate would fail whoever writes the answer to a file, a socket or a database."""
    verdict = ResponseValidator().inspect("So: \ud800")

    assert rules_broken(verdict) == ["unicode"]
    assert verdict.failure_mode is FailureMode.CONSTRAINT_VIOLATION


def test_saying_the_same_thing_twice_is_no_contradiction():
    """A key that stands twice with the same value has that value."""
    assert ResponseValidator(must_be_json=True).inspect('{"a": 1, "a": 1}').value == {"a": 1}


@pytest.mark.parametrize(("text", "value"), [("null", None), ("42", 42), ('["a"]', ["a"])])
def test_json_of_any_kind_will_do_if_nothing_more_is_asked(text, value):
    """`must_be_json` alone takes every JSON value."""
    verdict = ResponseValidator(must_be_json=True).inspect(text)

    assert (verdict.passed, verdict.value) == (True, value)


@pytest.mark.parametrize(
    ("length", "mode"),
    [
        (2, FailureMode.CONSTRAINT_VIOLATION),
        (3, FailureMode.NONE),
        (5, FailureMode.NONE),
        (6, FailureMode.TOKEN_OVERFLOW),
    ],
)
def test_too_long_and_too_short_are_different_failures(length, mode):
    """Too long is `token_overflow`, too short `constraint_violation`; bounds themselves pass."""
    verdict = ResponseValidator(min_length=3, max_length=5).inspect("x" * length)

    assert verdict.failure_mode is mode


def test_length_is_that_of_the_clean_text():
    """Fences, prose and indentation do not count against an answer."""
    text = 'Here you are:\n```json\n{\n    "a": 1\n}\n```\nAnything else?'

    assert ResponseValidator(must_be_json=True, max_length=7).inspect(text).passed


@pytest.mark.parametrize("text", ["What the hell", "HELL.", "h\u00adell", "\uff28ell"])
def test_forbidden_phrases_are_found_in_disguise(text):
    """Case, width and invisible characters do not hide a phrase."""
    verdict = ResponseValidator(forbidden_phrases=["hell"]).inspect(text)

    assert verdict.failure_mode is FailureMode.CONSTRAINT_VIOLATION


def test_forbidden_phrases_are_whole_words():
    """A phrase inside another word is another word."""
    assert ResponseValidator(forbidden_phrases=["hell"]).inspect("A shell says hello.").passed


def test_forbidden_phrases_are_found_inside_json():
    """Escapes of JSON do not hide a phrase."""
    text = json.dumps({"reply": "as an\nAI language model"})
    validator = ResponseValidator(must_be_json=True, forbidden_phrases=["as an AI"])

    assert not validator.inspect(text).passed


def test_missing_content_is_a_hallucination():
    """An answer that covers too little of what it must say is made up."""
    validator = ResponseValidator(must_contain=["Paris", "the Seine"], min_score=0.6)
    verdict = validator.inspect("Paris is lovely.")

    assert verdict.failure_mode is FailureMode.HALLUCINATION
    assert verdict.score == 0.5


@pytest.mark.parametrize(("min_score", "passes"), [(None, False), (0.5, True), (0.0, True)])
def test_must_contain_means_must_unless_told_otherwise(min_score, passes):
    """Without `min_score` every phrase has to occur."""
    validator = ResponseValidator(must_contain=["Paris", "the Seine"], min_score=min_score)

    assert validator.inspect("Paris is lovely.").passed is passes


def test_everything_wrong_is_told_at_once():
    """All violations are collected, and the first one names the failure."""
    validator = ResponseValidator(
        response_schema=PERSON, max_length=10, forbidden_phrases=["hell"], must_contain=["Ada"]
    )
    verdict = validator.inspect('{"name": 7, "age": -1, "hell": 0}')

    assert set(rules_broken(verdict)) == {
        "additionalProperties",
        "type",
        "minimum",
        "max_length",
        "forbidden_phrase",
        "must_contain",
    }
    assert verdict.failure_mode is FailureMode.SCHEMA_VIOLATION


def test_the_message_holds_no_content():
    """The sentence for logs names rules, and nothing of what the model wrote."""
    secret = "correct-horse"
    verdict = ResponseValidator(response_schema=PERSON).inspect(f'{{"name": "{secret}", "x": 1}}')

    assert secret not in verdict.message
    assert not any(secret in str(violation) for violation in verdict.violations)


# --- contracts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "good", "bad", "path"),
    [
        (PERSON, {"name": "Bo", "age": 3}, {"name": "Bo", "age": "3"}, "/age"),
        (
            Invoice,
            {"number": "7", "items": [{"id": 1, "price": 2}]},
            {"number": "7", "items": [{"id": "1", "price": 2}]},
            "/items/0/id",
        ),
        (Movie, {"title": "Alien", "year": 1979}, {"title": "Alien", "year": "1979"}, "/year"),
    ],
    ids=["json_schema", "pydantic", "typed_dict"],
)
def test_a_contract_in_any_notation(schema, good, bad, path):
    """JSON Schema, pydantic models and TypedDicts judge alike, without converting types."""
    validator = ResponseValidator(response_schema=schema)

    assert validator.inspect(json.dumps(good)).value == good
    (violation,) = validator.inspect(json.dumps(bad)).violations
    assert violation == Violation("type", "integer", violation.found, path)


def test_a_schema_and_required_keys_hold_together():
    """Keys that the schema leaves optional can still be required."""
    validator = ResponseValidator(response_schema=Movie, required_keys=["year"])

    assert rules_broken(validator.inspect('{"title": "Alien"}')) == ["required"]


class Address(BaseModel):
    """A contract that many an object meets."""

    street: str | None = None
    zip: int | None = None


class Resident(BaseModel):
    """Another one, around it."""

    name: str | None = None
    address: Address | None = None


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"required_keys": ["summary"]}, '{"error": {"summary": "I could not read the file"}}'),
        ({"response_schema": Resident}, '{"address": {"zip": "12a"}}'),
        (
            {
                "response_schema": {
                    "type": "object",
                    "title": "x",
                    "properties": {
                        "a/b~c": {"type": "object", "properties": {"": {"type": "integer"}}}
                    },
                }
            },
            '{"a/b~c": {"": "x"}}',
        ),
        (
            {"required_keys": ["name"]},
            '{"type": "object", "properties": {"name": {"type": "string"}}}',
        ),
        ({"response_schema": {"type": "integer"}}, '"7"'),
    ],
)
def test_a_part_of_a_wrong_answer_is_not_the_answer(settings, text):
    """A lenient contract takes many a part; the application got an empty object as a good one."""
    verdict = ResponseValidator(must_be_json=True, **settings).inspect(text)

    assert (verdict.passed, verdict.value) == (False, None)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('{"result": {"name": "Bo", "age": 3}}', "envelope"),
        (json.dumps('{"name": "Bo", "age": 3}'), "json_in_string"),
        ('{"type": "object", "properties": {"name": "Bo", "age": 3}}', "schema_echo"),
        ('{"name": "person", "arguments": {"name": "Bo", "age": 3}}', "tool_call_wrapper"),
    ],
)
def test_a_wrapping_is_taken_off(text, note):
    """What models put around an answer is no reason to ask again, and is noted."""
    verdict = ResponseValidator(response_schema=PERSON).inspect(text)

    assert verdict.value == {"name": "Bo", "age": 3}
    assert note in verdict.notes


def test_the_value_stays_plain_data():
    """A pydantic contract hands on JSON data, which checkpoints keep; `typed` makes the model."""
    validator = ResponseValidator(response_schema=Invoice)
    answer = validator.invoke('{"number": "7", "items": [{"id": 1, "price": 2}]}')

    assert answer.additional_kwargs["parsed"] == {"number": "7", "items": [{"id": 1, "price": 2}]}
    assert validator.typed(answer.additional_kwargs["parsed"]) == Invoice(
        number="7", items=[Item(id=1, price=2)]
    )


@pytest.mark.parametrize(
    ("validator", "keys"),
    [
        (ResponseValidator(response_schema=PERSON), {"name", "age"}),
        (ResponseValidator(response_schema=Invoice), {"number"}),
        (ResponseValidator(response_schema=Movie), {"title"}),
        (ResponseValidator(required_keys=["a", "b"]), {"a", "b"}),
    ],
)
def test_the_contract_can_be_shown_to_a_model(validator, keys):
    """`json_schema` gives the contract in the form that providers take."""
    assert set(validator.json_schema()["required"]) == keys


@pytest.mark.parametrize("validator", [ResponseValidator(), ResponseValidator(must_be_json=True)])
def test_without_a_shape_there_is_no_schema(validator):
    """Where no shape is prescribed, there is none to show."""
    assert validator.json_schema() is None


# --- what comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[1,2.5,"é"]}',
        '```json\n{"a": [1, 2.5, "é"]}\n```',
        'Sure!\n```\n{"a": [1, 2.5, "é"]}\n```\nAnything else?',
        'The answer is {"a": [1, 2.5, "é"]}.',
        '<think>\nPerhaps {"a": 0}? No.\n</think>\n{"a": [1, 2.5, "é"]}',
        '<tool_call>\n{"a": [1, 2.5, "é"]}\n</tool_call>',
        'const answer = {"a": [1, 2.5, "é"]};',
        'With {name} and {1, 2}, see [1]: {"a": [1, 2.5, "é"]} [2]',
    ],
)
def test_json_comes_back_clean(call, text):
    """Whatever surrounds the JSON is gone from the content, and the value is beside it."""
    answer = call(ResponseValidator(must_be_json=True), AIMessage(text))

    assert answer.content == '{"a":[1,2.5,"é"]}'
    assert answer.additional_kwargs["parsed"] == {"a": [1, 2.5, "é"]}


def test_the_rest_of_the_message_is_kept():
    """The message that goes on is a copy with its id, usage and metadata."""
    given_message = AIMessage(
        '```json\n{"a": 1}\n```',
        id="m1",
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        response_metadata={"finish_reason": "stop", "model_name": "m"},
        additional_kwargs={"reasoning_content": "hm"},
    )
    answer = ResponseValidator(must_be_json=True).invoke(given_message)

    assert answer is not given_message
    assert given_message.additional_kwargs == {"reasoning_content": "hm"}
    assert answer.additional_kwargs == {"reasoning_content": "hm", "parsed": {"a": 1}}
    assert (answer.id, answer.usage_metadata, answer.response_metadata) == (
        given_message.id,
        given_message.usage_metadata,
        given_message.response_metadata,
    )


def test_a_streamed_answer_becomes_a_message():
    """Chunks added up by a stream are judged as the message that they are."""
    chunks = AIMessageChunk('{"a"') + AIMessageChunk(": 1}")
    answer = ResponseValidator(must_be_json=True).invoke(chunks)

    assert type(answer) is AIMessage
    assert answer.additional_kwargs["parsed"] == {"a": 1}


def test_content_blocks_are_read_as_text():
    """Reasoning blocks are not part of the answer."""
    blocks = [{"type": "reasoning", "reasoning": "{}"}, {"type": "text", "text": '{"a": 1}'}]

    assert ResponseValidator(must_be_json=True).inspect(AIMessage(blocks)).value == {"a": 1}


def test_a_rejected_answer_is_raised(call):
    """`invoke` raises `ResponseRejected`, which handlers of parsers know as well."""
    with pytest.raises(ResponseRejected) as caught:
        call(ResponseValidator(required_keys=["name"]), AIMessage('{"age": 3}'))

    assert isinstance(caught.value, OutputParserException)
    assert caught.value.result.violations == (Violation("required", 'the property "name"'),)


def test_in_a_chain(call):
    """The validator takes its place after a model."""
    chain = ScriptedChatModel(script=['```json\n{"a": 1}\n```']) | ResponseValidator(
        must_be_json=True
    )

    assert call(chain, "Question?").content == '{"a":1}'


# --- how a message ended --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "metadata",
    [
        {"finish_reason": "length"},
        {"finish_reason": "MAX_TOKENS"},
        {"stop_reason": "max_tokens"},
        {"done_reason": "length"},
        {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    ],
)
def test_a_message_cut_off_by_a_limit_is_truncated(metadata):
    """The provider's word counts, however complete the text looks."""
    message = AIMessage('{"a": 1}', response_metadata=metadata)
    verdict = ResponseValidator(must_be_json=True).inspect(message)

    assert verdict.failure_mode is FailureMode.TRUNCATED


@pytest.mark.parametrize("kind", [str, AIMessage])
@pytest.mark.parametrize(
    "text",
    [
        '{"action":"approve","conditions":["none"]',
        '{"action":"abc","items":[1,2]',
        '{"action": "approve"',
    ],
)
def test_nothing_missing_at_the_end_is_forgiven_unless_the_model_finished(kind, text):
    """A string that a dropped stream had cut off was acted on, for want of one bracket."""
    validator = ResponseValidator(required_keys=["action"])
    finished = AIMessage(text, response_metadata={"finish_reason": "stop"})

    assert validator.inspect(kind(text)).failure_mode is FailureMode.TRUNCATED
    assert "repair:missing_closer" in validator.inspect(finished).notes
    assert not validator.override(repair="lossless").inspect(finished).passed


class Approval(BaseModel):
    """All that an answer may say."""

    action: typing.Literal["approve", "reject"]
    conditions: list[str] = []


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ('{"action": "approve", "conditions": ["none"]', True),
        ('Here it is:\n{"conditions": [], "action": "approve"\n', True),
        ('I thought of {"conditions": [], "action": "approve"', False),
        ('{"action": "approve"', False),
        ('{"action": "approve", "conditions": ["none"', False),
        ('{"action": "approve", "conditions": ["none"],', False),
        ('{"action": "approved", "conditions": []', False),
    ],
)
def test_a_last_bracket_is_forgiven_where_the_contract_shows_that_nothing_else_is_missing(
    text, passes
):
    """Every member has come, the last one to its end: what was cut off can only be the bracket."""
    validator = ResponseValidator(response_schema=Approval)
    verdict = validator.inspect(text)

    assert verdict.passed is passes
    assert verdict.repaired is passes
    if passes:
        assert "repair:missing_closer" in verdict.notes
        assert not validator.override(repair="lossless").inspect(text).passed
    else:
        assert verdict.failure_mode is FailureMode.TRUNCATED


def test_a_last_bracket_is_not_forgiven_where_a_limit_or_a_lost_connection_cut():
    """Who knows how a message ended need not guess."""
    text = '{"action": "approve", "conditions": ["none"]'
    validator = ResponseValidator(response_schema=Approval)

    for metadata in (
        {"finish_reason": "length"},
        {"finish_reason": "abort"},
        {"stop_reason": "pause_turn"},
        {"status": "cancelled"},
        {"model_provider": "openai"},
    ):
        assert not validator.inspect(AIMessage(text, response_metadata=metadata)).passed

    unsaid = AIMessage(text, response_metadata={"model_provider": "openai"})
    assert validator.override(accept_broken_off=True).inspect(unsaid).passed


def test_a_contract_that_invites_other_members_shows_nothing():
    """What was cut off may have been one of them."""
    invites = {"properties": {"a": {}}, "additionalProperties": {}}

    assert ResponseValidator(response_schema={"properties": {"a": {}}}).inspect('{"a": "x"').passed
    assert not ResponseValidator(response_schema=invites).inspect('{"a": "x"').passed
    assert not ResponseValidator(required_keys=["a"]).inspect('{"a": "x"').passed


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("", additional_kwargs={"refusal": "No."}),
        AIMessage([{"type": "refusal", "refusal": "No."}]),
        AIMessage("x", response_metadata={"finish_reason": "content_filter"}),
        AIMessage("x", response_metadata={"stop_reason": "refusal"}),
        AIMessage("x", response_metadata={"finish_reason": "SAFETY"}),
    ],
)
def test_a_refusal_is_a_refusal(message):
    """What the provider reports as declined is not judged further."""
    assert ResponseValidator().inspect(message).failure_mode is FailureMode.REFUSAL


def test_a_tool_call_is_passed_on(call):
    """Content rules do not apply to a message that calls tools."""
    message = AIMessage("", tool_calls=[{"name": "search", "args": {"q": "x"}, "id": "1"}])
    validator = ResponseValidator(must_be_json=True, min_length=10)

    assert call(validator, message).tool_calls == message.tool_calls
    assert validator.inspect(message).notes == ("tool_calls",)


def test_a_malformed_tool_call_is_a_schema_violation():
    """Arguments that are not JSON are never handed on."""
    broken = {"name": "f", "args": '{"q": ', "id": "1", "error": None, "type": "invalid_tool_call"}
    verdict = ResponseValidator().inspect(AIMessage("", invalid_tool_calls=[broken]))

    assert verdict.failure_mode is FailureMode.SCHEMA_VIOLATION


# --- rules ----------------------------------------------------------------------------------------


class Polite:
    """An async rule."""

    failure_mode = FailureMode.REFUSAL

    async def check(self, answer):
        """Ask for a please."""
        await asyncio.sleep(0)
        return None if "please" in answer.text else Violation("polite", "a please")


def test_async_rules_answer_async_calls():
    """A rule may be async and name its own failure mode."""
    verdict = asyncio.run(ResponseValidator(rules=[Polite()]).ainspect("Go away."))

    assert verdict.failure_mode is FailureMode.REFUSAL


def test_async_rules_cannot_answer_sync_calls():
    """A sync call of an async rule is a mistake that says what to do."""
    with pytest.raises(TypeError, match="ainvoke"):
        ResponseValidator(rules=[Polite()]).inspect("Go away.")


def test_a_rule_that_raises_is_a_bug():
    """What a rule raises reaches the caller and is not blamed on the model."""

    def broken(answer):
        raise KeyError(answer.text)

    with pytest.raises(KeyError):
        ResponseValidator(rules=[broken]).inspect("fine")


def test_rules_see_the_parsed_value():
    """A predicate may judge the value, and rely on the contract: others are not shown to it."""
    validator = ResponseValidator(required_keys=["a"], rules=[lambda a: a.value["a"] > 1])

    assert validator.inspect('{"a": 2}').passed
    assert rules_broken(validator.inspect('{"a": 1}')) == ["<lambda>"]
    assert rules_broken(validator.inspect('{"b": 1}')) == ["required"]
    assert rules_broken(validator.inspect("no JSON")) == ["json.no_json"]


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"min_length": 5, "max_length": 2}, "min_length"),
        ({"min_score": 0.5}, "min_score"),
        ({"must_contain": ["A"], "forbidden_phrases": [" a "]}, "forbidden_phrases"),
        ({"forbidden_phrases": [" "]}, "forbidden_phrases"),
        ({"required_keys": "name"}, "required_keys"),
        ({"required_keys": ["a"], "response_schema": list[int]}, "required_keys.*response_schema"),
        ({"response_schema": {"type": "strin"}}, "response_schema"),
        ({"response_schema": {"$ref": "https://example.com/s"}}, "response_schema"),
        ({"response_schema": "Invoice"}, "response_schema"),
        ({"rules": [3]}, "rules"),
        ({"max_lenght": 3}, "max_lenght"),
    ],
)
def test_settings_that_cannot_work_are_refused(fields, named):
    """Contradictions and mistakes show at construction, with the name of the field."""
    with pytest.raises(ValidationError, match=named):
        ResponseValidator(**fields)


def test_override_compiles_anew():
    """A changed copy judges by its own settings."""
    short = ResponseValidator(max_length=3)

    assert short.override(max_length=5).inspect("four").passed
    assert not short.inspect("four").passed


def test_fields_can_be_configured_at_run_time():
    """A configurable field takes effect in the call that sets it."""
    validator = ResponseValidator(max_length=3).configurable_fields(
        max_length=ConfigurableField(id="most")
    )

    assert validator.invoke("four", {"configurable": {"most": 5}}).content == "four"


@pytest.mark.parametrize("schema", [PERSON, Invoice])
def test_copies_judge_alike(schema):
    """Pickled and copied validators are equal to the one they come from."""
    validator = ResponseValidator(response_schema=schema, forbidden_phrases=["hell"])

    assert pickle.loads(pickle.dumps(validator)) == validator
    assert copy.deepcopy(validator) == validator


def test_something_else_than_an_answer_is_a_mistake():
    """Other messages are not judged."""
    with pytest.raises(TypeError, match="HumanMessage"):
        ResponseValidator().inspect(HumanMessage("x"))


# --- any text -------------------------------------------------------------------------------------

HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.lists(
        st.sampled_from(
            [*"{}[]\":,\\'`<>/*#\n\t 01.-eE", "null", "```json\n", "</think>", "\ud800"]
        )
    ).map("".join),
    st.sampled_from(["[", '{"a":', "{", "```\n[", '"', "[1] ", "{}", "\\"]).map(lambda s: s * 3000),
    st.just("1" * 5000),
)


@pytest.mark.parametrize(
    "validator",
    [
        ResponseValidator(),
        ResponseValidator(must_be_json=True, forbidden_phrases=["a"], must_contain=["b"]),
        ResponseValidator(response_schema=PERSON),
        ResponseValidator(response_schema=Invoice, max_length=20),
    ],
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(text=HOSTILE)
def test_no_text_raises(validator, text):
    """Whatever a model writes is judged; what passes can be handed on."""
    verdict = validator.inspect(text)

    assert verdict.passed == (verdict.failure_mode is FailureMode.NONE)
    if verdict.passed:
        validator.clean(text, verdict)


def test_conversion_may_wait_for_a_schema():
    """The documentation puts it in a policy whose schema comes with the request."""
    converting = ResponseValidator(coerce=True)

    assert converting.inspect("text").passed
    assert ControlPolicy().override(validator={"coerce": True}).validator.coerce
    assert converting.override(response_schema=list[int]).inspect('["1"]').value == [1]


class Crate(BaseModel):
    """Numbers and a text."""

    width: int
    height: int
    colour: str


@pytest.mark.parametrize(
    ("answer", "paths"),
    [
        ('{"width": "1", "height": 2, "colour": null}', ["/colour"]),
        ('{"width": "wide", "height": "2", "colour": "red"}', ["/width"]),
    ],
)
def test_what_would_be_converted_is_not_what_is_wrong(answer, paths):
    """A correction names three places, and those are no fault."""
    verdict = ResponseValidator(response_schema=Crate, coerce=True).inspect(answer)

    assert [violation.path for violation in verdict.violations] == paths


def test_a_missing_key_is_what_is_wrong_beside_what_would_be_converted():
    """It was the fourth of four, after what a conversion mends."""
    verdict = ResponseValidator(response_schema=Crate, coerce=True, required_keys=["q"]).inspect(
        '{"width": "1", "height": "2", "colour": "red"}'
    )

    assert [violation.expected for violation in verdict.violations] == ['the property "q"']


class Packed(BaseModel):
    """JSON in a string."""

    numbers: Json[list[int]]


def test_what_only_lax_reading_takes_stays_wrong():
    """No conversion makes it fit, so all that is wrong is told."""
    verdict = ResponseValidator(response_schema=Packed, coerce=True).inspect(
        '{"numbers": "[\\"1\\"]"}'
    )

    assert [violation.path for violation in verdict.violations] == ["/numbers"]


def test_a_json_schema_cannot_convert():
    """It says nothing of conversion, and a setting without effect would be a trap."""
    with pytest.raises(ValidationError, match="converts nothing"):
        ResponseValidator(response_schema={"type": "integer"}, coerce=True)


@pytest.mark.parametrize(
    ("message", "is_answer"),
    [
        (AIMessage([{"type": "image", "base64": "aGk=", "mime_type": "image/png"}]), True),
        (AIMessage([{"type": "image_url", "image_url": {"url": "http://a.test/b.png"}}]), True),
        (AIMessage("", additional_kwargs={"audio": {"data": "aGk=", "transcript": "Hi"}}), True),
        (AIMessage([{"type": "thinking", "thinking": "Hm."}]), False),
        (AIMessage([{"type": "text", "text": " "}]), False),
    ],
    ids=["image", "address", "audio", "thoughts", "blank"],
)
def test_media_are_an_answer(message, is_answer):
    """Images and speech were refused as empty; what a model only thought still is."""
    assert ResponseValidator().inspect(message).passed is is_answer
