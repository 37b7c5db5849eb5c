"""An OpenAI server without a socket, for models that are `ChatOpenAI` itself."""

from __future__ import annotations

import json
from typing import Any

import httpx
from langchain_openai import ChatOpenAI

__all__ = ["Provider", "tool_call"]

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


class Provider:
    """Answers requests in order, the last answer again and again; keeps the requests it got.

    Says a text, a message as a dict, perhaps with its `finish_reason`, or the whole body as bytes.
    """

    def __init__(self, *says: Any, refuses: str | list[str] = "", status: int = 400) -> None:
        self.requests: list[dict[str, Any]] = []
        self.pulled: list[str] = []
        self._says = says or ('{"city": "Paris"}',)
        self._refuses = {*([refuses] if isinstance(refuses, str) else refuses)}
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(json.loads(request.content))
        if self._refuses & set(self.requests[-1]):
            error = {"message": "This is unavailable now", "type": "invalid_request_error"}
            return httpx.Response(self._status, json={"error": error})
        said = self._says[min(len(self.requests), len(self._says)) - 1]
        if isinstance(said, bytes):
            return httpx.Response(200, content=said)
        if self.requests[-1].get("stream"):
            return httpx.Response(200, stream=_Streamed(said, self.pulled))
        message = said if isinstance(said, dict) else {"content": said}
        ending = {"finish_reason": message.get("finish_reason", "stop")}
        choice = {"message": {"role": "assistant", "content": None, **message}}
        return httpx.Response(200, json=_completion(choice | ending))

    def model(self, **settings: Any) -> ChatOpenAI:
        transport = httpx.MockTransport(self)
        clients = {
            "http_client": httpx.Client(transport=transport),
            "http_async_client": httpx.AsyncClient(transport=transport),
        }
        return ChatOpenAI(**{"model": "m", "api_key": "k", "max_retries": 0} | clients | settings)


def tool_call(name: str, /, **arguments: Any) -> dict[str, Any]:
    """Return what a provider says when its model calls a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"tool_calls": [{"id": "1", "type": "function", "function": function}]}


def _completion(choice: dict[str, Any], kind: str = "chat.completion") -> dict[str, Any]:
    about = {"id": "1", "object": kind, "created": 1, "model": "m-2026-11-23"}
    return {**about, "choices": [{"index": 0, **choice}], "usage": USAGE}


class _Streamed(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Server-sent events, one a word, noted as they are pulled."""

    def __init__(self, text: str, pulled: list[str]) -> None:
        self._words, self._pulled = text.split(" "), pulled

    def __iter__(self) -> Any:
        for number, word in enumerate(self._words):
            self._pulled.append(word)
            delta = {"role": "assistant", "content": word if number == 0 else f" {word}"}
            yield _event({"delta": delta, "finish_reason": None})
        yield _event({"delta": {}, "finish_reason": "stop"}) + b"data: [DONE]\n\n"

    async def __aiter__(self) -> Any:
        for event in self:
            yield event


def _event(choice: dict[str, Any]) -> bytes:
    whole = {**_completion(choice, "chat.completion.chunk"), "usage": None}
    return f"data: {json.dumps(whole)}\n\n".encode()
