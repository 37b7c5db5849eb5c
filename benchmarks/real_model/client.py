"""An HTTP client for the OpenAI SDK that seeds, counts and remembers what goes over the wire.

It stands below every library that talks to the server, so that all of them are treated alike:
their calls get the same seeds in the same order, and are counted whether the library tells or not.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openai import DefaultAsyncHttpxClient

__all__ = ["MeteredClient", "UsageMeter"]


@dataclass
class UsageMeter:
    """Calls, tokens and seconds so far, as the server counts and takes them."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


class MeteredClient(DefaultAsyncHttpxClient):
    """Give each call of a contestant the next seed.

    A call that was made before in the same round, with the same body and the same seed, is answered
    from memory, and counted as if it had been made. So contestants that begin alike share their
    first answer, on servers without seeds as well.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter, **options: Any) -> None:
        """Begin with an empty memory; `options` are those of the SDK's own client."""
        super().__init__(**options)
        self.meter = UsageMeter()
        self._clock = clock
        self._seeds = itertools.count()
        self._made: dict[str, tuple[Any, float]] = {}

    def open_round(self) -> None:
        """Forget all answers."""
        self._made = {}

    def start(self, seed: int) -> None:
        """Begin with a contestant: a new meter, and seeds from `seed` on."""
        self.meter, self._seeds = UsageMeter(), itertools.count(seed)

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request with a seed, unless its answer is known."""
        body = json.loads(request.content) | {"seed": next(self._seeds)}
        key = json.dumps(body, sort_keys=True)
        if key not in self._made:
            started = self._clock()
            answer = await super().send(self._with_body(request, body), **options)
            self._made[key] = answer, self._clock() - started
        answer, seconds = self._made[key]
        self._count(answer, seconds)
        return answer

    def _with_body(self, request: Any, body: dict[str, Any]) -> Any:
        headers = request.headers.copy()
        del headers["content-length"]
        return self.build_request(
            request.method, request.url, json=body, headers=headers, extensions=request.extensions
        )

    def _count(self, answer: Any, seconds: float) -> None:
        usage = (answer.json().get("usage") if answer.is_success else None) or {}
        self.meter.calls += 1
        self.meter.input_tokens += usage.get("prompt_tokens", 0)
        self.meter.output_tokens += usage.get("completion_tokens", 0)
        self.meter.seconds += seconds
