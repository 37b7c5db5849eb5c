"""Support tickets, the contract for sorting them, and a scripted clerk with a known error rate."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Literal

from langchain_core.messages import BaseMessage
from pydantic import BaseModel, ConfigDict

from langchain_control.components.budget import TokenBudget
from langchain_control.components.prompt import PromptBuilder
from langchain_control.testing import Reply

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


@dataclass
class Clerk:
    """A script for `ScriptedChatModel`: sorts tickets, and gets a share of them wrong.

    Luck depends on the ticket, the number of the try and the seed alone. So every contestant meets
    the same first answers, and as long as hints do nothing, the same answers throughout.
    """

    failure_rate: float
    """Share of answers that are damaged."""
    hint_factor: float = 1.0
    """What a changed prompt multiplies the failure rate by: 1 if hints do nothing."""
    seed: int = 0
    calls: int = field(default=0, init=False)
    input_tokens: int = field(default=0, init=False)
    output_tokens: int = field(default=0, init=False)
    _tries: Counter[int] = field(default_factory=Counter, init=False)
    _first_prompts: dict[int, str] = field(default_factory=dict, init=False)

    def __call__(self, messages: Sequence[BaseMessage]) -> Reply:
        """Answer the ticket in the prompt."""
        prompt = "\n".join(str(message.text) for message in messages)
        number = _ticket_in(prompt)
        self._tries[number] += 1
        is_changed = self._first_prompts.setdefault(number, prompt) != prompt
        rate = self.failure_rate * (self.hint_factor if is_changed else 1.0)
        luck = Random(f"{self.seed}/{number}/{self._tries[number]}")  # noqa: S311  (must repeat)
        answer = right_answer(number)
        if WORD not in prompt.lower():
            reply = _prose(answer)
        elif luck.random() < rate:
            reply = luck.choice(_DAMAGE)(answer)
        else:
            reply = Reply(answer.model_dump_json())
        return self._counted(reply, messages)

    def _counted(self, reply: Reply, messages: Sequence[BaseMessage]) -> Reply:
        tokens_in = sum(_tokens(str(message.text)) for message in messages)
        tokens_out = _tokens(str(reply.content))
        self.calls += 1
        self.input_tokens += tokens_in
        self.output_tokens += tokens_out
        return reply._replace(input_tokens=tokens_in, output_tokens=tokens_out)


def _ticket_in(prompt: str) -> int:
    found = re.search(r"Ticket (\d+):", prompt)
    if found is None:
        msg = "expected a prompt with a ticket in it"
        raise ValueError(msg)
    return int(found[1])


@lru_cache(maxsize=8192)
def _tokens(text: str) -> int:
    return TokenBudget().count(text)


def _prose(answer: Triage) -> Reply:
    return Reply(f"This looks like a {answer.category} matter. {answer.summary}")


def _without_a_key(answer: Triage) -> Reply:
    return Reply(answer.model_dump_json(exclude={"urgent"}))


def _wrong_value(answer: Triage) -> Reply:
    return Reply(json.dumps({**answer.model_dump(), "category": "other"}))


def _cut_off(answer: Triage) -> Reply:
    return Reply(answer.model_dump_json()[:-9], finish_reason="length")


_DAMAGE: Sequence[Callable[[Triage], Reply]] = (_prose, _without_a_key, _wrong_value, _cut_off)
"""The ways an answer is damaged, each as often as the others."""
