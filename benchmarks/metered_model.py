"""A chat model that takes a new seed for every call and counts what it was asked."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient, LengthFinishReasonError
from pydantic import Field

__all__ = ["MeteredChatOpenAI", "UsageMeter", "metered_model"]


@dataclass
class UsageMeter:
    """Calls and tokens so far, as the server counts them."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def count(self, usage: tuple[int, int] | None) -> None:
        """Count a call with its input and output tokens, where they are known."""
        self.calls += 1
        self.input_tokens += usage[0] if usage else 0
        self.output_tokens += usage[1] if usage else 0


class MeteredChatOpenAI(ChatOpenAI):
    """`ChatOpenAI`, with a seed of its own for each call. Async only."""

    seeds: Iterator[int] = Field(default_factory=itertools.count, exclude=True)
    meter: UsageMeter = Field(default_factory=UsageMeter, exclude=True)

    def starting_at(self, seed: int) -> Self:
        """Return the model with a new meter and seeds from `seed` on."""
        return self.model_copy(update={"seeds": itertools.count(seed), "meter": UsageMeter()})

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        seeded = {**kwargs, "seed": next(self.seeds)}
        try:
            result = await super()._agenerate(messages, stop, run_manager, **seeded)
        except LengthFinishReasonError as exc:  # a cut answer in schema mode; it was paid for
            usage = exc.completion.usage
            self.meter.count(usage and (usage.prompt_tokens, usage.completion_tokens))
            raise
        answer = result.generations[0].message
        usage = answer.usage_metadata if isinstance(answer, AIMessage) else None
        self.meter.count(usage and (usage["input_tokens"], usage["output_tokens"]))
        return result


@asynccontextmanager
async def metered_model(url: str, name: str, **settings: Any) -> AsyncIterator[MeteredChatOpenAI]:
    """Connect to a server, and disconnect in the end: clients that LangChain caches stay open."""
    async with DefaultAsyncHttpxClient() as client:
        yield MeteredChatOpenAI(
            model=name,
            base_url=url,
            api_key="none",
            max_retries=0,
            http_async_client=client,
            **settings,
        )
