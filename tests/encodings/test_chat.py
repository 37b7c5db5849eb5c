"""Messages cost their framing as well."""

import json

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_control.encodings import tokenizer_for
from langchain_control.encodings.chat import MEDIA_TOKENS, message_tokens, tool_tokens

COUNT = tokenizer_for("cl100k_base").count
BASE64 = "iVBORw0KGgo" * 1_000

CALL = {"name": "search", "args": {"query": "circuit breaker"}, "id": "call_1"}


@pytest.mark.parametrize(
    "messages",
    [
        [HumanMessage("hello world")],
        [
            SystemMessage("Be brief."),
            HumanMessage("Was heißt das?", name="ada"),
            AIMessage("Nichts."),
        ],
        [HumanMessage([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])],
        [ChatMessage("hi", role="developer")],
        [HumanMessage([{"type": "image_url", "image_url": {"url": "x", "detail": "low"}}])],
    ],
    ids=["one", "several", "blocks", "role", "image"],
)
def test_counts_agree_with_chat_openai(messages):
    """What OpenAI documents is counted as `ChatOpenAI` counts it."""
    openai = pytest.importorskip("langchain_openai")
    model = openai.ChatOpenAI(model="gpt-4", api_key="none")
    object.__setattr__(model, "_get_encoding_model", lambda: ("gpt-4", tokenizer_for("gpt-4")))
    ours = 3 + sum(message_tokens(message, COUNT) for message in messages)
    assert ours == model.get_num_tokens_from_messages(messages)


def test_a_message_costs_its_frame():
    """Framing and role are 4 tokens, even around nothing."""
    assert message_tokens(HumanMessage(""), COUNT) == 4


def test_tool_calls_are_counted():
    """A tool call costs its name, its arguments and its id."""
    plain = message_tokens(AIMessage(""), COUNT)
    calling = message_tokens(AIMessage("", tool_calls=[CALL]), COUNT)
    assert calling == plain + 3 + COUNT("search") + COUNT('{"query": "circuit breaker"}')


def test_invalid_tool_calls_are_counted():
    """So does one whose arguments did not parse."""
    broken = {"name": "search", "args": '{"query": ', "id": None, "error": None}
    message = AIMessage("", invalid_tool_calls=[broken])
    assert message_tokens(message, COUNT) == 4 + 3 + COUNT("search") + COUNT('{"query": ')


def test_tool_calls_repeated_in_the_content_are_counted_once():
    """Content that says a tool call again, as Anthropic's does, adds nothing."""
    block = {"type": "tool_use", "id": "call_1", "name": "search", "input": CALL["args"]}
    with_block = AIMessage([{"type": "text", "text": "Let me see."}, block], tool_calls=[CALL])
    without = AIMessage("Let me see.", tool_calls=[CALL])
    assert message_tokens(with_block, COUNT) == message_tokens(without, COUNT)


def test_tool_results_are_counted():
    """A tool result costs its content and the id it answers."""
    message = ToolMessage("42 results", tool_call_id="call_1")
    assert message_tokens(message, COUNT) == 4 + 3 + COUNT("42 results")


def test_media_costs_a_flat_rate():
    """A megabyte of base64 in an image block is not counted as text."""
    block = {"type": "image", "base64": "A" * 1_000_000, "mime_type": "image/png"}
    assert message_tokens(HumanMessage([block]), COUNT) == 4 + MEDIA_TOKENS


SCREEN = {"type": "computer_screenshot", "image_url": BASE64}
ANTHROPIC = {"type": "image", "source": {"type": "base64", "data": BASE64}}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image_generation_call", "id": "ig_1", "result": BASE64},
        {"type": "tool_result", "tool_use_id": "1", "content": [ANTHROPIC]},
        {"type": "computer_call_output", "call_id": "1", "output": SCREEN},
        {"image": {"format": "png", "source": {"bytes": BASE64.encode()}}},
        {"image_url": {"url": BASE64}},
        SCREEN,
    ],
    ids=["generated", "in a result", "in an output", "Bedrock", "untyped", "screenshot"],
)
def test_media_is_media_in_every_form(block):
    """Providers have their own blocks, and tools give images as well."""
    assert MEDIA_TOKENS < message_tokens(HumanMessage([block]), COUNT) < MEDIA_TOKENS + 40


def test_what_stands_beside_media_is_counted():
    """An image does not hide the text of the same result, or another image."""
    said = {"type": "text", "text": "word " * 100}
    block = {"type": "tool_result", "tool_use_id": "1", "content": [ANTHROPIC, said, ANTHROPIC]}
    assert message_tokens(HumanMessage([block]), COUNT) > 2 * MEDIA_TOKENS + 100


def test_other_blocks_are_counted_as_json():
    """A block of unknown type costs its JSON."""
    block = {"type": "thinking", "thinking": "First, 数える."}
    text = '{"type": "thinking", "thinking": "First, 数える."}'
    assert message_tokens(AIMessage([block]), COUNT) == 4 + COUNT(text)


@pytest.mark.parametrize(
    "tool",
    [
        {"google_search": {}},
        {"function_declarations": [{"name": "検索", "parameters": {"type": "object"}}]},
        {"retrieval": {"vertex_ai_search": {"datastore": "x"}}},
        {"cachePoint": {"type": "default"}},
    ],
    ids=lambda tool: next(iter(tool)),
)
def test_a_tool_of_a_provider_costs_its_json(tool):
    """What only its provider knows how to read is counted all the same."""
    assert tool_tokens(tool, COUNT) == COUNT(json.dumps(tool, ensure_ascii=False))


def test_deep_nesting_is_counted():
    """A value too deep for `json` is counted all the same."""
    deep: list = ["bottom"]
    for _ in range(100_000):
        deep = [deep]
    message = HumanMessage("")
    message.content = [{"type": "data", "data": deep}]
    assert message_tokens(message, COUNT) > 100_000


def test_a_block_of_an_odd_type_is_counted():
    """A server may send any JSON."""
    assert message_tokens(AIMessage([{"type": ["x"], "a": "b"}]), COUNT) > COUNT("b")
