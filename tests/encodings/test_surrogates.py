"""Strings that UTF-8 can express, wherever in a message they stand."""

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, ToolMessage

from langchain_control.encodings.surrogates import well_formed, well_formed_message

HALF = "hi \ud83d"
MENDED = "hi \ufffd"


def calling(**changes):
    return AIMessage(
        "", tool_calls=[{"name": "f", "args": {}, "id": "1", "type": "tool_call", **changes}]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [("é", "é"), (HALF, MENDED), ("\ud83d\ude00", "😀"), ("\ude00\ud83d", "\ufffd\ufffd")],
)
def test_pairs_are_joined_and_halves_replaced(text, expected):
    """What is well-formed stays."""
    assert well_formed(text) == expected


@pytest.mark.parametrize(
    "make",
    [
        HumanMessage,
        lambda text: HumanMessage("a", name=text),
        lambda text: HumanMessage([text, {"type": "text", "text": text}]),
        lambda text: HumanMessage([{"type": "image_url", "image_url": {"url": text}}]),
        lambda text: ChatMessage("a", role=text),
        lambda text: AIMessage("a", additional_kwargs={"reasoning_content": text}),
        lambda text: calling(args={text: [{"a": text}]}),
        lambda text: calling(id=text),
        lambda text: calling(name=text),
        lambda text: ToolMessage("a", tool_call_id=text),
    ],
)
def test_every_string_that_is_sent_is_mended(make):
    """Clients write all of these into one JSON text."""
    before = make(HALF)

    assert well_formed_message(before) == make(MENDED)
    assert before == make(HALF)


def test_a_message_without_any_stays_itself():
    """Nothing is copied where nothing is to be done."""
    message = calling(args={"ä": ["😀", 1, None]})

    assert well_formed_message(message) is message


def test_depth_is_no_obstacle():
    """A model may nest its arguments as deep as it likes."""
    deep = inner = []
    for _ in range(5_000):
        inner.append([])
        inner = inner[0]
    inner.append(HALF)

    mended = well_formed_message(HumanMessage([{"type": "x", "x": deep}])).content[0]["x"]
    while isinstance(mended, list):
        mended = mended[0]
    assert mended == MENDED


def test_what_holds_itself_is_mended_as_well():
    """An application may hand in what is no JSON."""
    block = {"type": "x", "text": HALF}
    block["self"] = block

    [mended] = well_formed_message(HumanMessage.model_construct(content=[block])).content

    assert mended["self"] is mended
    assert mended["text"] == MENDED
