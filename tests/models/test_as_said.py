"""The reply beside the answer that was made of it."""

from __future__ import annotations

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_control.models.as_said import as_said, beside

REPLY = AIMessage("", tool_calls=[{"name": "City", "args": {"city": "Paris"}, "id": "1"}])
ANSWER = AIMessage('{"city": "Paris"}', id="2")


def test_an_answer_knows_its_reply_also_when_it_is_changed():
    """Steps after the call copy messages, as to name the provider."""
    known = beside(ANSWER, REPLY).model_copy(update={"response_metadata": {"model_provider": "x"}})

    assert as_said(known) is REPLY


def test_an_answer_that_is_the_reply_is_what_was_said():
    """Nothing was made of it."""
    assert as_said(ANSWER) is ANSWER


@pytest.mark.parametrize(
    "write",
    [AIMessage.model_dump, AIMessage.model_dump_json, dumpd, JsonPlusSerializer().dumps_typed],
    ids=["data", "JSON", "trace", "checkpoint"],
)
def test_the_reply_is_written_nowhere(write):
    """A message that knows its reply is equal to, and written as, one that does not."""
    known = beside(ANSWER, REPLY)

    assert known == ANSWER
    assert write(known) == write(ANSWER)
