"""Where in the input of a Runnable there is a place for messages, and for a correction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import (
    Runnable,
    RunnableConfig,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.config import merge_configs
from langchain_core.runnables.passthrough import RunnableAssign

from langchain_control.conversation import with_correction
from langchain_control.models.configurable import chosen
from langchain_control.models.variants import within

__all__ = ["corrected", "refuse_messages_as_text"]

_KEY = "feedback"


def corrected(
    runnable: Runnable[Any, Any], value: Any, text: str, config: RunnableConfig | None = None
) -> Any | None:
    """Return the input of a Runnable with a correction in it, or `None` if it has no place for one.

    Args:
        runnable: What is called with it. Whoever reads an input first has a place or has none.
        value: The input.
        text: The correction.
        config: Of the run, which may choose what is called.
    """
    readers = list(_readers(runnable, config))
    if not isinstance(value, Mapping):
        takes_it = all(_takes_messages(reader, value) for reader in readers)
        return with_correction(value, text) if takes_it else None
    if not all(_takes_feedback(reader, value) for reader in readers):
        return None
    is_placeholder = any(_KEY in getattr(reader, "input_types", ()) for reader in readers)
    return {**value, _KEY: [HumanMessage(text)] if is_placeholder else text}


def refuse_messages_as_text(runnable: Runnable[Any, Any]) -> None:
    """Refuse what would print the messages that it is asked with into a text.

    Raises:
        TypeError: A prompt template with variables for texts reads the messages first.
    """
    if any(_is_for_texts(reader) for reader in _readers(runnable, None)):
        msg = (
            "a prompt template would print the messages into its text: put it before the control, "
            "as in `template | with_control(model)`"
        )
        raise TypeError(msg)


def _is_for_texts(reader: Any) -> bool:
    is_template = isinstance(reader, BasePromptTemplate)
    return is_template and not set(reader.input_variables) <= set(reader.input_types)


def _readers(
    runnable: Runnable[Any, Any], config: RunnableConfig | None
) -> Iterator[Runnable[Any, Any]]:
    """Yield who reads an input first, past those that hand it on as it is. At least one."""
    match chosen(runnable, config):
        case RunnableSequence() as sequence:
            reading = (step for step in sequence.steps if not _hands_on(step))
            yield from _readers(next(reading, sequence.last), config)
        case RunnableWithFallbacks() as several:
            for one in several.runnables:
                yield from _readers(one, config)
        case RunnableBindingBase() as binding:
            yield from _readers(binding.bound, merge_configs(binding.config, config))
        case reader:
            inner = within(reader)
            yield from (reader,) if inner is None else _readers(inner, config)


def _hands_on(step: Runnable[Any, Any]) -> bool:
    return isinstance(step, RunnablePassthrough | RunnableAssign) or _place(step) == "further_on"


def _takes_messages(reader: Any, value: Any) -> bool:
    match reader:
        case BaseLanguageModel():
            return True
        case BasePromptTemplate():
            return isinstance(value, list) and not _is_for_texts(reader)
        case RunnableParallel():
            steps = reader.steps__.values()
            return all(_takes_messages(r, value) for step in steps for r in _readers(step, None))
        case RunnableLambda():
            return isinstance(value, list) and all(isinstance(m, BaseMessage) for m in value)
    return _place(reader) in ("last_message", "feedback")


def _takes_feedback(reader: Any, value: Mapping[Any, Any]) -> bool:
    """Whether a mapping's `feedback` is read, and what the caller gave as such is left alone."""
    if _place(reader) == "feedback":
        return True
    if value.get(_KEY):
        return False
    match reader:
        case BasePromptTemplate():
            optional = (*reader.optional_variables, *reader.partial_variables)
            return _KEY in (*reader.input_variables, *optional)
        case RunnableParallel():
            return _KEY in reader.steps__
    return isinstance(reader, RunnableLambda) and "input" in value


def _place(runnable: Any) -> str:
    """Return what a component says that it does with a correction; others say nothing."""
    place: str = getattr(type(runnable), "corrections", "none")
    return place
