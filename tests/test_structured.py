"""`with_structured_output`: parsed objects out, never `None` by accident."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from langchain_control import ControlPolicy, RetryEngine, with_control
from langchain_control.errors import AttemptsExhausted
from langchain_control.testing import Reply, ScriptedChatModel
from tests.scenarios import AT_ONCE, CITY, GOOD


class City(BaseModel):
    city: str


class CityDict(TypedDict):
    city: str


class Native(ScriptedChatModel):
    """A model with a schema mode of its own; notes how it was asked."""

    asked: Any = None

    def with_structured_output(self, schema, *, include_raw=False, method="x", **kwargs):
        if method != "json_schema":
            raise ValueError(method)
        self.asked.append(schema)
        raw = self.bind(response_format="json_schema")
        return raw | RunnableLambda(lambda m: {"raw": m, "parsed": None, "parsing_error": None})


def policy():
    return ControlPolicy(retry=RetryEngine(**AT_ONCE))


def text_only(*script):
    """A model without tools and without a schema mode."""
    return ScriptedChatModel(script=list(script)) | RunnableLambda(lambda m: m)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [(City, City(city="Paris")), (CityDict, {"city": "Paris"}), (CITY, {"city": "Paris"})],
    ids=["pydantic", "TypedDict", "JSON Schema"],
)
def test_every_kind_of_schema_gives_its_own_kind_of_object(call, schema, expected):
    """Pydantic models come back as instances, TypedDicts and JSON Schemas as dicts."""
    structured = with_control(text_only("no", GOOD), policy()).with_structured_output(schema)

    assert call(structured, "Which city?") == expected


def test_a_model_without_any_mode_is_told_the_schema_in_the_prompt(call):
    """Where the provider offers nothing, the schema is a constraint of the prompt."""
    model = ScriptedChatModel(script=[GOOD])

    call(
        with_control(model | RunnableLambda(lambda m: m), policy()).with_structured_output(City),
        "Which city?",
    )

    assert "JSON Schema" in model.calls[0][0].text


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


def test_a_truncated_object_is_never_accepted(call):
    """An answer cut off by the limit is asked for again, not repaired."""
    cut = Reply('{"city": "Par"}', finish_reason="length")
    structured = with_control(text_only(cut, GOOD), policy()).with_structured_output(City)

    assert call(structured, "Which city?") == City(city="Paris")


def test_a_method_the_model_lacks_is_refused_at_once():
    """Asking for a mode that is not there is a mistake, told before any call."""
    with pytest.raises(ValueError, match="json_schema"):
        with_control(text_only(), policy()).with_structured_output(City, method="json_schema")


def test_a_retry_uses_the_schema_mode(call):
    """After a broken answer the provider's own schema mode is the next rung."""
    model = Native(script=["prose", GOOD], asked=[])
    strict = policy().override(validator={"response_schema": CITY})

    assert call(with_control(model, strict), "Which city?").content == '{"city":"Paris"}'
    assert len(model.asked) == 1
