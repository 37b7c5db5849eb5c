"""The contestants at the support desk: each asks a clerk of its own, and is judged alike."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_control.components.fallback import FallbackRouter
from langchain_control.components.prompt import PromptBuilder
from langchain_control.components.retry import RetryEngine
from langchain_control.components.validator import ResponseValidator
from langchain_control.demo.contest import (
    Contestant,
    Judge,
    Render,
    Score,
    blind_retry,
    control_layer,
    langchain_retry,
)
from langchain_control.demo.fallback import FOR_A_PERSON
from langchain_control.demo.tickets import PROMPT, Clerk, Triage, question, right_answer
from langchain_control.policy import ControlPolicy
from langchain_control.strategies import CannedAnswer

__all__ = ["BLIND", "CONTESTANTS", "CONTROL", "LANGCHAIN", "SINGLE", "Desk", "score"]

ATTEMPTS = 3
CONTRACT = ResponseValidator(response_schema=Triage)

SINGLE = "single call"
BLIND = f"blind retry x{ATTEMPTS}"
LANGCHAIN = f"LangChain with_retry x{ATTEMPTS}"
CONTROL = f"control layer x{ATTEMPTS}"


class Desk(NamedTuple):
    """What a contestant has to work with."""

    clerk: Clerk
    prompt: PromptBuilder
    render: Render
    """Looks up what `prompt` makes of a question."""


def _single(desk: Desk) -> Contestant:
    return blind_retry(desk.clerk, desk.render, CONTRACT, attempts=1)


def _blind(desk: Desk) -> Contestant:
    return blind_retry(desk.clerk, desk.render, CONTRACT, attempts=ATTEMPTS)


def _langchain(desk: Desk) -> Contestant:
    return langchain_retry(
        desk.clerk, desk.render, Triage, attempts=ATTEMPTS, fallback=FOR_A_PERSON
    )


def _control(desk: Desk) -> Contestant:
    canned = CannedAnswer(FOR_A_PERSON.model_dump())
    policy = ControlPolicy(
        guard=None,  # nobody else has one
        prompt=desk.prompt,
        validator=CONTRACT,
        retry=RetryEngine(max_attempts=ATTEMPTS, base_delay_seconds=0, jitter_seconds=0),
        fallback=FallbackRouter(strategies=[("a person", canned)]),
    )
    return control_layer(desk.clerk, policy)


CONTESTANTS: Mapping[str, Callable[[Desk], Contestant]] = MappingProxyType(
    {SINGLE: _single, BLIND: _blind, LANGCHAIN: _langchain, CONTROL: _control}
)


async def score(name: str, clerk: Clerk, queries: int, prompt: PromptBuilder = PROMPT) -> Score:
    """Put a number of tickets to one contestant, which asks one clerk."""
    desk = Desk(clerk, prompt, _rendered(prompt, queries).__getitem__)
    contestant = CONTESTANTS[name](desk)
    with _no_garbage_collection():
        trials = [
            await _judge(number, clerk).try_once(contestant, question(number))
            for number in range(queries)
        ]
    return Score.of(trials)


@cache
def _rendered(prompt: PromptBuilder, queries: int) -> Mapping[str, list[BaseMessage]]:
    """Render every prompt once, for all contestants and before any clock runs."""
    questions = map(question, range(queries))
    return {text: prompt.build([HumanMessage(text)]).messages for text in questions}


def _judge(number: int, clerk: Clerk) -> Judge:
    return Judge(
        meets=_meets,
        is_right=right_answer(number).model_dump().__eq__,
        meter=clerk,
        clock=time.process_time,  # nobody waits for anything here, but other programs run
    )


def _meets(answer: Any) -> bool:
    return _is_accepted(json.dumps(answer))


@cache
def _is_accepted(text: str) -> bool:
    """Judge an answer; there are only a few different ones."""
    return CONTRACT.inspect(text).passed


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
