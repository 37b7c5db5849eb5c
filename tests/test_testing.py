"""The fakes themselves, where other tests do not use them to their end."""

import pytest
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_control.testing import ChaosChatModel, ScriptedChatModel

CALL = AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Oslo"}, "id": "1"}])


class Formatting(ScriptedChatModel):
    """A model that takes tools in a form of its own, as providers' clients do."""

    def bind_tools(self, tools, **kwargs):
        """Bind them in OpenAI's form."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools])

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        assert [tool["function"]["name"] for tool in kwargs["tools"]] == ["weather"]
        return super()._generate(messages, stop, run_manager, **kwargs)


def weather(city: str) -> str:
    """Tell the weather."""


def test_chaos_takes_tools_as_the_model_in_it_does():
    """So it can stand in for an agent's model."""
    model = ChaosChatModel(inner=Formatting(script=[CALL]), rates={})

    assert model.bind_tools([weather]).invoke("Hello").tool_calls == CALL.tool_calls


@pytest.mark.parametrize(
    ("kind", "calls", "invalid"),
    [
        ("malformed", 0, 1),
        ("truncated", 0, 1),
        ("empty", 0, 0),
        ("refusal", 0, 0),
        ("fenced", 1, 0),
    ],
)
def test_trouble_befalls_calls_of_tools(kind, calls, invalid):
    """An answer in trouble calls no tool as if there were none."""
    said = CALL.model_copy(update={"additional_kwargs": {"tool_calls": [{"id": "1"}]}})

    message = ChaosChatModel(inner=ScriptedChatModel(script=[said]), rates={kind: 1}).invoke("Hi")

    assert (len(message.tool_calls), len(message.invalid_tool_calls)) == (calls, invalid)
    assert bool(message.text) == (kind == "refusal")
    assert ("tool_calls" in message.additional_kwargs) == (calls > 0)


def test_a_script_is_several_replies():
    """A text would be played letter by letter."""
    with pytest.raises(ValueError, match="`script` must be a list"):
        ScriptedChatModel(script="hello")
