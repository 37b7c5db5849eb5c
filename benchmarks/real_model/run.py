"""The run: every task put to every contestant, seed by seed."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langchain_openai import ChatOpenAI
from openai import LengthFinishReasonError, OpenAIError
from pydantic import BaseModel

from benchmarks.real_model.client import MeteredClient
from benchmarks.real_model.contestants import Entry
from benchmarks.real_model.desk import MAX_TOKENS, TEMPERATURE, Desk
from benchmarks.real_model.tasks import Task
from benchmarks.real_model.trials import Record
from langchain_control import AuditLogger
from langchain_control.demo.contest import Answer, Contestant, Judge, Trial

__all__ = ["Bench"]

_MODES = ("json_schema", "function_calling", "json_mode")


class _Greeting(BaseModel):
    """What a server is asked for, to find out what it can do."""

    hello: str


class Bench:
    """A model behind a server, ready for contestants."""

    def __init__(self, model: ChatOpenAI, client: MeteredClient) -> None:
        """Ask `model`, whose calls go through `client`."""
        self._model, self._client = model, client

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str, model_name: str, api_key: str = "none") -> AsyncIterator[Bench]:
        """Connect to a server, and disconnect in the end: those of LangChain stay open."""
        async with MeteredClient() as client:
            model = ChatOpenAI(
                model=model_name,
                base_url=url,
                api_key=api_key,
                max_retries=0,
                http_async_client=client,
                temperature=TEMPERATURE,
                max_tokens=MAX_TOKENS,
            )
            yield cls(model, client)

    async def modes(self) -> set[str]:
        """Ask the server in each mode of structured output, and return those that it follows."""
        return {mode for mode in _MODES if await self._has(mode)}

    async def _has(self, mode: Any) -> bool:
        structured = self._model.with_structured_output(_Greeting, method=mode, include_raw=True)
        try:
            given = await structured.ainvoke('Greet Ann. Reply with JSON like this: {"hello": ""}')
        except LengthFinishReasonError:  # it follows, at length
            return True
        except OpenAIError:
            return False
        called = given["raw"].tool_calls or given["raw"].invalid_tool_calls
        return mode != "function_calling" or bool(called)

    async def run(
        self,
        entries: Mapping[str, Entry],
        tasks: Mapping[str, Sequence[Task]],
        *,
        seeds: Sequence[int],
        audit: AuditLogger,
        seconds: float,
    ) -> AsyncIterator[Record]:
        """Put every task to every contestant. After so many seconds no task is begun.

        Args:
            entries: The contestants by name.
            tasks: The tasks by kind.
            seeds: One round of all tasks for each.
            audit: Hears of the control layer's requests.
            seconds: How long to go on.
        """
        numbered = enumerate((kind, task) for kind, those in tasks.items() for task in those)
        rounds = list(itertools.product(seeds, numbered))
        started = time.monotonic()
        for done, (seed, (position, (kind, task))) in enumerate(rounds):
            elapsed = time.monotonic() - started
            if elapsed > seconds:
                sys.stderr.write(f"Time is up after {done} of {len(rounds)} rounds.\n")
                break
            progress = f"[{done + 1}/{len(rounds)}] {elapsed:.0f} s: {task.name}, seed {seed}"
            sys.stderr.write(f"{progress}\n")
            self._client.open_round()
            desk = Desk(self._model, task, audit)
            for name, entry in entries.items():
                self._client.start(1000 * seed + 10 * position)
                trial = await self._try(entry.make(desk), desk)
                yield Record(name, kind, task.name, seed, trial)

    async def _try(self, contestant: Contestant, desk: Desk) -> Trial:
        meter = self._client.meter
        judge = Judge(
            meets=lambda answer: desk.contract.inspect(json.dumps(answer)).passed,
            is_right=desk.task.is_right if desk.task.expected else None,
            meter=meter,
            clock=lambda: meter.seconds,
        )
        return await judge.try_once(_or_nothing(contestant), desk.task.prompt())


def _or_nothing(contestant: Contestant) -> Contestant:
    """Take what the server refuses, or the SDK, for no answer."""

    async def ask(question: str) -> Answer | None:
        try:
            return await contestant(question)
        except OpenAIError:
            return None

    return ask
