"""A correction is added only where whatever reads the input first has a place for one."""

from operator import itemgetter

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import StringPromptValue
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableLambda, RunnablePassthrough
from langchain_core.tools import tool

from langchain_control import (
    CircuitBreaker,
    InputGuard,
    PromptBuilder,
    RetryEngine,
    with_control,
)
from langchain_control.retries.places import corrected, refuse_messages_as_text
from langchain_control.testing import ScriptedChatModel

MODEL = ScriptedChatModel(script=["hi"])
ASKED, FIX = HumanMessage("hi"), HumanMessage("fix it")
TEMPLATE = ChatPromptTemplate.from_messages([("human", "{input}")])
WITH_FEEDBACK = PromptTemplate.from_template("{input} {feedback}")
CONVERSATION = ChatPromptTemplate.from_messages([MessagesPlaceholder("messages")])
SEARCH = RunnableLambda(str.upper)
RAG = {"input": RunnablePassthrough(), "context": SEARCH} | PromptBuilder()


@tool
def look(q: str) -> str:
    """Look something up."""
    return q


@pytest.mark.parametrize(
    "runnable",
    [
        MODEL,
        MODEL | StrOutputParser(),
        MODEL.bind(stop=["x"]).with_config(tags=["x"]) | StrOutputParser(),
        MODEL.with_fallbacks([MODEL]),
        CircuitBreaker().wrap(MODEL),
        InputGuard() | RunnablePassthrough() | MODEL,
        PromptBuilder() | MODEL,
        with_control(MODEL),
        RunnablePassthrough() | {"raw": MODEL},
    ],
    ids=lambda runnable: runnable.get_name(),
)
@pytest.mark.parametrize("value", ["hi", [ASKED], StringPromptValue(text="hi")], ids=repr)
def test_what_takes_a_conversation_is_told_in_one(runnable, value):
    """Models and what puts prompts together, whatever stands around them or only looks on."""
    told = corrected(runnable, value, "fix it")

    messages = told if isinstance(told, list) else told.to_messages()
    assert messages == [ASKED, FIX]


@pytest.mark.parametrize(
    "runnable",
    [
        TEMPLATE | MODEL,
        PromptTemplate.from_template("{input}") | MODEL,
        RAG | MODEL,
        MODEL.with_fallbacks([TEMPLATE | MODEL]),
        SEARCH,
        look,
        StrOutputParser(),
        MODEL.map(),
        RunnablePassthrough(),
    ],
    ids=lambda runnable: runnable.get_name(),
)
@pytest.mark.parametrize("value", ["hi", ["hi", "ho"]], ids=repr)
def test_a_text_for_anything_else_is_left_alone(runnable, value):
    """A template would show the model a Python list, and nobody searches for a correction."""
    assert corrected(runnable, value, "fix it") is None


@pytest.mark.parametrize(
    "runnable", [RunnableLambda(len), CONVERSATION], ids=["function", "template"]
)
def test_what_is_given_messages_gets_one_more(runnable):
    """A function of messages takes a conversation, and so does a template with but a place for it.

    One message, or a list of something else, is none.
    """
    assert corrected(runnable, [ASKED], "fix it") == [ASKED, FIX]
    assert corrected(runnable, ASKED, "fix it") is None
    assert corrected(RunnableLambda(len), [{"n": 1}], "fix it") is None


@pytest.mark.parametrize(
    "runnable",
    [
        PromptBuilder(),
        RunnablePassthrough.assign(context=itemgetter("input") | SEARCH) | PromptBuilder(),
        WITH_FEEDBACK,
        WITH_FEEDBACK.partial(feedback=""),
        {"input": itemgetter("input"), "feedback": itemgetter("feedback")} | WITH_FEEDBACK,
        RunnableLambda(lambda given: given.get("feedback")),
    ],
    ids=lambda runnable: runnable.get_name(),
)
def test_a_mapping_carries_it_as_feedback(runnable):
    """To a prompt builder, a function, and a template that has such a variable."""
    told = {"input": "hi", "feedback": "fix it"}
    assert corrected(runnable | MODEL, {"input": "hi"}, "fix it") == told


@pytest.mark.parametrize(
    ("runnable", "value"),
    [
        (TEMPLATE, {"input": "hi"}),
        ({"input": itemgetter("input")} | PromptBuilder(), {"input": "hi"}),
        (RunnableLambda(len), {"topic": "hi"}),
        (look, {"input": "hi"}),
        (with_control(MODEL), {"input": "hi"}),
        (WITH_FEEDBACK, {"input": "Sort this:", "feedback": "The soup was cold."}),
        (MODEL, {"input": "hi"}),
    ],
    ids=["template", "rag", "function", "tool", "control", "feedback", "model"],
)
def test_a_mapping_that_nobody_reads_a_correction_from_is_left_alone(runnable, value):
    """A key that is not read corrects nothing, and what the caller says under it is not ours."""
    assert corrected(runnable, value, "fix it") is None


def test_a_placeholder_gets_it_as_a_message():
    """A place for messages takes no text."""
    prompt = ChatPromptTemplate.from_messages([("human", "{input}"), ("placeholder", "{feedback}")])

    told = corrected(prompt | MODEL, {"input": "hi"}, "fix it")

    assert prompt.invoke(told).to_messages() == [ASKED, FIX]


def test_who_is_asked_may_be_configured():
    """The config of the run decides, and what was bound to the Runnable before it."""
    either = MODEL.configurable_alternatives(ConfigurableField("who"), template=TEMPLATE | MODEL)

    assert corrected(either, "hi", "fix it") == [ASKED, FIX]
    assert corrected(either, "hi", "fix it", {"configurable": {"who": "template"}}) is None
    assert corrected(either.with_config(configurable={"who": "template"}), "hi", "fix it") is None


def test_a_retry_searches_for_the_same_thing():
    """An outage behind a search is no reason to search for the correction."""
    model = ScriptedChatModel(script=[TimeoutError(), "fine"])
    queries = []
    search = RunnableLambda(lambda query: queries.append(query) or ["doc"])
    chain = {"input": RunnablePassthrough(), "context": search} | PromptBuilder() | model
    engine = RetryEngine(base_delay_seconds=0, jitter_seconds=0)

    assert engine.wrap(chain).invoke("hi").text == "fine"
    assert queries == ["hi", "hi"]


def test_a_place_for_examples_prints_no_messages():
    """A template with an optional or filled place beside the one for messages was refused."""
    messages, optional = MessagesPlaceholder("messages"), ("placeholder", "{examples}")
    required = MessagesPlaceholder("examples")
    filled = ChatPromptTemplate([required, messages]).partial(examples=[HumanMessage("ex")])

    for template in (ChatPromptTemplate([optional, messages]), filled):
        refuse_messages_as_text(template | MODEL)
        assert corrected(template | MODEL, [ASKED], "fix it") == [ASKED, FIX]
