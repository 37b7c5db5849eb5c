"""Messages are told apart by their part in a prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue

from langchain_control import PromptBuilder
from langchain_control.conversation import (
    Conversation,
    answer_of,
    documents_in,
    is_blank,
    with_correction,
)

SYSTEM, ASK, ANSWER = SystemMessage("s"), HumanMessage("q"), AIMessage("a")
CALL = AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": "1"}])
RESULT = ToolMessage("found", tool_call_id="1")
CORRECTION = HumanMessage("fix it")


def test_the_last_human_message_is_the_question():
    """Before it are turns, after it comes the rest of the current turn."""
    conversation = Conversation.of([SYSTEM, ASK, ANSWER, ASK, CALL, RESULT])
    assert conversation == ([SYSTEM], ([ASK, ANSWER],), ASK, [CALL, RESULT])


def test_a_turn_begins_with_a_human_message():
    """What the assistant said first is a turn of its own."""
    conversation = Conversation.of([ANSWER, ASK, ANSWER, ASK, ANSWER, ASK])
    assert conversation.turns == ([ANSWER], [ASK, ANSWER], [ASK, ANSWER])


def test_a_chat_message_counts_by_its_role():
    """Servers of one's own are spoken to in roles: their users ask, and their developers tell."""
    system, ask, answer = (ChatMessage("x", role=role) for role in ("developer", "user", "ai"))
    conversation = Conversation.of([system, ask, answer, ask, answer, ask])
    assert conversation == ([system], ([ask, answer], [ask, answer]), ask, [])


def test_a_tool_call_stays_with_its_result():
    """A person who speaks between call and result does not begin a turn."""
    conversation = Conversation.of([ASK, CALL, ASK, RESULT, ANSWER, ASK, ANSWER, ASK])
    assert conversation.turns == ([ASK, CALL, ASK, RESULT, ANSWER], [ASK, ANSWER])


def test_without_a_human_message_there_is_no_question():
    """Everything after the system messages is kept as it is."""
    assert Conversation.of([SYSTEM, ANSWER]) == ([SYSTEM], (), None, [ANSWER])
    assert Conversation.of([]) == ([], (), None, [])


@given(st.lists(st.sampled_from([SYSTEM, ASK, ANSWER, CALL, RESULT])))
def test_nothing_is_lost(messages):
    """The parts, in order, are the messages again."""
    system, turns, question, rest = Conversation.of(messages)
    before = [message for turn in turns for message in turn]
    assert [*system, *before, *([question] if question else []), *rest] == messages


@pytest.mark.parametrize(
    ("context", "texts"),
    [(None, []), ("a", ["a"]), (Document("a"), ["a"]), (("a", Document("b")), ["a", "b"])],
)
def test_documents_are_texts(context, texts):
    """One or several, in any form that a retriever or a person gives them."""
    assert documents_in(context) == texts


@pytest.mark.parametrize("context", [[1], b"a", 5, {"a": "b"}, ["a", None]])
def test_anything_else_is_no_document(context):
    """By its type, and whoever asks."""
    with pytest.raises(TypeError, match="`context` is text, Documents, or a sequence of these"):
        documents_in(context)
    with pytest.raises(TypeError, match="`context` is text"):
        PromptBuilder().build("q", context=context)


@pytest.mark.parametrize("said", ["hi", AIMessage("hi"), AIMessageChunk("hi")])
def test_an_answer_is_a_message(said):
    """A text or a message may be given for one; a chunk is no kind of message for a history."""
    answer = answer_of(said)

    assert (answer.type, answer.text) == ("ai", "hi")


def test_anything_else_is_no_answer():
    """By its type."""
    with pytest.raises(TypeError, match="got `int`"):
        answer_of(3)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("hi", [HumanMessage("hi"), CORRECTION]),
        (HumanMessage("hi"), [HumanMessage("hi"), CORRECTION]),
        ([SystemMessage("s"), AIMessage("a")], [SystemMessage("s"), AIMessage("a"), CORRECTION]),
        ([("user", "hi")], [("user", "hi"), CORRECTION]),
        ((HumanMessage("hi"),), [HumanMessage("hi"), CORRECTION]),
        (StringPromptValue(text="hi"), ChatPromptValue(messages=[HumanMessage("hi"), CORRECTION])),
    ],
    ids=["text", "message", "messages", "pairs", "tuple", "prompt value"],
)
def test_a_correction_goes_last(value, expected):
    """Every kind of prompt gets the correction as its last message."""
    assert with_correction(value, "fix it") == expected


@pytest.mark.parametrize("value", [{"input": "x"}, 3, None], ids=str)
def test_an_input_without_a_place_for_it_stays_as_it_is(value):
    """Nothing is forced into an input that could not carry it."""
    assert with_correction(value, "fix it") is value


@pytest.mark.parametrize("kind", [["x"], {"a": 1}, None], ids=str)
def test_a_block_of_an_odd_type_is_no_media(kind):
    """It raised a `TypeError` after the answer had come."""
    assert is_blank(AIMessage([{"type": kind}]))
