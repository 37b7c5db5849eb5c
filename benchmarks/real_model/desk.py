"""What everybody has to work with: the model, the task, the same prompt and the same contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from langchain_core.messages import BaseMessage, HumanMessage

from benchmarks.real_model.tasks import Task
from langchain_control import AuditLogger, PromptBuilder, ResponseValidator

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

__all__ = ["ATTEMPTS", "MAX_TOKENS", "PROMPT", "TEMPERATURE", "Desk", "render"]

ATTEMPTS = 3
TEMPERATURE = 0.7
MAX_TOKENS = 80
"""Of one answer. The JSON that is asked for needs 10 to 50; a model that rambles is cut off."""
PROMPT = PromptBuilder(system_prompt="You are a helpful assistant that only writes JSON.")


class Desk(NamedTuple):
    """What a contestant has to work with."""

    model: ChatOpenAI
    task: Task
    audit: AuditLogger

    @property
    def contract(self) -> ResponseValidator:
        """What an answer must meet."""
        return ResponseValidator(response_schema=self.task.contract)


def render(question: str, feedback: str | None = None) -> list[BaseMessage]:
    """Return the prompt for a question, with what was wrong with the last answer."""
    return PROMPT.build([HumanMessage(question)], feedback=feedback).messages
