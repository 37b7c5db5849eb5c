"""What all tests share: one test for sync and async, and policies that never wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

from langchain_control import RetryEngine

settings.register_profile("untimed", parent=settings(), deadline=None)
settings.load_profile("untimed")  # a busy machine proves nothing about the code


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Invoke a Runnable, once synchronously and once asynchronously."""

    def sync(runnable: Any, given: Any, config: Any = None) -> Any:
        return runnable.invoke(given, config)

    def in_a_loop(runnable: Any, given: Any, config: Any = None) -> Any:
        return asyncio.run(runnable.ainvoke(given, config))

    return sync if request.param == "sync" else in_a_loop


@pytest.fixture
def at_once() -> RetryEngine:
    """A retry engine that does not wait between attempts."""
    return RetryEngine(base_delay_seconds=0, jitter_seconds=0)
