"""The prompt of an agent's model call: the agent's own messages, within a budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_control.components.budget import overflow
from langchain_control.components.prompt import (
    CORRECTION_HEADING,
    BuiltPrompt,
    PromptBuilder,
    numbered_constraints,
)
from langchain_control.fences import fenced
from langchain_control.outcomes import passed

__all__ = ["AgentPrompt"]


class AgentPrompt:
    """Leave an agent's messages as they are, and add the policy's words around them.

    System prompt and constraints of the policy join the agent's system message; a correction comes
    last. Nothing is dropped or moved: tool calls and results hang together, and shortening a
    history is the business of LangChain's own middleware. A list over the budget is a failure.

    The budget counts the messages and the tools on offer, where its `total_tokens` was set. The
    default is meant for a single question, and no agent's history would fit.
    """

    def __init__(
        self,
        builder: PromptBuilder,
        system_message: SystemMessage | None,
        tools: Sequence[Any] = (),
    ) -> None:
        """Take the policy's builder, the agent's system message, and the tools on offer."""
        self._budget = builder.budget
        self._is_bounded = builder.budget.has_own_total
        self._tools = tools
        self._system = _joined(builder, system_message)

    def build(
        self,
        question: list[BaseMessage],
        *,
        context: list[str] | None = None,  # noqa: ARG002  (an agent's documents are tool results)
        feedback: str | None = None,
    ) -> BuiltPrompt:
        """Return the messages of a call, or none and a `token_overflow` verdict."""
        messages, correction = [*self._system, *question], _correction(feedback)
        if not self._is_bounded:
            return self._built(messages, correction)
        room = self._budget.prompt_tokens - self._budget.count_tools(self._tools)
        needed = self._budget.count_messages(messages)
        if needed > room:
            verdict = overflow("messages", needed, room)
            return BuiltPrompt([], verdict, {}, self._budget.exact)
        if correction and self._budget.count_messages([*messages, *correction]) > room:
            return self._built(messages, [], "correction_cut")
        return self._built(messages, correction)

    def _built(
        self, messages: list[BaseMessage], correction: list[BaseMessage], *notes: str
    ) -> BuiltPrompt:
        whole = [*messages, *correction]
        report = {"correction": sum(map(self._budget.count_message, correction))}
        verdict = passed(whole, notes=notes)
        return BuiltPrompt(whole, verdict, report if correction else {}, self._budget.exact)


def _correction(feedback: str | None) -> list[BaseMessage]:
    if not feedback:
        return []
    return [HumanMessage(CORRECTION_HEADING + fenced("correction", feedback))]


def _joined(builder: PromptBuilder, given: SystemMessage | None) -> list[BaseMessage]:
    before, after = builder.system_prompt, numbered_constraints(builder.constraints)
    if not (before or after):
        return [given] if given else []
    if given is None or isinstance(given.content, str):
        texts = (before, given.content if given else "", after)
        whole = "\n\n".join(str(text) for text in texts if text)
        return [given.model_copy(update={"content": whole}) if given else SystemMessage(whole)]
    content = [*_block(before), *given.content, *_block(after)]
    return [given.model_copy(update={"content": content})]


def _block(text: str) -> Sequence[dict[str, Any]]:
    return [{"type": "text", "text": text}] if text else []
