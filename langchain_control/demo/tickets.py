"""Support tickets, the contract for sorting them, and a clerk with a known error rate."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random
from typing import Any, Literal

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import BaseModel, ConfigDict

from langchain_control.components.budget import TokenBudget
from langchain_control.components.prompt import PromptBuilder
from langchain_control.conversation import messages_of

__all__ = ["PROMPT", "WORD", "Clerk", "Triage", "question", "right_answer"]


class Triage(BaseModel):
    """How a ticket is filed: the contract of every answer."""

    model_config = ConfigDict(extra="forbid")

    category: Literal["billing", "access", "shipping"]
    urgent: bool
    summary: str


_CASES: Sequence[tuple[str, Triage]] = (
    (
        "I was charged twice for my March invoice.",
        Triage(category="billing", urgent=False, summary="Charged twice for the March invoice."),
    ),
    (
        "Nobody in our clinic can log in since this morning.",
        Triage(category="access", urgent=True, summary="A whole clinic cannot log in."),
    ),
    (
        "The parcel went to my old address.",
        Triage(category="shipping", urgent=False, summary="A parcel went to an old address."),
    ),
    (
        "The vaccines you ship are still in customs and get warm.",
        Triage(category="shipping", urgent=True, summary="Vaccines are stuck in customs."),
    ),
)

PROMPT = PromptBuilder(
    system_prompt="You sort the tickets of a support desk.",
    constraints=[
        "Answer with one JSON object and nothing else.",
        'Its keys: "category" (billing, access or shipping), "urgent" (true or false), "summary".',
        "The summary is one sentence.",
    ],
)
"""The prompt of every contestant."""


def question(number: int) -> str:
    """Return the text of a ticket."""
    return f"Ticket {number}: {_CASES[number % len(_CASES)][0]}"


def right_answer(number: int) -> Triage:
    """Return how the ticket should be filed."""
    return _CASES[number % len(_CASES)][1]


WORD = "json"
"""Without this word in the prompt a clerk answers in prose, like the article's mock."""


class Clerk(Runnable[LanguageModelInput, AIMessage]):
    """Stands in for a model: sorts tickets, and gets a share of them wrong.

    Luck depends on the ticket, the number of the try and the seed alone. So every contestant meets
    the same first answers, and as long as hints do nothing, the same answers throughout.
    """

    def __init__(self, failure_rate: float, hint_factor: float = 1.0, *, seed: int = 0) -> None:
        """Hire a clerk.

        Args:
            failure_rate: Share of answers that are damaged.
            hint_factor: What a changed prompt multiplies that by: 1 if hints do nothing.
            seed: Another seed, other luck.
        """
        self.failure_rate, self.hint_factor, self.seed = failure_rate, hint_factor, seed
        self.calls = self.input_tokens = self.output_tokens = 0
        self._tries: Counter[int] = Counter()
        self._first_prompts: dict[int, str] = {}

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002  (LangChain's name)
        config: RunnableConfig | None = None,  # noqa: ARG002
        **_: Any,
    ) -> AIMessage:
        """Answer the ticket in the prompt."""
        texts = [str(message.text) for message in messages_of(input)]
        answer, finish_reason = self._answer("\n".join(texts))
        usage = UsageMetadata(
            input_tokens=sum(map(_tokens, texts)), output_tokens=_tokens(answer), total_tokens=0
        )
        self.calls += 1
        self.input_tokens += usage["input_tokens"]
        self.output_tokens += usage["output_tokens"]
        return AIMessage(
            answer, usage_metadata=usage, response_metadata={"finish_reason": finish_reason}
        )

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002  (LangChain's name)
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer the ticket in the prompt, on the spot."""
        return self.invoke(input, config, **kwargs)

    def _answer(self, prompt: str) -> tuple[str, str]:
        """Return an answer and its finish reason."""
        number = _ticket_in(prompt)
        self._tries[number] += 1
        is_changed = self._first_prompts.setdefault(number, prompt) != prompt
        rate = self.failure_rate * (self.hint_factor if is_changed else 1.0)
        luck = Random(f"{self.seed}/{number}/{self._tries[number]}")  # noqa: S311  (must repeat)
        right = right_answer(number)
        if WORD not in prompt.lower():
            return _prose(right)
        if luck.random() < rate:
            return luck.choice(_DAMAGE)(right)
        return right.model_dump_json(), "stop"


def _ticket_in(prompt: str) -> int:
    found = re.search(r"Ticket (\d+):", prompt)
    if found is None:
        msg = "expected a prompt with a ticket in it"
        raise ValueError(msg)
    return int(found[1])


@lru_cache(maxsize=8192)
def _tokens(text: str) -> int:
    return TokenBudget().count(text)


def _prose(answer: Triage) -> tuple[str, str]:
    return f"This looks like a {answer.category} matter. {answer.summary}", "stop"


def _without_a_key(answer: Triage) -> tuple[str, str]:
    return answer.model_dump_json(exclude={"urgent"}), "stop"


def _wrong_value(answer: Triage) -> tuple[str, str]:
    return json.dumps({**answer.model_dump(), "category": "other"}), "stop"


def _cut_off(answer: Triage) -> tuple[str, str]:
    return answer.model_dump_json()[:-9], "length"


_DAMAGE: Sequence[Callable[[Triage], tuple[str, str]]] = (
    _prose,
    _without_a_key,
    _wrong_value,
    _cut_off,
)
"""The ways an answer is damaged, each as often as the others."""
