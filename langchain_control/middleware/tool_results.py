"""The messages in what a tool gives, whatever shape it gives them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, convert_to_messages
from langgraph.types import Command, Overwrite, Send

from langchain_control.middleware.agent_run import RECORD

__all__ = ["each_message", "from_outside", "leaves_the_agent", "with_messages", "without_record"]

MESSAGES = "messages"
"""The part of an agent's state whose reducer takes anything that reads as a message."""

Change = Callable[[BaseMessage], BaseMessage]


def with_messages(output: Any) -> Any:
    """Return what a tool gave with a message wherever something only reads as one.

    LangGraph would make `("user", "...")` a message as it enters the state, past whoever judges
    messages before.

    Raises:
        ValueError, NotImplementedError: Something under `messages` reads as none.
    """
    return each_message(output, lambda message: message)


def each_message(output: Any, change: Change) -> Any:
    """Return what a tool gave with every message in it changed.

    Messages may stand alone, in lists, and in a `Command`: in its update, as one message or
    several, and in the state that it sends to other nodes.
    """
    match output:
        case BaseMessage():
            return change(output)
        case list():
            return [each_message(item, change) for item in output]
        case Command():
            return replace(
                output, update=_in_update(output, change), goto=_in_goto(output.goto, change)
            )
    return output


def without_record(output: Any) -> Any:
    """Return what a tool gave without the record of another run.

    A tool that asks a controlled agent and hands its whole state on would put the record of that
    run in the place of this one's.
    """
    match output:
        case list():
            return [without_record(item) for item in output]
        case Command(graph=None, update=dict() as update):
            return replace(output, update={k: v for k, v in update.items() if k != RECORD})
        case Command(graph=None, update=list() as pairs):
            return replace(output, update=[pair for pair in pairs if pair[0] != RECORD])
    return output


def leaves_the_agent(output: Any) -> bool:
    """Say whether what a tool gave sends the graph around the agent to another node."""
    given = output if isinstance(output, list) else [output]
    return any(isinstance(one, Command) and one.graph == Command.PARENT for one in given)


def from_outside(message: BaseMessage) -> bool:
    """Whether a message may hold what somebody else wrote: the model's and the system's do not."""
    return not isinstance(message, AIMessage | SystemMessage)


def _in_update(command: Command[Any], change: Change) -> Any:
    update: Any = command.update
    if update is None:
        return None
    if isinstance(update, Mapping):
        return _in_state(update, change)
    pairs = command._update_as_tuples()  # noqa: SLF001  (LangGraph's own reading of every form)
    return [(key, _in_channel(key, value, change)) for key, value in pairs]


def _in_goto(goto: Any, change: Change) -> Any:
    if isinstance(goto, list | tuple):
        return [_in_goto(one, change) for one in goto]
    if not isinstance(goto, Send) or not isinstance(goto.arg, Mapping):
        return goto
    sent = copy(goto)
    sent.arg = _in_state(goto.arg, change)
    return sent


def _in_state(state: Mapping[str, Any], change: Change) -> dict[str, Any]:
    return {key: _in_channel(key, value, change) for key, value in state.items()}


def _in_channel(key: str, value: Any, change: Change) -> Any:
    if isinstance(value, Overwrite):
        return Overwrite(_in_channel(key, value.value, change))
    if key == MESSAGES and value is not None:
        value = convert_to_messages(value if isinstance(value, list) else [value])
    if type(value) in (list, tuple):
        return type(value)(change(one) if isinstance(one, BaseMessage) else one for one in value)
    return change(value) if isinstance(value, BaseMessage) else value
