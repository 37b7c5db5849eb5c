"""The contestants at the support desk: each asks a clerk of its own, and is judged alike."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from langchain_control.components.fallback import FallbackRouter
from langchain_control.components.prompt import PromptBuilder
from langchain_control.components.retry import RetryEngine
from langchain_control.components.validator import ResponseValidator
from langchain_control.demo.contest import (
    Contestant,
    Score,
    blind_retry,
    control_layer,
    langchain_retry,
    try_once,
)
from langchain_control.demo.fallback import FOR_A_PERSON
from langchain_control.demo.tickets import PROMPT, Clerk, Triage, question, right_answer
from langchain_control.policy import ControlPolicy
from langchain_control.strategies import CannedAnswer

__all__ = ["BLIND", "CONTESTANTS", "CONTROL", "LANGCHAIN", "SINGLE", "score"]

ATTEMPTS = 3
CONTRACT = ResponseValidator(response_schema=Triage)
CANNED = FOR_A_PERSON
"""The fallback of the contestants that have one."""

SINGLE = "single call"
BLIND = f"blind retry x{ATTEMPTS}"
LANGCHAIN = f"LangChain with_retry x{ATTEMPTS}"
CONTROL = f"control layer x{ATTEMPTS}"


def _single(clerk: Clerk, prompt: PromptBuilder) -> Contestant:
    return blind_retry(clerk, prompt, CONTRACT, attempts=1)


def _blind(clerk: Clerk, prompt: PromptBuilder) -> Contestant:
    return blind_retry(clerk, prompt, CONTRACT, attempts=ATTEMPTS)


def _langchain(clerk: Clerk, prompt: PromptBuilder) -> Contestant:
    return langchain_retry(clerk, prompt, Triage, attempts=ATTEMPTS, fallback=CANNED)


def _control(clerk: Clerk, prompt: PromptBuilder) -> Contestant:
    return control_layer(
        clerk,
        ControlPolicy(
            guard=None,  # nobody else has one
            prompt=prompt,
            validator=CONTRACT,
            retry=RetryEngine(max_attempts=ATTEMPTS, base_delay_seconds=0, jitter_seconds=0),
            fallback=FallbackRouter(strategies=[("canned", CannedAnswer(CANNED.model_dump()))]),
        ),
    )


CONTESTANTS: Mapping[str, Callable[[Clerk, PromptBuilder], Contestant]] = MappingProxyType(
    {SINGLE: _single, BLIND: _blind, LANGCHAIN: _langchain, CONTROL: _control}
)


async def score(name: str, clerk: Clerk, queries: int, prompt: PromptBuilder = PROMPT) -> Score:
    """Put a number of tickets to one contestant, which asks one clerk."""
    contestant = CONTESTANTS[name](clerk, prompt)
    with _no_garbage_collection():
        trials = [
            await try_once(
                contestant,
                question(number),
                validator=CONTRACT,
                is_right=right_answer(number).model_dump().__eq__,
                meter=clerk,
            )
            for number in range(queries)
        ]
    return Score.of(trials)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep collections from landing on one contestant or another, as `timeit` does."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
