"""The agent on a real language model: whatever it says, each run ends, and the trail knows how."""

from __future__ import annotations

import io

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda

from benchmarks.real_agent import MOST_CALLS, QUESTIONS, ToolsAsJson, run
from langchain_control.console import Console
from langchain_control.demo.office_tools import convert_length, days_between

CALL = '{"tool": "convert_length", "arguments": {"amount": 1, "unit": "km", "into": "m"}}'


class Fake(RunnableLambda):
    """A model in schema mode, which notes the schemas it was given."""

    model_name = "fake"

    def __init__(self, said: str) -> None:
        super().__init__(lambda _: AIMessage(said))
        self.schemas: list[dict] = []

    def bind(self, **kwargs):
        self.schemas.append(kwargs["response_format"]["json_schema"]["schema"])
        return self


def test_a_call_is_read_out_of_json():
    """The JSON of a call becomes a tool call, with only calls on offer."""
    inner = Fake(CALL)
    model = ToolsAsJson(inner=inner).bind_tools([convert_length, days_between])

    [call] = model.invoke("How many m is 1 km?").tool_calls

    assert (call["name"], call["args"]["into"]) == ("convert_length", "m")
    names = [s["properties"]["tool"]["const"] for s in inner.schemas[0]["anyOf"]]
    assert names == ["convert_length", "days_between"]


def test_after_a_result_the_answer_is_due():
    """Once a tool has spoken, the only step on offer is to answer."""
    inner = Fake('{"answer": "1000 m"}')
    model = ToolsAsJson(inner=inner).bind_tools([convert_length])
    called = AIMessage("", tool_calls=[{"name": "convert_length", "args": {}, "id": "1"}])

    said = model.invoke([HumanMessage("?"), called, ToolMessage("1000", tool_call_id="1")])

    assert said.text == "1000 m"
    assert [list(s["properties"]) for s in inner.schemas[0]["anyOf"]] == [["answer"]]


def test_what_is_no_json_is_left_to_be_judged():
    """Prose stays prose."""
    assert ToolsAsJson(inner=Fake("Well…")).invoke("?").text == "Well…"


@pytest.mark.local_model
@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_every_run_on_the_real_model_ends(base_url):
    """The attack costs no attempt; every other run ends within its bounds."""
    audit = run(base_url, Console(io.StringIO(), rich=False), stories=False)

    summary = audit.summary()

    assert summary.requests == len(QUESTIONS)
    assert summary.rejected == 1
    assert summary.attempts <= 3 * MOST_CALLS * (len(QUESTIONS) - 1)
