"""An OpenAI-compatible server that answers from a script, without a socket."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from langchain_openai import ChatOpenAI

from benchmarks.real_model.client import MeteredClient
from benchmarks.real_model.run import Bench

_HTTPX = importlib.import_module(  # the SDK's: its name differs between versions
    next(c.__module__ for c in MeteredClient.__mro__ if c.__module__.startswith("httpx")).split(
        "."
    )[0]
)


class FakeServer:
    """Answers requests, and keeps their bodies."""

    def __init__(self, answer: Callable[[dict[str, Any]], str | dict[str, Any] | int]) -> None:
        """Answer with content, with a whole message, or with the status of an error."""
        self._answer = answer
        self.requests: list[dict[str, Any]] = []

    def __call__(self, request: Any) -> Any:
        """Answer one request."""
        body = json.loads(request.content)
        self.requests.append(body)
        said = self._answer(body)
        if isinstance(said, int):
            return _HTTPX.Response(said, json={"error": {"message": "no"}})
        message = {"content": said} if isinstance(said, str) else said
        whole = {
            "id": "1", "object": "chat.completion", "created": 1, "model": "fake",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant"} | message}
            ],
            "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
        }  # fmt: skip
        return _HTTPX.Response(200, json=whole)

    def client(self, **options: Any) -> MeteredClient:
        """Return a client of this server."""
        return MeteredClient(transport=_HTTPX.MockTransport(self), **options)

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        """Return a bench with this server behind it."""
        async with self.client() as client:
            yield Bench(model_of(client), client)


def model_of(client: MeteredClient) -> ChatOpenAI:
    """Return a chat model whose calls go through a client."""
    return ChatOpenAI(
        model="fake",
        base_url="http://fake/v1",
        api_key="none",
        max_retries=0,
        http_async_client=client,
    )
